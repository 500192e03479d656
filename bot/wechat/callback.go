package wechat

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"fanli/bot/callback"
)

// success is what the platform takes for "nothing to say"; it is never encrypted.
const success = "success"

// openWait is how long a delivery waits for Run to begin: a restart must not cost an
// answer.
const openWait = 3 * time.Second

// ServeHTTP takes the platform's callbacks. It answers a refused one with a status and
// nothing else.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := c.opts.Now()
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("a callback ended in a panic", "kind", "panic")
			c.refuse(w, callback.ErrPanic, http.StatusInternalServerError)
		}
	}()
	w.Header().Set("Cache-Control", "no-store")
	s, err := callback.Query(r)
	if err == nil {
		err = c.admit(s)
	}
	switch {
	case err != nil:
	case r.Method == http.MethodGet && s.Echo != "":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(s.Echo))
		return
	case r.Method != http.MethodPost || s.Echo != "":
		err = callback.ErrMethod
	default:
		err = c.post(w, r, s, began)
	}
	if err != nil {
		c.refuse(w, callback.ReasonOf(err), callback.StatusOf(err))
	}
}

// refuse turns a callback away.
func (c *Channel) refuse(w http.ResponseWriter, why callback.RefusalError, status int) {
	c.count("refused", string(why))
	c.log.Info("a callback was refused", "reason", string(why))
	w.WriteHeader(status)
}

// post takes a message.
func (c *Channel) post(w http.ResponseWriter, r *http.Request, s callback.Signed, began time.Time) error {
	body, err := callback.Read(w, r)
	if err != nil {
		return err
	}
	e, err := c.open(s, body)
	if err != nil {
		return err
	}
	in, err := c.incomingOf(e)
	if err != nil {
		return err
	}
	if in.failed == "" && c.gate.closed(in.from, began) && !c.jobs.has(in.id) { // nothing is even remembered of it
		c.reply(w, in, answer{way: wayFull})
		return nil
	}
	switch c.judge(r.Context(), s, body) {
	case callback.Replayed:
		return callback.ErrReplayed
	case callback.Redelivered: // as if it were signed anew: what it is of is known by its id
		c.count("redelivered", "alike")
	default:
	}
	c.count("heard", in.kin)
	run, err := c.enter(r.Context())
	if err != nil {
		return err
	}
	defer run.work.Done()
	a := c.answer(r.Context(), run, in, began)
	if len(a.more) > 0 {
		c.follow(r.Context(), in, a)
	}
	written := c.reply(w, in, a) && r.Context().Err() == nil
	switch {
	case written:
		c.copyAlone(run, in, a.copy)
	case a.saved != nil:
		c.rescue(run, in, *a.saved)
	}
	if written && a.told {
		if err := c.opts.Book.Told(r.Context(), in.from, in.id); err != nil {
			c.log.Warn("notices are told again: that they were is not kept", "error", err)
		}
	}
	return nil
}

// enter waits until the channel runs.
func (c *Channel) enter(ctx context.Context) (*running, error) {
	over := c.opts.After(openWait)
	for {
		run, opened := c.begin()
		if run != nil {
			return run, nil
		}
		select {
		case <-opened:
		case <-over:
			return nil, callback.ErrNotRunning
		case <-ctx.Done():
			return nil, callback.ErrNotRunning
		}
	}
}

// reply writes what a delivery is answered with, and reports whether an answer was
// written as far as that can be known: that it arrived is known to the platform alone.
func (c *Channel) reply(w http.ResponseWriter, in incoming, a answer) (written bool) {
	c.count("answered", string(a.way))
	if a.way == wayNone {
		w.WriteHeader(http.StatusServiceUnavailable) // it comes again
		return false
	}
	if a.text == "" && a.article == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(success))
		return false
	}
	b, err := c.passive(in, a)
	if err != nil {
		c.log.Error("an answer was not written", "error", err)
		_, _ = w.Write([]byte(success))
		return false
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b))) // or it would come in chunks when it is flushed
	if _, err = w.Write(b); err == nil {
		err = http.NewResponseController(w).Flush()
	}
	return err == nil || errors.Is(err, http.ErrNotSupported)
}
