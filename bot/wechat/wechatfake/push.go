package wechatfake

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// answerMax bounds how much of an answer is read.
const answerMax = 1 << 20

// A Delivery is one try to hand a message over.
type Delivery struct {
	At       time.Time
	Status   int    // 0: there was no answer
	Body     string // as it came
	Err      string // why there was none
	TimedOut bool   // because five seconds were over
}

// A Verdict is what became of a message in the person's chat.
type Verdict string

// The verdicts.
const (
	Silent  Verdict = "silent"  // nothing was to be said
	Shown   Verdict = "shown"   // the answer is in the chat
	Faulted Verdict = "faulted" // the chat says that the service is out of order
)

// An Outcome is all that became of a message.
type Outcome struct {
	Deliveries []Delivery
	Verdict    Verdict
	Why        string // what was wrong; or what was odd and borne
	Seen       Seen   // what is in the chat now
}

// Answered is which delivery was answered, from 1; 0: none was.
func (o Outcome) Answered() int {
	if n := len(o.Deliveries); n > 0 && o.Deliveries[n-1].Status == http.StatusOK {
		return n
	}
	return 0
}

// push delivers a message, again and again until it is answered, and lets the person
// see what came of it.
func (s *Server) push(ctx context.Context, m message) Outcome {
	var o Outcome
	w := s.wrap(m)
	for len(o.Deliveries) < s.cfg.Tries && ctx.Err() == nil {
		if len(o.Deliveries) > 0 && !s.cfg.Alike {
			w = s.wrap(m)
		}
		s.remember(m, w)
		d := s.deliver(ctx, http.MethodPost, w)
		o.Deliveries = append(o.Deliveries, d)
		if d.Status == http.StatusOK {
			o.Verdict, o.Why, o.Seen = s.judge(m, []byte(d.Body))
			return s.settle(m, o)
		}
	}
	o.Verdict, o.Why = Faulted, "no answer"
	return s.settle(m, o)
}

// settle lets the person see an outcome.
func (s *Server) settle(m message, o Outcome) Outcome {
	if o.Verdict == Faulted {
		o.Seen = Seen{By: "notice", Kind: "text", Text: Notice}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.person(m.from)
	if o.Verdict == Silent || m.aside || !p.following { // who has gone sees nothing
		return o
	}
	s.show(p, o.Seen)
	o.Seen = p.seen[len(p.seen)-1]
	return o
}

// A wire is one request to the callback, before it is sent.
type wire struct {
	query url.Values
	body  []byte
}

// wrap makes the request of a delivery: each has its own time, nonce and random bytes.
func (s *Server) wrap(m message) wire {
	s.mu.Lock()
	mode := s.mode
	s.mu.Unlock()
	nodes := m.all(s.cfg.Account)
	w := s.signed(s.cfg.Now())
	w.query.Set("openid", m.from)
	if mode == Plain {
		w.body = render(nodes)
		return w
	}
	sealed := s.crypt.Seal(tencentfake.Random16(), render(nodes), s.cfg.AppID)
	w.seal(s.crypt, sealed)
	if mode == Compatible {
		w.body = render(append(nodes, textNode("Encrypt", sealed)))
		return w
	}
	w.body = render([]node{textNode("ToUserName", s.cfg.Account), textNode("Encrypt", sealed)})
	return w
}

// signed is a request with nothing in it, at a time.
func (s *Server) signed(at time.Time) wire {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), number()
	return wire{query: url.Values{
		"timestamp": {timestamp}, "nonce": {nonce}, "signature": {s.crypt.Sign(timestamp, nonce)},
	}}
}

// seal says in the query that the body is encrypted.
func (w wire) seal(c tencentfake.Crypter, sealed string) {
	w.query.Set("encrypt_type", "aes")
	w.query.Set("msg_signature", c.Sign(w.query.Get("timestamp"), w.query.Get("nonce"), sealed))
}

// number is a nonce as the platform makes them.
func number() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // it never fails
	return fmt.Sprint(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]) | 1)
}

// errPatience is why a delivery was given up.
var errPatience = errors.New("no answer in time")

// deliver sends a request and waits for its answer no longer than the platform does.
func (s *Server) deliver(ctx context.Context, method string, w wire) Delivery {
	s.mu.Lock()
	callback, client := s.callback, s.client
	s.mu.Unlock()
	d := Delivery{At: s.cfg.Now()}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	over := s.cfg.After(patience)
	go func() {
		select {
		case <-over:
			stop(errPatience)
		case <-ctx.Done():
		}
	}()
	var body io.Reader
	if w.body != nil {
		body = bytes.NewReader(w.body)
	}
	r, err := http.NewRequestWithContext(ctx, method, callback+"?"+w.query.Encode(), body)
	if err != nil {
		d.Err = err.Error()
		return d
	}
	r.Header.Set("User-Agent", "Mozilla/4.0")
	if w.body != nil {
		r.Header.Set("Content-Type", "text/xml")
	}
	resp, err := client.Do(r)
	var answer []byte
	if err == nil {
		answer, err = io.ReadAll(io.LimitReader(resp.Body, answerMax))
		_ = resp.Body.Close() // it has been read
	}
	if err != nil {
		d.Err, d.TimedOut = err.Error(), errors.Is(context.Cause(ctx), errPatience)
		return d
	}
	d.Status, d.Body = resp.StatusCode, string(answer)
	return d
}

// Check is the console's test of the callback's address: nil if it gives back what it
// is sent, and only that.
func (s *Server) Check(ctx context.Context) error {
	w := s.signed(s.cfg.Now())
	echo := number() + number()
	w.query.Set("echostr", echo)
	d := s.deliver(ctx, http.MethodGet, w)
	if d.Status != http.StatusOK || d.Body != echo {
		return fmt.Errorf("the callback answers %d %q %s, not %q", d.Status, d.Body, d.Err, echo)
	}
	return nil
}
