package telegram

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
	"fanli/core/user"
)

// hiddenMax is how many addresses behind words are read.
const hiddenMax = 16

// services are Telegram's own accounts, which write in the name of others:
// automatic forwards of a channel, anonymous administrators, and channels.
var services = map[int64]bool{777000: true, 1087968824: true, 136817688: true}

// reader understands updates. It does no I/O.
type reader struct {
	me       int64
	username string
	clock    func() time.Time
	staff    func() int64 // the group in which anybody may press, 0 for none; optional
}

// understand returns what an update says; it reports false for what is not for
// us.
func (r reader) understand(u update) (incoming, bool) {
	switch {
	case u.Query != nil:
		return r.press(u.Query)
	case u.Message != nil:
		return r.message(u.Message)
	case u.Edited != nil:
		return r.edited(u.Edited)
	default:
		return incoming{}, false
	}
}

// message reads what a person wrote.
func (r reader) message(m *message) (incoming, bool) {
	if !human(m.From) || m.SenderChat != nil || m.Chat == nil || !talk(m.Chat) {
		return incoming{}, false
	}
	text, ok := r.text(m)
	group := !m.Chat.IsPrivate()
	if !ok || text == "" && (group || !m.hasContent()) {
		return incoming{}, false
	}
	in := incoming{
		to:  target{chat: m.Chat.ID, group: group},
		msg: r.from(m.From, m.Chat, text),
	}
	in.msg.ID = fmt.Sprintf("%d/%d/%d", r.me, m.Chat.ID, m.MessageID)
	if m.InTopic {
		in.to.thread = m.Thread
	}
	if group {
		in.to.replyTo = int64(m.MessageID)
	}
	return in, true
}

// edited reads a message that its person has changed.
func (r reader) edited(m *message) (incoming, bool) {
	in, ok := r.message(m)
	if !ok || m.EditDate == 0 {
		return incoming{}, false
	}
	in.msg.Edits = in.msg.ID
	in.msg.ID += "/edit/" + strconv.Itoa(m.EditDate)
	return in, true
}

// from is a message of a person, without its ID. Ids of messages count from one
// in every chat of every bot, so an ID has all three.
func (r reader) from(u *tgbotapi.User, c *tgbotapi.Chat, text string) bot.Message {
	return bot.Message{
		From: user.Identity{Channel: Name, External: strconv.FormatInt(u.ID, 10)},
		Chat: strconv.FormatInt(c.ID, 10), Text: text, Locale: u.LanguageCode, Group: !c.IsPrivate(),
	}
}

// human reports whether a sender is a person.
func human(u *tgbotapi.User) bool { return u != nil && u.ID > 0 && !u.IsBot && !services[u.ID] }

// talk reports whether a chat is one in which people talk.
func talk(c *tgbotapi.Chat) bool { return c.IsPrivate() || c.IsGroup() || c.IsSuperGroup() }

// hasContent reports whether a message without a text is something that a person
// sent, and not news about the chat.
func (m *message) hasContent() bool {
	return m.Photo != nil || m.Sticker != nil || m.Voice != nil || m.Video != nil || m.VideoNote != nil ||
		m.Audio != nil || m.Document != nil || m.Animation != nil || m.Contact != nil || m.Location != nil ||
		m.Venue != nil || m.Poll != nil || m.Dice != nil || m.Game != nil || m.Story != nil
}

// text returns what a person means: the text or the caption, without our own
// name, with a space after a command, and with the addresses that are not to be
// seen. It reports false for a command that is for another bot.
func (r reader) text(m *message) (string, bool) {
	text, marks := m.Text, m.Entities
	if text == "" {
		text, marks = m.Caption, m.CaptionEntities
	}
	units := utf16.Encode([]rune(text))
	var out strings.Builder
	done := 0
	for _, e := range marks {
		part, ok := cut(units, e)
		if !ok || e.Offset < done {
			continue
		}
		end := e.Offset + e.Length
		spaced := end == len(units) || unicode.IsSpace(rune(units[end]))
		command, name, named := strings.Cut(part, "@")
		switch {
		case e.Type == "bot_command" && e.Offset == 0 && named && !r.isMe(name):
			return "", false
		case e.Type == "bot_command" && e.Offset == 0:
			out.WriteString(command)
			if !spaced { // "/bind淘宝" is a command and a word
				out.WriteByte(' ')
			}
		case e.Type == "mention" && r.isMe(name):
			out.WriteString(strings.TrimRight(decode(units[done:e.Offset]), " "))
		default:
			continue
		}
		done = end
	}
	out.WriteString(decode(units[done:]))
	return unfold(strings.TrimSpace(out.String()), m, marks), true
}

