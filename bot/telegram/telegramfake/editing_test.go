package telegramfake_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot/telegram/telegramfake"
)

func TestEditing(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	call(t, s, "sendMessage", "chat_id", "1001", "text", "one")
	id := fmt.Sprint(s.Sent(ann)[0].ID)
	got := call(t, s, "editMessageText", "chat_id", "1001", "message_id", id, "text", "one")
	if got.Code != 400 || !strings.HasPrefix(got.Description, "Bad Request: message is not modified: ") {
		t.Errorf("the same text answered %+v", got)
	}
	call(t, s, "editMessageText", "chat_id", "1001", "message_id", id, "text", "two", "reply_markup", `{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}`)
	if m := s.Sent(ann)[0]; m.Text != "two" || !m.Edited || len(m.Flat()) != 1 {
		t.Errorf("ann sees %+v", m)
	}
	call(t, s, "editMessageReplyMarkup", "chat_id", "1001", "message_id", id)
	if m := s.Sent(ann)[0]; m.Text != "two" || len(m.Flat()) != 0 {
		t.Errorf("ann sees %+v", m)
	}
	call(t, s, "deleteMessage", "chat_id", "1001", "message_id", id)
	if len(s.Sent(ann)) != 0 {
		t.Error("the message is still there")
	}
}

func TestDeleting(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	s := telegramfake.New(telegramfake.Config{Now: func() time.Time { return now }})
	s.Group(-42, "G")
	remove := func(chat, id int64) result {
		return call(t, s, "deleteMessage", "chat_id", fmt.Sprint(chat), "message_id", fmt.Sprint(id))
	}
	theirs, early := s.Say(ann, "/help", telegramfake.In(-42)), s.Say(ann, "x")
	call(t, s, "sendMessage", "chat_id", "-42", "text", "ours")
	wantFailure(t, remove(-42, theirs), 400, "Bad Request: message can't be deleted")
	for _, r := range []result{remove(-42, s.Sent(-42)[0].ID), remove(ann, s.Say(ann, "y"))} {
		if !r.OK {
			t.Errorf("what may be deleted: %+v", r)
		}
	}
	s.Promote(-42, s.BotID())
	if r := remove(-42, theirs); !r.OK {
		t.Errorf("by an administrator: %+v", r)
	}
	now = now.Add(49 * time.Hour)
	wantFailure(t, remove(ann, early), 400, "Bad Request: message can't be deleted")
}

func TestFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := telegramfake.New(telegramfake.Config{Flood: true})
		s.Say(ann, "/start")
		var last result
		for range 6 {
			last = call(t, s, "sendMessage", "chat_id", "1001", "text", "x")
		}
		wantFailure(t, last, 429, "Too Many Requests: retry after 2")
		edit := call(t, s, "editMessageText", "chat_id", "1001", "message_id", fmt.Sprint(s.Sent(ann)[0].ID), "text", "y")
		wantFailure(t, edit, 429, "Too Many Requests: retry after 2")
		if last.Parameters.RetryAfter != 2 {
			t.Errorf("retry_after is %d", last.Parameters.RetryAfter)
		}
		time.Sleep(2 * time.Second)
		if got := call(t, s, "sendMessage", "chat_id", "1001", "text", "x"); !got.OK {
			t.Errorf("after waiting: %+v", got)
		}
	})
}
