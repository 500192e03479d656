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
		User int64  `json:"user_id"`
	}{Type: "default"}
	if p.decode("scope", &scope); scope.Type == memberScope {
		scope.Type = memberKind(scope.User)
	}
	return menuKey(scope.Type, scope.Chat, p["language_code"])
}

// memberScope is that of one person in one group.
const memberScope = "chat_member"

func memberKind(person int64) string { return memberScope + "/" + strconv.FormatInt(person, 10) }

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
	return s.menuOf(language, scoped{"chat", person}, scoped{"all_private_chats", 0}, scoped{"default", 0})
}

// GroupMenu returns the commands that a person sees in a group, as an administrator
// of it or not.
func (s *Server) GroupMenu(group int64, admin bool, language string) []Command {
	if admin {
		return s.menuOf(language, scoped{"chat_administrators", group}, scoped{"chat", group}, scoped{"all_chat_administrators", 0},
			scoped{"all_group_chats", 0}, scoped{"default", 0})
	}
	return s.menuOf(language, scoped{"chat", group}, scoped{"all_group_chats", 0}, scoped{"default", 0})
}

// MemberMenu returns the commands that this person sees in a group: GroupMenu, unless there
// are some for them alone.
func (s *Server) MemberMenu(group, person int64, language string) []Command {
	if own := s.menuOf(language, scoped{memberKind(person), group}); own != nil {
		return own
	}
	s.mu.Lock()
	admin := s.groups[group] != nil && s.groups[group].admins[person]
	s.mu.Unlock()
	return s.GroupMenu(group, admin, language)
}

// scoped is a scope of commands.
type scoped struct {
	kind string
	chat int64
}

// menuOf returns the first menu that has any commands.
func (s *Server) menuOf(language string, scopes ...scoped) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, scope := range scopes {
		for _, l := range []string{language, ""} {
			if found := s.menus[menuKey(scope.kind, scope.chat, l)]; len(found) > 0 {
				return found
			}
		}
	}
	return nil
}

// setAbout keeps a text about the bot, in one language or for the rest.
func (s *Server) setAbout(name string, most int) func(Params) (any, *failure) {
	return func(p Params) (any, *failure) {
		if runes(p[name]) > most {
			return nil, refuse("%s is too long", name)
		}
		s.about[name+"/"+p["language_code"]] = p[name]
		return true, nil
	}
}

func (s *Server) getAbout(name string) func(Params) (any, *failure) {
	return func(p Params) (any, *failure) {
		text, ok := s.about[name+"/"+p["language_code"]]
		if !ok {
			text = s.about[name+"/"]
		}
		return map[string]any{name: text}, nil
	}
}

// About returns what people with a two-letter language read about the bot:
// "description" before they start it, "short_description" on its profile.
func (s *Server) About(name, language string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := s.about[name+"/"+language]; text != "" {
		return text
	}
	return s.about[name+"/"]
}

func (s *Server) setMenuButton(p Params) (any, *failure) {
	var b struct {
		Type string `json:"type"`
	}
	if p.decode("menu_button", &b); b.Type == "" {
		b.Type = "default"
	}
	s.buttons[p.number("chat_id")] = b.Type
	return true, nil
}

func (s *Server) getMenuButton(p Params) (any, *failure) {
	for _, chat := range []int64{p.number("chat_id"), 0} {
		if kind := s.buttons[chat]; kind != "" {
			return map[string]any{"type": kind}, nil
		}
	}
	return map[string]any{"type": "default"}, nil
}

// MenuButton returns the kind of the button that opens the menu in private chats.
func (s *Server) MenuButton() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buttons[0]
}
