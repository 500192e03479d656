package telegramfake

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// The limits of texts: characters after entities are taken out, and bytes of
// what is sent.
const (
	textMax      = 4096
	captionMax   = 1024
	rawBytesMax  = 32768
	deleteAgeMax = 48 * time.Hour // then a message stays
	messageEqual = "message is not modified: specified new message content and reply markup are exactly the same " +
		"as a current content and reply markup of the message"
)

// parsers take the markup out of a text, by the names of their modes.
var parsers = map[string]func(string) (string, []Entity, *failure){
	"html": parseHTML, "markdownv2": parseMarkdown, "markdown": parseOldMarkdown,
}

// entitiesOf are the parameters that mark a text without any markup.
var entitiesOf = map[string]string{"text": "entities", "caption": "caption_entities"}

// content reads a text with its markup.
func content(p Params, name string) (string, []Entity, *failure) {
	raw := strings.ToValidUTF8(p[name], "")
	if len(raw) > rawBytesMax {
		return "", nil, refuse("text is too long")
	}
	var marks []Entity
	if mode := strings.ToLower(p["parse_mode"]); mode != "" {
		parse := parsers[mode]
		if parse == nil {
			return "", nil, refuse("unsupported parse_mode")
		}
		var f *failure
		if raw, marks, f = parse(raw); f != nil {
			return "", nil, f
		}
	} else {
		p.decode(entitiesOf[name], &marks)
	}
	text, marks := trim(raw, marks)
	return text, marks, nil
}

// body reads the text of a message.
func body(p Params) (string, []Entity, *failure) {
	if p["text"] == "" {
		return "", nil, refuse("message text is empty")
	}
	text, marks, f := content(p, "text")
	switch {
	case f != nil:
		return "", nil, f
	case text == "":
		return "", nil, refuse("text must be non-empty")
	case runes(text) > textMax:
		return "", nil, refuse("message is too long")
	}
	return text, marks, nil
}

// caption reads the text under a photo.
func caption(p Params) (string, []Entity, *failure) {
	text, marks, f := content(p, "caption")
	if f == nil && runes(text) > captionMax {
		f = refuse("message caption is too long")
	}
	return text, marks, f
}

func (s *Server) sendMessage(p Params) (any, *failure) {
	m, f := s.compose(p)
	if f != nil {
		return nil, f
	}
	if m.Text, m.Entities, f = body(p); f != nil {
		return nil, f
	}
	return s.deliver(m, p, "")
}

func (s *Server) sendPhoto(p Params, files map[string]file) (any, *failure) {
	m, f := s.compose(p)
	if f != nil {
		return nil, f
	}
	if m.Caption, m.CaptionEntities, f = caption(p); f != nil {
		return nil, f
	}
	found, f := s.photoOf(p["photo"], files)
	if f != nil {
		return nil, f
	}
	m.Photo = []photoSize{found.size}
	return s.deliver(m, p, p["photo"])
}

// compose checks everything about a new message but its content.
func (s *Server) compose(p Params) (*message, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	if f = s.floods(c); f != nil {
		return nil, f
	}
	m := &message{Chat: c, From: &s.me, Date: s.cfg.Now().Unix(), Thread: p.number("message_thread_id")}
	m.InTopic = m.Thread != 0
	if m.InTopic && !s.hasTopic(c.ID, m.Thread) {
		return nil, refuse("message thread not found")
	}
	if m.Markup, f = markupOf(p); f != nil {
		return nil, f
	}
	if m.pad, f = padOf(p); f != nil {
		return nil, f
	}
	return m, s.reply(m, p)
}

// hasTopic reports whether anybody has written in a topic.
func (s *Server) hasTopic(chat, thread int64) bool {
	for _, m := range s.room(chat).messages {
		if m.Thread == thread {
			return true
		}
	}
	return false
}

// reply finds the message that m answers, in the new or the old way of asking.
func (s *Server) reply(m *message, p Params) *failure {
	to := struct {
		ID      int64 `json:"message_id"`
		Without bool  `json:"allow_sending_without_reply"`
	}{p.number("reply_to_message_id"), p.flag("allow_sending_without_reply")}
	p.decode("reply_parameters", &to)
	if to.ID == 0 {
		return nil
	}
	if old := s.room(m.Chat.ID).messages[to.ID]; old != nil {
		m.ReplyTo = old.quoted()
		return nil
	}
	if !to.Without {
		return refuse("message to be replied not found")
	}
	return nil
}

