package telegramfake

import (
	"encoding/json"
	"time"
)

// The objects of the protocol, as far as this server has them.
type (
	user struct {
		ID        int64  `json:"id"`
		IsBot     bool   `json:"is_bot"`
		FirstName string `json:"first_name"`
		Username  string `json:"username,omitempty"`
		Language  string `json:"language_code,omitempty"`
	}

	chat struct {
		ID        int64  `json:"id"`
		Type      string `json:"type"` // private, group, supergroup
		Title     string `json:"title,omitempty"`
		FirstName string `json:"first_name,omitempty"`
		IsForum   bool   `json:"is_forum,omitempty"`
	}

	photoSize struct {
		FileID   string `json:"file_id"`
		UniqueID string `json:"file_unique_id"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
	}

	preview struct {
		Off bool   `json:"is_disabled,omitempty"`
		URL string `json:"url,omitempty"`
	}

	message struct {
		ID              int64       `json:"message_id"`
		Thread          int64       `json:"message_thread_id,omitempty"`
		InTopic         bool        `json:"is_topic_message,omitempty"`
		From            *user       `json:"from,omitempty"`
		SenderChat      *chat       `json:"sender_chat,omitempty"`
		Chat            chat        `json:"chat"`
		Date            int64       `json:"date"`
		EditDate        int64       `json:"edit_date,omitempty"`
		ReplyTo         *message    `json:"reply_to_message,omitempty"`
		Text            string      `json:"text,omitempty"`
		Entities        []Entity    `json:"entities,omitempty"`
		Photo           []photoSize `json:"photo,omitempty"`
		Caption         string      `json:"caption,omitempty"`
		CaptionEntities []Entity    `json:"caption_entities,omitempty"`
		Preview         *preview    `json:"link_preview_options,omitempty"`
		Markup          *keyboard   `json:"reply_markup,omitempty"`

		more map[string]any // members that only some messages have
		pad  *keyPad        // what it does with the keys below its chat
		sent Sent           // for the bot's own messages
	}

	keyboard struct {
		Rows [][]wireButton `json:"inline_keyboard"`
	}

	wireButton struct {
		Text string    `json:"text"`
		URL  string    `json:"url,omitempty"`
		Data string    `json:"callback_data,omitempty"`
		Copy *copyText `json:"copy_text,omitempty"`
	}

	copyText struct {
		Text string `json:"text"`
	}
)

// An Entity is a part of a text with a meaning. Offset and Length count UTF-16
// code units.
type Entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url,omitempty"`

	Language string `json:"language,omitempty"` // of pre
}

// A Button is an inline button as people see it; one of URL, Data and Copy is
// set.
type Button struct {
	Text string
	URL  string
	Data string
	Copy string
}

// A Sent is a message of the bot in its latest form.
type Sent struct {
	Chat       int64
	ID         int64  // unique in the chat
	Text       string // as people see it: without markup; the caption of a photo
	Entities   []Entity
	Photo      string     // the address, file id or file that was sent; empty for none
	Buttons    [][]Button // rows of the inline keyboard
	Keys       [][]string // rows of keys that it puts below the chat
	ReplyTo    int64      // the message that it answers; 0 for none
	Thread     int64      // the forum topic; 0 for none
	ParseMode  string     // as it was sent
	PreviewOff bool       // no preview of links
	Silent     bool       // it made no sound
	Edited     bool
	At         time.Time
}

// Flat returns the buttons of all rows in reading order.
func (s Sent) Flat() []Button {
	var all []Button
	for _, row := range s.Buttons {
		all = append(all, row...)
	}
	return all
}

// MarshalJSON adds the members that only some messages have.
func (m message) MarshalJSON() ([]byte, error) {
	type plain message
	b, err := json.Marshal(plain(m))
	if err != nil || len(m.more) == 0 {
		return b, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for name, v := range m.more {
		if all[name], err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}

// quoted is m as other messages mention it: without what it answers itself.
func (m message) quoted() *message {
	m.ReplyTo = nil
	return &m
}
