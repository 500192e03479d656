package telegram

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/fault"
)

// The limits of polling.
const (
	pageMax  = 100              // updates of one poll, Telegram's limit
	pollSecs = 50               // how long Telegram parks a poll, its limit
	pollTime = 65 * time.Second // then the connection is dead

	// againAfter is when what is being worked on is looked at again while
	// nothing has moved. Telegram answers the same offset within half a second
	// with one update only.
	againAfter = 600 * time.Millisecond
	pollGap    = 50 * time.Millisecond // between polls while much is moving

	// An empty answer before emptyMin is that of a server that does not park;
	// it is asked again after emptyRest.
	emptyMin  = 100 * time.Millisecond
	emptyRest = 300 * time.Millisecond

	// slowMax is how long the oldest update may hold up those that do not fit
	// on its page.
	slowMax = 10 * time.Second
)

// wanted are the kinds of updates that we read, as Telegram keeps them from one
// poll to the next.
const wanted = `["message","edited_message","callback_query","my_chat_member"]`

// poll receives updates until ctx ends; it fails if the token is refused.
func (s *session) poll(ctx context.Context) error {
	w := newWaits()
	for ctx.Err() == nil {
		s.save(ctx)
		asked, began := s.progress.offset(), s.now()
		page, err := s.updates(ctx, asked)
		if err == nil {
			w.reset()
			s.admit(ctx, page)
			s.rest(ctx, asked, len(page), s.now().Sub(began))
			continue
		}
		if ctx.Err() != nil || fault.Is(err, fault.Denied) {
			return err
		}
		d := w.after(err)
		s.complain(err, d)
		sleep(ctx, d)
	}
	return nil
}

// complain says why there are no messages. A conflict needs a person.
func (s *session) complain(err error, wait time.Duration) {
	if fault.Is(err, fault.Conflict) {
		s.log.Error("somebody else receives this bot's messages: stop the other program that uses its token, "+
			"or delete its webhook", "error", err, "wait", wait)
		return
	}
	s.log.Warn("polling fails; trying again", "error", err, "wait", wait)
}

// updates asks for what is not confirmed, and confirms what is before offset.
func (s *session) updates(ctx context.Context, offset int64) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	p := tgbotapi.Params{
		"timeout": strconv.Itoa(pollSecs), "limit": strconv.Itoa(pageMax), "allowed_updates": wanted,
	}
	p.AddNonZero64("offset", offset)
	var page []json.RawMessage
	return page, s.do(ctx, "getUpdates", p, &page)
}

// admit hands the new updates of a page to their chats. What does not fit now is
// left with Telegram, which hands it out again.
func (s *session) admit(ctx context.Context, page []json.RawMessage) {
	dropped := 0
	defer func() {
		if dropped > 0 {
			s.log.Warn("a chat has too many unanswered messages; the latest are dropped", "count", dropped)
		}
	}()
	for _, raw := range page {
		if s.queues.full() {
			return
		}
		var id struct {
			ID int64 `json:"update_id"`
		}
		if err := json.Unmarshal(raw, &id); err != nil || id.ID <= 0 {
			s.log.Error("an update without a number is skipped")
			continue
		}
		if !s.progress.admit(id.ID, s.now()) {
			continue
		}
		in, ok := s.read(ctx, raw)
		if !ok {
			s.progress.finish(id.ID)
			continue
		}
		in.update = id.ID
		if !s.queues.add(in) {
			dropped++
			s.progress.finish(id.ID)
		}
	}
}

// read understands an update; it reports false for what is not for us.
func (s *session) read(ctx context.Context, raw json.RawMessage) (incoming, bool) {
	var u update
	if err := json.Unmarshal(raw, &u); err != nil {
		s.log.Error("an update of an unknown form is skipped", "bytes", len(raw))
		return incoming{}, false
	}
	if err := s.note(ctx, u); err != nil && u.news() {
		s.log.Warn("what an update says of a chat cannot be kept", "error", err)
	}
	return s.understand(u)
}

// rest keeps the loop from spinning. As long as anything on the page is being
// worked on, Telegram answers at once with the same page.
func (s *session) rest(ctx context.Context, asked int64, size int, took time.Duration) {
	if size == 0 {
		if took < emptyMin {
			sleep(ctx, emptyRest)
		}
		return
	}
	if size >= pageMax {
		if n := s.progress.pass(s.now().Add(-slowMax)); n > 0 {
			s.log.Warn("slow messages hold up others and are confirmed before they are answered", "count", n)
		}
	}
	sleep(ctx, pollGap)
	again := time.NewTimer(againAfter)
	defer again.Stop()
	for ctx.Err() == nil && s.progress.offset() == asked {
		select {
		case <-s.progress.moved:
		case <-again.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