// deliver puts a message where people see it.
func (s *Server) deliver(m *message, p Params, photo string) (any, *failure) {
	r := s.room(m.Chat.ID)
	r.lastID++
	m.ID = r.lastID
	r.messages[m.ID] = m
	r.sent = append(r.sent, m.ID)
	m.sent = Sent{Photo: photo, ParseMode: p["parse_mode"], PreviewOff: previewOff(p), Silent: p.flag("disable_notification"), At: s.cfg.Now()}
	m.show()
	r.touch(m.pad)
	return *m, nil
}

// show brings what people see up to date.
func (m *message) show() {
	t := &m.sent
	t.Chat, t.ID, t.Thread = m.Chat.ID, m.ID, m.Thread
	t.Text, t.Entities = m.Text+m.Caption, append(slices.Clone(m.Entities), m.CaptionEntities...)
	if m.ReplyTo != nil {
		t.ReplyTo = m.ReplyTo.ID
	}
	t.Buttons = m.Markup.buttons()
	if m.pad != nil {
		t.Keys = m.pad.rows
	}
}

func previewOff(p Params) bool {
	var v preview
	p.decode("link_preview_options", &v)
	return v.Off || p.flag("disable_web_page_preview")
}

// own finds a message of the bot that it wants to change.
func (s *Server) own(p Params) (*message, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	m := s.room(c.ID).messages[p.number("message_id")]
	switch {
	case m == nil:
		return nil, refuse("message to edit not found")
	case !s.wrote(m) || m.pad != nil:
		return nil, refuse("message can't be edited")
	default:
		return m, nil
	}
}

// wrote reports whether the bot has written a message.
func (s *Server) wrote(m *message) bool { return m.From != nil && m.From.ID == s.me.ID }

// leads reports whether the bot is an administrator of a group.
func (s *Server) leads(chat int64) bool {
	g := s.groups[chat]
	return g != nil && g.admins[s.me.ID]
}

// edit changes a message if there is a difference.
func (s *Server) edit(p Params, change func(*message) *failure) (any, *failure) {
	m, f := s.own(p)
	if f == nil {
		f = s.floods(m.Chat)
	}
	if f != nil {
		return nil, f
	}
	edited := *m
	if pad, f := padOf(p); f != nil || pad != nil {
		return nil, refuse("inline keyboard expected")
	}
	if edited.Markup, f = markupOf(p); f != nil {
		return nil, f
	}
	if f = change(&edited); f != nil {
		return nil, f
	}
	if edited.Text == m.Text && edited.Caption == m.Caption && reflect.DeepEqual(edited.Entities, m.Entities) &&
		reflect.DeepEqual(edited.Markup, m.Markup) {
		return nil, refuse(messageEqual)
	}
	edited.EditDate = s.cfg.Now().Unix()
	*m = edited
	m.sent.Edited = true
	m.show()
	return *m, nil
}

func (s *Server) editText(p Params) (any, *failure) {
	return s.edit(p, func(m *message) (f *failure) {
		if m.Photo != nil {
			return refuse("there is no text in the message to edit")
		}
		m.Text, m.Entities, f = body(p)
		return f
	})
}

func (s *Server) editCaption(p Params) (any, *failure) {
	return s.edit(p, func(m *message) (f *failure) {
		if m.Photo == nil {
			return refuse("there is no caption in the message to edit")
		}
		m.Caption, m.CaptionEntities, f = caption(p)
		return f
	})
}

func (s *Server) editMarkup(p Params) (any, *failure) {
	return s.edit(p, func(*message) *failure { return nil })
}

func (s *Server) deleteMessage(p Params) (any, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	r, id := s.room(c.ID), p.number("message_id")
	m := r.messages[id]
	switch {
	case m == nil:
		return nil, refuse("message to delete not found")
	case s.cfg.Now().Sub(time.Unix(m.Date, 0)) > deleteAgeMax, c.Type != "private" && !s.wrote(m) && !s.leads(c.ID):
		return nil, refuse("message can't be deleted")
	}
	s.remove(r, id)
	return true, nil
}

// chatActions are what a bot may seem to be doing.
var chatActions = []string{
	"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
	"upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}

func (s *Server) sendChatAction(p Params) (any, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	if !slices.Contains(chatActions, p["action"]) {
		return nil, refuse("wrong parameter action in request")
	}
	r := s.room(c.ID)
	r.actions = append(r.actions, p["action"])
	return true, nil
}
