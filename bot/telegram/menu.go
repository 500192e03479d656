package telegram

import (
	"context"
	"encoding/json"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// setMenu shows the commands in private chats. Groups get no menu: there the bot
// answers links. A menu is a convenience, so failures are only logged.
func (c *Channel) setMenu(ctx context.Context) {
	if len(c.commands) == 0 {
		return
	}
	scope, err := json.Marshal(tgbotapi.NewBotCommandScopeAllPrivateChats())
	if err != nil {
		c.log.Warn("the menu cannot be written", "error", err)
		return
	}
	for _, menu := range []struct {
		language string
		text     func(Command) string
	}{
		{"zh", func(x Command) string { return x.Zh }},
		{"en", func(x Command) string { return x.En }},
		{"", func(x Command) string { return x.Zh + " · " + x.En }}, // whoever reads neither of the two
	} {
		list := make([]tgbotapi.BotCommand, 0, len(c.commands))
		for _, x := range c.commands {
			list = append(list, tgbotapi.BotCommand{Command: x.Name, Description: menu.text(x)})
		}
		p := tgbotapi.Params{"scope": string(scope)}
		p.AddNonEmpty("language_code", menu.language)
		if err := p.AddInterface("commands", list); err != nil {
			c.log.Warn("the menu cannot be written", "error", err)
			return
		}
		if err := c.call(ctx, "setMyCommands", p, nil); err != nil && ctx.Err() == nil {
			c.log.Warn("the menu cannot be set", "language", menu.language, "error", err)
		}
	}
}
