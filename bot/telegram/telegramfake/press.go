package telegramfake

import (
	"context"
	"fmt"
	"strconv"
)

// firstQuery is where ids of queries begin: they have up to 19 digits.
const firstQuery = 4_382_115_000_000_000_001

// A Tap is a press of a button, also one that no honest client makes.
type Tap struct {
	By      int64  // who
	Chat    int64  // where the message is
	Message int64  // which message
	Index   int    // which button, in reading order from 0
	Data    string // what the client says the button holds, instead of what it does

	TooOld bool // the server does not have the message any more
	Inline bool // the message was sent through inline mode
}

// query is a press that the bot should acknowledge.
type query struct {
	answered bool
	toast    string
	alert    bool
}

// Press presses a button of a message and returns the id of the query. The
// buttons are counted in reading order. It panics if the message has no such
// button or if it does not call back: then a person could not press it.
func (s *Server) Press(by, chat, message int64, index int) string {
	return s.PressAs(Tap{By: by, Chat: chat, Message: message, Index: index})
}

// PressAs is Press for odd cases.
func (s *Server) PressAs(t Tap) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.room(t.Chat).messages[t.Message]
	if m == nil {
		panic(fmt.Sprintf("telegramfake: chat %d has no message %d", t.Chat, t.Message))
	}
	data := t.Data
	if data == "" {
		all := m.sent.Flat()
		if t.Index >= len(all) || all[t.Index].Data == "" {
			panic(fmt.Sprintf("telegramfake: message %d has no button %d that calls back", t.Message, t.Index))
		}
		data = all[t.Index].Data
	}
	s.lastID++
	id := strconv.FormatInt(s.lastID, 10)
	s.queries[id] = &query{}
	q := map[string]any{
		"id": id, "from": s.person(t.By).user, "data": data,
		"chat_instance": strconv.FormatInt(t.Chat*31+7, 10),
	}
	switch {
	case t.Inline:
		q["inline_message_id"] = "AAAAAAAAAAE"
	case t.TooOld:
		q["message"] = map[string]any{"chat": m.Chat, "message_id": m.ID, "date": 0}
	default:
		q["message"] = *m
	}
	s.push("callback_query", q)
	return id
}

// WaitAnswered waits until the bot has acknowledged a query, and returns what
// the person sees of that.
func (s *Server) WaitAnswered(ctx context.Context, id string) (toast string, err error) {
	err = s.await(ctx, func() bool {
		q := s.queries[id]
		if q == nil || !q.answered {
			return false
		}
		toast = q.toast
		return true
	})
	return toast, err
}

// toastMax is how many characters a toast may have.
const toastMax = 200

func (s *Server) answerQuery(p Params) (any, *failure) {
	q := s.queries[p["callback_query_id"]]
	switch {
	case q == nil || q.answered:
		return nil, refuse("query is too old and response timeout expired or query ID is invalid")
	case runes(p["text"]) > toastMax:
		return nil, refuse("MESSAGE_TOO_LONG")
	}
	q.answered, q.toast, q.alert = true, p["text"], p.flag("show_alert")
	return true, nil
}
