package telegramfake

import (
	"regexp"
	"strconv"
)

// A Command is a line of the bot's menu.
type Command struct {
	Name        string `json:"command"`
	Description string `json:"description"`
}

// The limits of a menu.
const (
	commandsMax    = 100
	descriptionMax = 256
)

// commandForm is what a command may look like.
var commandForm = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// scopeOf is the key of the menu that a call is about.
func scopeOf(p Params) string {
	scope := struct {
		Type string `json:"type"`
		Chat int64  `json:"chat_id"`
	}{Type: "default"}
	p.decode("scope", &scope)
	return menuKey(scope.Type, scope.Chat, p["language_code"])
}

func menuKey(scope string, chat int64, language string) string {
	return scope + "/" + strconv.FormatInt(chat, 10) + "/" + language
}

func (s *Server) setCommands(p Params) (any, *failure) {
	var commands []Command
	if !p.decode("commands", &commands) {
		return nil, refuse("parameter \"commands\" is required")
	}
	if len(commands) > commandsMax {
		return nil, refuse("too many commands specified")
	}
	if n := len(p["language_code"]); n != 0 && n != 2 {
		return nil, refuse("invalid language code specified")
	}
	for _, c := range commands {
		if !commandForm.MatchString(c.Name) {
			return nil, refuse("BOT_COMMAND_INVALID")
		}
		if n := runes(c.Description); n == 0 || n > descriptionMax {
			return nil, refuse("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	s.menus[scopeOf(p)] = commands
	return true, nil
}

func (s *Server) getCommands(p Params) (any, *failure) {
	found := s.menus[scopeOf(p)]
	if found == nil {
		found = []Command{}
	}
	return found, nil
}

func (s *Server) deleteCommands(p Params) (any, *failure) {
	delete(s.menus, scopeOf(p))
	return true, nil
}

// Menu returns the commands that a person with a two-letter language sees in a
// private chat: the narrowest scope that has any.
func (s *Server) Menu(person int64, language string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, scope := range []struct {
		kind string
		chat int64
	}{{"chat", person}, {"all_private_chats", 0}, {"default", 0}} {
		for _, l := range []string{language, ""} {
			if found := s.menus[menuKey(scope.kind, scope.chat, l)]; len(found) > 0 {
				return found
			}
		}
	}
	return nil
}