func (r reader) isMe(name string) bool {
	return r.username != "" && strings.EqualFold(name, r.username)
}

// unfold adds the addresses behind words and of the preview, if the text does
// not have them.
func unfold(text string, m *message, marks []tgbotapi.MessageEntity) string {
	added := 0
	add := func(address string) {
		if address == "" || added == hiddenMax || shows(text, address) {
			return
		}
		added++
		if text != "" {
			text += "\n"
		}
		text += address
	}
	for _, e := range marks {
		if e.Type == "text_link" {
			add(e.URL)
		}
	}
	add(m.Preview.URL)
	return text
}

// shows reports whether a text has a whole address, and not one that only begins
// with it.
func shows(text, address string) bool {
	address = strings.TrimSuffix(address, "/")
	for {
		at := strings.Index(text, address)
		if at < 0 {
			return false
		}
		text = strings.TrimPrefix(text[at+len(address):], "/")
		if text == "" || text[0] <= ' ' || text[0] >= utf8.RuneSelf {
			return true
		}
	}
}

// cut returns the part of a text that an entity marks; it reports false for an
// entity outside of the text.
func cut(units []uint16, e tgbotapi.MessageEntity) (string, bool) {
	if e.Offset < 0 || e.Length <= 0 || e.Offset > len(units) || e.Length > len(units)-e.Offset {
		return "", false
	}
	return decode(units[e.Offset : e.Offset+e.Length]), true
}

func decode(units []uint16) string { return string(utf16.Decode(units)) }

// press reads a press of a button. What does not count is returned too, because
// Telegram wants every press acknowledged.
func (r reader) press(q *query) (incoming, bool) {
	if q.ID == "" || !human(q.From) {
		return incoming{}, false
	}
	in := incoming{query: q.ID, to: target{chat: q.From.ID}}
	in.msg.ID = fmt.Sprintf("%d/press/%s", r.me, q.ID)
	m := q.Message
	if m == nil || m.Chat == nil || !talk(m.Chat) || !m.offers(q.Data) || r.late(m, q.Data) {
		in.refused = bot.LatePress(q.Data, q.From.LanguageCode)
		return in, true
	}
	in.pressed = int64(m.MessageID)
	in.to = target{chat: m.Chat.ID, group: !m.Chat.IsPrivate()}
	if m.InTopic {
		in.to.thread = m.Thread
	}
	staff := r.staff != nil && m.Chat.ID == r.staff() // whoever of them presses: package bot knows what they may do
	if !staff && !m.isFor(q.From.ID) {
		in.refused = say(q.From.LanguageCode, pressForeign)
		return in, true
	}
	switch {
	case in.to.group && m.ReplyToMessage != nil: // so that the answer's buttons are this person's too
		in.to.replyTo = int64(m.ReplyToMessage.MessageID)
	case in.to.group:
		in.to.replyTo = int64(m.MessageID)
	}
	id := in.msg.ID
	in.msg = r.from(q.From, m.Chat, q.Data)
	in.msg.ID = id
	return in, true
}

// late reports whether what a button refers to has been forgotten. Telegram's clock and
// ours need not agree to the second.
func (r reader) late(m *message, action string) bool {
	life := bot.ButtonLife(action)
	shown := time.Unix(int64(max(m.Date, m.EditDate)), 0)
	return life > 0 && r.clock().Sub(shown) > life+clockSlack
}

// clockSlack is how far apart clocks may be.
const clockSlack = 10 * time.Second

// offers reports whether a message has a button with this data. A client that
// was tampered with can send any; a message that is too old comes without its
// buttons.
func (m *message) offers(data string) bool {
	if m.ReplyMarkup == nil || data == "" {
		return false
	}
	for _, row := range m.ReplyMarkup.InlineKeyboard {
		for _, b := range row {
			if b.CallbackData != nil && *b.CallbackData == data {
				return true
			}
		}
	}
	return false
}

// isFor reports whether the buttons of a message are for a person: the chat is
// theirs, or the message answers theirs.
func (m *message) isFor(person int64) bool {
	if m.Chat.IsPrivate() {
		return m.Chat.ID == person
	}
	return m.ReplyToMessage != nil && m.ReplyToMessage.From != nil && m.ReplyToMessage.From.ID == person
}
