package telegramfake

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// A SayOption shapes what a person says.
type SayOption func(*saying)

// saying is a message that is being written.
type saying struct {
	group   int64
	replyTo int64
	edits   int64
	hidden  [][2]string // words, and the address behind them
	msg     message
}

// In says it in a group.
func In(group int64) SayOption { return func(y *saying) { y.group = group } }

// Topic says it in a topic of a forum.
func Topic(id int64) SayOption {
	return func(y *saying) { y.msg.Thread, y.msg.InTopic = id, true }
}

// ReplyTo answers a message of the same chat.
func ReplyTo(id int64) SayOption { return func(y *saying) { y.replyTo = id } }

// Edit changes what was said before instead of saying something new.
func Edit(id int64) SayOption { return func(y *saying) { y.edits = id } }

// WithPhoto makes the text the caption of a photo.
func WithPhoto() SayOption {
	return func(y *saying) {
		y.msg.Photo = []photoSize{{FileID: inboundPhoto, UniqueID: "AQADnbYxG", Width: 320, Height: 320}}
	}
}

// inboundPhoto is the file id of what people send.
const inboundPhoto = "AgACAgQAAxkBAAI"

// Hiding puts an address behind words of the text.
func Hiding(words, url string) SayOption {
	return func(y *saying) { y.hidden = append(y.hidden, [2]string{words, url}) }
}

// Previewing adds a preview of an address that the text need not have.
func Previewing(url string) SayOption {
	return func(y *saying) { y.msg.Preview = &preview{URL: url} }
}

// Forwarded says that the text was first somebody else's: "user",
// "hidden_user", "chat" or "channel". The message has the origin in the new and
// in the old form.
func Forwarded(origin string) SayOption {
	return func(y *saying) {
		from := map[string]any{"id": 5150, "is_bot": false, "first_name": "Origin"}
		group := map[string]any{"id": superBase - 77, "type": "channel", "title": "Deals"}
		o := map[string]any{"type": origin, "date": 1_700_000_000}
		switch origin {
		case "user":
			o["sender_user"], y.msg.more["forward_from"] = from, from
		case "hidden_user":
			o["sender_user_name"], y.msg.more["forward_sender_name"] = "Origin", "Origin"
		case "chat":
			o["sender_chat"], y.msg.more["forward_from_chat"] = group, group
		case "channel":
			o["chat"], o["message_id"] = group, 9
			y.msg.more["forward_from_chat"], y.msg.more["forward_from_message_id"] = group, 9
		}
		y.msg.more["forward_origin"], y.msg.more["forward_date"] = o, o["date"]
	}
}

// With adds a member to the message, as With("sticker", …) for one without a
// text or With("new_chat_members", …) for a service message.
func With(member string, value any) SayOption {
	return func(y *saying) { y.msg.more[member] = value }
}

// Anonymously says it in the name of the group, as its administrators can.
func Anonymously() SayOption {
	return func(y *saying) {
		y.msg.From = &user{ID: anonymousID, IsBot: true, FirstName: "Group", Username: "GroupAnonymousBot"}
		y.msg.SenderChat = &chat{ID: y.group, Type: "supergroup"}
	}
}

// anonymousID is the account in whose name anonymous administrators write.
const anonymousID = 1_087_968_824

// Say lets a person write to the bot, or in a group that it is in, and returns
// the id of the message in its chat. Commands, addresses and names in the text
// are marked as the server marks them. In a group with privacy mode the bot
// does not get what is not for it, unless it is an administrator there, and what other
// bots say it never gets.
func (s *Server) Say(by int64, text string, opts ...SayOption) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	y := &saying{msg: message{Date: s.cfg.Now().Unix(), more: map[string]any{}}}
	for _, o := range opts {
		o(y)
	}
	if y.msg.From == nil {
		u := s.person(by).user
		y.msg.From = &u
	}
	if y.group == 0 {
		y.msg.Chat = s.person(by).chat()
		s.people[by].started = true
	} else {
		y.msg.Chat = s.groups[y.group].chat
	}
	y.fill(text)
	return s.say(y)
}

// fill writes the text and marks its parts.
func (y *saying) fill(text string) {
	marks := detect(text)
	for _, h := range y.hidden {
		if at := strings.Index(text, h[0]); at >= 0 {
			marks = append(marks, Entity{Type: "text_link", Offset: units(text[:at]), Length: units(h[0]), URL: h[1]})
		}
	}
	slices.SortFunc(marks, func(a, b Entity) int { return a.Offset - b.Offset })
	if y.msg.Photo != nil {
		y.msg.Caption, y.msg.CaptionEntities = text, marks
	} else {
		y.msg.Text, y.msg.Entities = text, marks
	}
}

// say keeps a message and tells the bot.
func (s *Server) say(y *saying) int64 {
	r, kind := s.room(y.msg.Chat.ID), "message"
	if y.replyTo != 0 && r.messages[y.replyTo] != nil {
		y.msg.ReplyTo = r.messages[y.replyTo].quoted()
	}
	if y.edits != 0 {
		kind, y.msg.ID, y.msg.EditDate = "edited_message", y.edits, y.msg.Date
	} else {
		r.lastID++
		y.msg.ID = r.lastID
	}
	r.messages[y.msg.ID] = &y.msg
	if from := y.msg.From; from.IsBot && from.ID != anonymousID {
		return y.msg.ID // bots do not see each other
	}
	if y.group == 0 || s.cfg.ReadsGroups || s.leads(y.group) || s.concerns(y.msg) {
		s.push(kind, y.msg)
	}
	return y.msg.ID
}

// Remove deletes a message of a chat, as people can.
func (s *Server) Remove(chat, message int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.room(chat), message)
	s.announce()
}

// remove takes a message out of a room.
func (s *Server) remove(r *room, id int64) {
	delete(r.messages, id)
	r.sent = slices.DeleteFunc(r.sent, func(other int64) bool { return other == id })
}

// concerns reports whether a bot in privacy mode gets a message of a group.
func (s *Server) concerns(m message) bool {
	if m.ReplyTo != nil && m.ReplyTo.From != nil && m.ReplyTo.From.ID == s.me.ID {
		return true
	}
	if m.Text == "" && m.Caption == "" {
		return true // service messages
	}
	text := utf16.Encode([]rune(m.Text + m.Caption))
	for _, e := range append(slices.Clone(m.Entities), m.CaptionEntities...) {
		part := string(utf16.Decode(text[e.Offset : e.Offset+e.Length]))
		_, name, named := strings.Cut(part, "@")
		ours := strings.EqualFold(name, s.me.Username)
		if e.Type == "mention" && ours || e.Type == "bot_command" && (!named || ours) {
			return true
		}
	}
	return false
}

// units is the length of s in UTF-16 code units.
func units(s string) int { return len(utf16.Encode([]rune(s))) }
