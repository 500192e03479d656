package kf

import (
	"net/http"
	"strconv"
	"time"

	"fanli/bot/callback"
)

// success is what WeCom takes for "nothing to say".
const success = "success"

// told is the event that says that there is something to read.
const told = "kf_msg_or_event"

// syncTokenLife is how long the token of a callback can be read with.
const syncTokenLife = 10 * time.Minute

// syncTokenMax bounds such a token, in bytes.
const syncTokenMax = 128

// A hint is what a callback says.
type hint struct {
	token string
	until time.Time
}

// ServeHTTP takes WeCom's callbacks. It answers a refused one with a status and nothing
// else.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("a callback ended in a panic", "kind", "panic")
			c.refuse(w, callback.ErrPanic, http.StatusInternalServerError)
		}
	}()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	body, err := c.admit(w, r)
	if err != nil {
		w.Header().Del("Content-Type")
		c.refuse(w, callback.ReasonOf(err), callback.StatusOf(err))
		return
	}
	_, _ = w.Write(body) //nolint:gosec // what WeCom has signed and encrypted, as plain text
}

// refuse turns a callback away.
func (c *Channel) refuse(w http.ResponseWriter, why callback.RefusalError, status int) {
	c.opts.Count("refused", string(why))
	c.log.Info("a callback was refused", "reason", string(why))
	w.WriteHeader(status)
}

// admit checks a callback, does what it says, and returns what it is answered with.
func (c *Channel) admit(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	s, err := callback.Query(r)
	if err != nil {
		return nil, err
	}
	if s.Timestamp == "" || s.Nonce == "" || s.Message == "" {
		return nil, callback.ErrQuery
	}
	switch {
	case r.Method == http.MethodGet && s.Echo != "":
		return c.echo(s)
	case r.Method != http.MethodPost || s.Echo != "":
		return nil, callback.ErrMethod
	}
	body, err := callback.Read(w, r)
	if err != nil {
		return nil, err
	}
	event, err := c.open(s, body)
	if err != nil {
		return nil, err
	}
	switch c.seen.Judge(r.Context(), Name, s, body, c.opts.Cache, c.opts.Now()) {
	case callback.Replayed:
		return nil, callback.ErrReplayed
	case callback.Redelivered: // who heard it before may have died since; to read twice finds nothing
		c.opts.Count("redelivered", "alike")
	default:
	}
	return []byte(success), c.hear(event)
}

// echo answers the console's test of our address: with what it has encrypted.
func (c *Channel) echo(s callback.Signed) ([]byte, error) {
	plain, err := c.keys().Open(s, s.Echo)
	if err == nil {
		err = s.Fresh(c.opts.Now())
	}
	return plain, err
}

// open returns the event in a body.
func (c *Channel) open(s callback.Signed, body []byte) (*callback.Element, error) {
	outer, err := callback.Parse(body)
	if err != nil {
		return nil, err
	}
	sealed := outer.Find("Encrypt")
	if sealed == "" {
		return nil, callback.ErrPlain
	}
	raw, err := c.keys().Open(s, sealed) // the library's GetCallbackMessage looks at no signature
	if err != nil {
		return nil, err
	}
	if err := s.Fresh(c.opts.Now()); err != nil {
		return nil, err
	}
	inner, err := callback.Parse(raw)
	if err != nil {
		return nil, err
	}
	if to := outer.Child("ToUserName"); to != nil && outer.Find("ToUserName") != inner.Find("ToUserName") {
		return nil, callback.ErrDiffers
	}
	return inner, nil
}

// hear does what an event says. Those of other kinds come to the same address, and are no
// concern of ours.
func (c *Channel) hear(e *callback.Element) error {
	if _, err := strconv.ParseInt(e.Find("CreateTime"), 10, 64); err != nil || e.Find("MsgType") == "" {
		return callback.ErrMessage
	}
	if e.Find("ToUserName") != c.opts.CorpID {
		return callback.ErrAccount
	}
	if e.Find("MsgType") != "event" || e.Find("Event") != told {
		c.opts.Count("heard", "other_event")
		return nil
	}
	if e.Find("OpenKfId") != c.opts.OpenKfID {
		c.opts.Count("heard", "other_account")
		return nil
	}
	token := e.Find("Token")
	if len(token) > syncTokenMax {
		return callback.ErrMessage
	}
	c.opts.Count("heard", "hint")
	c.hint.Store(&hint{token, c.opts.Now().Add(syncTokenLife)})
	c.wake()
	return nil
}

// wake has messages read soon.
func (c *Channel) wake() {
	select {
	case c.hinted <- struct{}{}:
	default: // somebody has done it already
	}
}
