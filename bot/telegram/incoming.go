package telegram

import (
	"encoding/json"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
)

// What Telegram sends, as far as we read it: the library's types and the members
// that are younger than they are.
type (
	update struct {
		tgbotapi.Update
		Message *message          `json:"message"`
		Edited  *message          `json:"edited_message"`
		Query   *query            `json:"callback_query"`
		Member  *membershipUpdate `json:"my_chat_member"`
	}

	// membershipUpdate says that a chat has taken us in or thrown us out; a private chat,
	// that its person has blocked us or thought better of it.
	membershipUpdate struct {
		Chat tgbotapi.Chat `json:"chat"`
		New  struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	}

	message struct {
		tgbotapi.Message
		Thread  int64 `json:"message_thread_id"`
		InTopic bool  `json:"is_topic_message"`
		Preview struct {
			URL string `json:"url"`
		} `json:"link_preview_options"`
		Story json.RawMessage `json:"story"`
	}

	query struct {
		tgbotapi.CallbackQuery
		Message *message `json:"message"`
	}
)

// target is where an answer goes.
type target struct {
	chat    int64
	thread  int64 // the topic of a forum; 0 for none
	replyTo int64 // the message that is answered, in groups; 0 for none
	group   bool
	moved   bool  // chat is already what became of a group
	silent  bool  // nobody should be woken by it
	instead int64 // the message whose place the next text takes; 0 for none
}

// incoming is a message or a press that is for us.
type incoming struct {
	msg bot.Message
	to  target

	query   string // the id of a press; "" for a message
	pressed int64  // the message whose button was pressed
	refused string // why a press does not count, in its person's language; "" if it does
}
