package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// Telegram's limits for what people read about a bot.
const (
	aboutMax = 512
	shortMax = 120
)

// An About is what people read about the bot, in one language.
type About struct {
	Description string // before they start it; at most 512 characters
	Short       string // on its profile and where it is shared; at most 120
}

// WithAbout sets what people read about the bot. Whoever reads neither of the two
// languages sees the English one.
func WithAbout(zh, en About) Option {
	return func(c *Channel) { c.zh, c.en = zh, en }
}

// WithGroupCommands sets the menu that people see in groups.
func WithGroupCommands(list ...Command) Option {
	return func(c *Channel) { c.inGroups = list }
}

// WithAdminCommands sets the menu that administrators see in the group of staff. It is
// asked for each time the channel opens. A menu is no access control.
func WithAdminCommands(list func() []Command) Option {
	return func(c *Channel) { c.admins = list }
}

func (a About) validate() error {
	if len([]rune(a.Description)) > aboutMax || len([]rune(a.Short)) > shortMax {
		return fmt.Errorf("telegram: a description has at most %d characters, and %d in short", aboutMax, shortMax)
	}
	return nil
}

// A touch is a call that changes how the bot looks.
type touch struct {
	Method   string
	Params   tgbotapi.Params
	language string
}

// setFace shows the bot as it is configured: its menus, by scope and language, and what
// people read about it. Groups get a menu of their own, or none. Nothing is called if
// nothing has changed. All of it is a convenience, so failures are only logged;
// the next start tries again.
func (c *Channel) setFace(ctx context.Context) {
	touches, err := c.face(ctx)
	if err != nil {
		c.log.Warn("the menu cannot be written", "error", err)
		return
	}
	if len(touches) == 0 {
		return
	}
	print, err := fingerprint(touches)
	if err != nil {
		c.log.Warn("the menu cannot be written", "error", err)
		return
	}
	name := "telegram.face." + c.cfg.bot()
	if was, err := c.kept(ctx, name); err == nil && was == print {
		return
	}
	whole := true
	for _, t := range touches {
		if err := c.call(ctx, t.Method, t.Params, nil); err != nil {
			whole = false
			if ctx.Err() == nil {
				c.log.Warn("the menu cannot be set", "method", t.Method, "language", t.language, "error", err)
			}
		}
	}
	if !whole {
		return
	}
	if err := c.marks.SetMark(ctx, name, print, 0); err != nil {
		c.log.Warn("it cannot be kept that the menu is set; a restart sets it again", "error", err)
	}
}

// fingerprint changes with what is to be seen.
func fingerprint(touches []touch) (string, error) {
	b, err := json.Marshal(touches)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// face is every call that makes the bot look as it is configured.
func (c *Channel) face(ctx context.Context) ([]touch, error) {
	var all []touch
	var errs []error
	if len(c.commands) > 0 {
		private, err := menus(tgbotapi.NewBotCommandScopeAllPrivateChats(), c.commands)
		all, errs = append(all, private...), append(errs, err)
		groups, err := c.groupMenus()
		all, errs = append(all, groups...), append(errs, err)
		all = append(all, touch{"setChatMenuButton", tgbotapi.Params{"menu_button": `{"type":"commands"}`}, ""})
	}
	if chat := c.AdminChat(ctx); chat != 0 && c.admins != nil {
		list := c.admins()
		for _, command := range list {
			errs = append(errs, command.validate())
		}
		menus, err := menus(tgbotapi.NewBotCommandScopeChatAdministrators(chat), list)
		all, errs = append(all, menus...), append(errs, err)
	}
	for _, a := range []struct {
		language string
		About
	}{{"zh", c.zh}, {"en", c.en}, {"", c.en}} {
		if a.Description != "" {
			all = append(all, about("setMyDescription", "description", a.Description, a.language))
		}
		if a.Short != "" {
			all = append(all, about("setMyShortDescription", "short_description", a.Short, a.language))
		}
	}
	return all, errors.Join(errs...)
}

// groupMenus sets the menu of groups, or takes it away.
func (c *Channel) groupMenus() ([]touch, error) {
	scope := tgbotapi.NewBotCommandScopeAllGroupChats()
	if len(c.inGroups) > 0 {
		return menus(scope, c.inGroups)
	}
	b, err := json.Marshal(scope)
	var all []touch
	for _, language := range []string{"zh", "en", ""} {
		p := tgbotapi.Params{"scope": string(b)}
		p.AddNonEmpty("language_code", language)
		all = append(all, touch{"deleteMyCommands", p, language})
	}
	return all, err
}

func about(method, name, text, language string) touch {
	p := tgbotapi.Params{name: text}
	p.AddNonEmpty("language_code", language)
	return touch{method, p, language}
}

// menus sets commands in one scope, in every language.
func menus(scope tgbotapi.BotCommandScope, commands []Command) ([]touch, error) {
	where, err := json.Marshal(scope)
	if err != nil {
		return nil, err
	}
	var all []touch
	for _, menu := range []struct {
		language string
		text     func(Command) string
	}{
		{"zh", func(x Command) string { return x.Zh }},
		{"en", func(x Command) string { return x.En }},
		{"", func(x Command) string { return x.Zh + " · " + x.En }}, // whoever reads neither of the two
	} {
		list := make([]tgbotapi.BotCommand, 0, len(commands))
		for _, x := range commands {
			list = append(list, tgbotapi.BotCommand{Command: x.Name, Description: menu.text(x)})
		}
		p := tgbotapi.Params{"scope": string(where)}
		p.AddNonEmpty("language_code", menu.language)
		if err := p.AddInterface("commands", list); err != nil {
			return nil, err
		}
		all = append(all, touch{"setMyCommands", p, menu.language})
	}
	return all, nil
}
