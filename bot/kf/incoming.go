package kf

import (
	"regexp"
	"strings"
	"time"

	"fanli/bot"
	"fanli/bot/kf/platform"
	"fanli/bot/plaintext"
)

// An incoming is one letter, understood.
type incoming struct {
	id   string // the message's
	from string // the person
	sent time.Time

	text    string // for the bot; "" where the channel itself answers
	say     phrase // what it says then
	via     string // the code of who brought the person
	message bool   // it lets us send messages for two days
	welcome string // the code by which an event is answered; "" for a message
	reads   bool   // on in a text that was cut
}

// idForm is what WeCom's ids of people and messages look like.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_@.+/=-]{1,128}$`)

// inviter returns the code that came along when the chat was opened; "" for none.
func inviter(e *platform.Event) string {
	for _, word := range []string{e.SceneParam, e.Scene} {
		if code := bot.InvitedBy(word); code != "" {
			return code
		}
	}
	return ""
}

// kinOf is how a type of messages is counted.
func kinOf(kind string) string {
	switch kind {
	case "text", "link", "image", "voice", "video", "file", "location", "miniprogram", "business_card", "channels_shop_product", "channels_shop_order", "merged_msg":
		return kind
	default:
		return "other"
	}
}

// understand says what a letter means.
func understand(m platform.Message) incoming {
	in := incoming{id: m.ID, from: m.From(), sent: time.Unix(m.Sent, 0), message: m.Origin == platform.FromCustomer}
	switch {
	case m.Event != nil:
		in.text, in.via, in.welcome = "/start", inviter(m.Event), m.Event.Welcome
	case m.Type == "text" && m.Text != nil:
		in.text = m.Text.Said()
	case m.Type == "link" && m.Link != nil:
		in.text = strings.Join([]string{m.Link.Title, m.Link.Desc, m.Link.URL}, "\n")
	case m.Type == "miniprogram" && m.Program != nil && m.Program.Address() != "":
		in.text = m.Program.Title + "\n" + m.Program.Address()
	case m.Type == "voice":
		in.say = sayVoice
	default:
		in.say, _ = plaintext.CannotRead(m.Type)
	}
	if strings.TrimSpace(in.text) == "" && in.say.ZH == "" {
		in.say, _ = plaintext.CannotRead("")
	}
	return in
}
