package webchat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"fanli/core/fault"
)

// Limits of streams.
const (
	// streamsMax is how many pages of one chat are streamed to at once. A browser
	// opens six connections to a host, and one must be left for sending; the page
	// that was opened first gives way and comes back when it is looked at.
	streamsMax = 4
	// writeTimeout ends a stream whose reader does not read.
	writeTimeout = 20 * time.Second
	// retryMillis is how long a page waits before it reconnects by itself.
	retryMillis = 2000
)

// A stream is one page that is open.
type stream struct {
	woken chan struct{} // there may be something new
	moved chan struct{} // a newer page took its place
}

func (s *stream) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// serveEvents streams what is said in a chat: first what the page has missed,
// then what comes.
//
//	entry   something that was said; its id is where to resume
//	typing  true while an answer is being made
//	ready   everything that there was has been sent
//	ping    the stream lives
//	reset   what the page has seen is gone; it begins anew
//	moved   a newer page took this one's place; reconnect when it is looked at
func (c *Chat) serveEvents(w http.ResponseWriter, r *http.Request) {
	chat, ok := c.session(r)
	if !ok {
		c.refuse(w, "session", nil)
		return
	}
	after, given, ok := resumeAt(r)
	if !ok {
		c.refuse(w, "unreadable", nil)
		return
	}
	rm, s, floor, err := c.attend(r, chat)
	if err != nil {
		c.refuse(w, "down", err)
		return
	}
	defer c.depart(rm, s)
	lost := given && !c.has(r.Context(), chat, after)
	if !given || lost {
		after = floor
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	out := &writer{w: w, rc: http.NewResponseController(w)}
	out.raw(fmt.Sprintf("retry: %d\n\n", retryMillis))
	if lost {
		out.event("reset", 0, true)
	}
	c.follow(r, rm, s, out, after, floor)
}

// has reports whether a page that has seen everything up to a number is looking
// at the log that we have: it may have been emptied, or be another one.
func (c *Chat) has(ctx context.Context, chat string, after int64) bool {
	if after == 0 {
		return true
	}
	seqs, _, err := c.opts.Log.Since(ctx, chat, after-1, 1)
	return err != nil || len(seqs) == 1 && seqs[0] == after
}

// resumeAt reads from where a page wants to go on. given is false for a page
// that has nothing yet.
func resumeAt(r *http.Request) (after int64, given, ok bool) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	if text == "" {
		return 0, false, true
	}
	after, err := strconv.ParseInt(text, 10, 64)
	return after, true, err == nil && after >= 0
}

// attend adds a stream to a room, in the place of the oldest if there are too
// many.
func (c *Chat) attend(r *http.Request, chat string) (*room, *stream, int64, error) {
	select {
	case <-c.done:
		return nil, nil, 0, fault.New(fault.Unavailable, "webchat.closing")
	default:
	}
	rm, err := c.rooms.enter(chat)
	if err != nil {
		return nil, nil, 0, err
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if err := c.load(r.Context(), rm); err != nil {
		c.rooms.leave(rm)
		return nil, nil, 0, err
	}
	s := &stream{woken: make(chan struct{}, 1), moved: make(chan struct{})}
	if len(rm.streams) >= streamsMax {
		close(rm.streams[0].moved)
		rm.streams = rm.streams[1:]
	}
	rm.streams = append(slices.Clip(rm.streams), s)
	return rm, s, rm.floor, nil
}

func (c *Chat) depart(rm *room, s *stream) {
	rm.mu.Lock()
	rm.streams = slices.DeleteFunc(slices.Clone(rm.streams), func(o *stream) bool { return o == s })
	rm.mu.Unlock()
	c.rooms.leave(rm)
}

// follow writes until the page, the chat or the stream's turn ends.
func (c *Chat) follow(r *http.Request, rm *room, s *stream, out *writer, after, floor int64) {
	beat := time.NewTicker(c.opts.Heartbeat)
	defer beat.Stop()
	typing, greeted, asked := false, false, map[string]time.Time{}
	for {
		working, err := c.busy(r.Context(), rm)
		if err == nil {
			after, err = c.catchUp(r, rm.chat, out, after, asked)
			working = working || c.elsewhere(asked)
		}
		if err != nil {
			if r.Context().Err() == nil {
				c.opts.Logger.Error("a chat could not be read", "error", err)
			}
			return // the page comes back and goes on
		}
		if !greeted {
			out.event("ready", 0, map[string]bool{"earlier": floor > 0})
			greeted = true
		}
		if typing != working {
			typing = working
			out.event("typing", 0, typing)
		}
		if out.failed {
			return
		}
		select {
		case <-s.woken:
		case <-beat.C:
			out.event("ping", 0, true)
		case <-s.moved:
			out.event("moved", 0, true)
			return
		case <-r.Context().Done():
			return
		case <-c.done:
			return
		}
	}
}

// busy reports whether an answer is being made. It first reads the log again
// where an answer could not be kept.
func (c *Chat) busy(ctx context.Context, rm *room) (bool, error) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	err := c.load(ctx, rm)
	if err == nil {
		c.employ(rm) // messages that came before Run
	}
	return rm.working, err
}

// elsewhere reports whether another process is answering something that this page has
// seen. asked are the messages without an answer.
func (c *Chat) elsewhere(asked map[string]time.Time) bool {
	old := c.opts.Now().Add(-answerAgainFor)
	maps.DeleteFunc(asked, func(_ string, at time.Time) bool { return at.Before(old) })
	return c.opts.Others != nil && len(asked) > 0
}

// catchUp writes all entries after a number and returns the last one's, but for answers
// that say nothing. It notes in asked what has no answer yet.
func (c *Chat) catchUp(r *http.Request, chat string, out *writer, after int64, asked map[string]time.Time) (int64, error) {
	for !out.failed {
		es, last, err := c.read(r.Context(), chat, after, readMax)
		if err != nil || last == after {
			return after, err
		}
		for _, e := range es {
			if !e.silent() {
				out.event("entry", e.Seq, c.public(e))
			}
			if e.From == fromUser {
				asked[e.ID] = e.At
			}
			delete(asked, e.To)
		}
		after = last
	}
	return after, nil
}

// A writer writes events. After a failure it writes nothing more.
type writer struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	failed bool
}

func (o *writer) event(name string, id int64, v any) {
	data, err := json.Marshal(v)
	if err != nil { // entries came from JSON
		o.failed = true
		return
	}
	line := "event: " + name + "\ndata: " + string(data) + "\n\n"
	if id > 0 {
		line = "id: " + strconv.FormatInt(id, 10) + "\n" + line
	}
	o.raw(line)
}

func (o *writer) raw(s string) {
	if o.failed {
		return
	}
	// Servers without deadlines (in tests) say so; that is no failure.
	_ = o.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := o.w.Write([]byte(s)); err != nil {
		o.failed = true
		return
	}
	o.failed = o.rc.Flush() != nil
}
