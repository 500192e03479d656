package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanli/bot"
)

// A caller is a person in the web chat, over HTTP. Whatever happens to the
// service, they send the same message under the same id until it is taken, and
// look until the answer is there.
type caller struct {
	where   func(ctx context.Context) (base string, err error) // where the service is now
	http    *http.Client
	session string
	count   int
	last    int64           // number of the newest entry that was seen
	heard   map[string]said // answers, by the id of the question
	notices []said          // what was told unasked
	sent    map[string]string
	sending func() // hears of every message that leaves; may be nil
}

// said is one entry of the chat.
type said struct {
	Seq   int64
	From  string
	ID    string
	To    string
	Text  string
	Reply bot.Reply
}

var (
	errGone  = errors.New("the service forgot what it had shown")
	errTwice = errors.New("shown twice, or out of order")
)

// newCaller returns a caller of whatever where says.
func newCaller(where func(context.Context) (string, error)) *caller {
	return &caller{
		where: where, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		heard: map[string]said{}, sent: map[string]string{},
	}
}

// callerAt returns a caller of one process.
func callerAt(base string) *caller {
	return newCaller(func(context.Context) (string, error) { return base, nil })
}

// pause lets a service that has just died come back.
const pause = 5 * time.Millisecond

// again runs try until it succeeds, ctx ends, or what is wrong cannot be cured.
func again(ctx context.Context, try func(base string) error, where func(context.Context) (string, error)) error {
	for {
		base, err := where(ctx)
		if err != nil {
			return err
		}
		err = try(base)
		if err == nil || errors.Is(err, errGone) || errors.Is(err, errTwice) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// request makes a request with the caller's session.
func (c *caller) request(ctx context.Context, method, url string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.session != "" {
		req.Header.Set("Cookie", c.session)
	}
	return c.http.Do(req)
}

// enter opens the page, which makes the session.
func (c *caller) enter(ctx context.Context) error {
	return again(ctx, func(base string) error {
		resp, err := c.request(ctx, http.MethodGet, base+"/", nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		for _, k := range resp.Cookies() {
			c.session = k.Name + "=" + k.Value
		}
		if c.session == "" {
			return fmt.Errorf("no session: %s", resp.Status)
		}
		return nil
	}, c.where)
}

// post sends a message until it is taken.
func (c *caller) post(ctx context.Context, text string) (id string, err error) {
	if c.session == "" {
		if err := c.enter(ctx); err != nil {
			return "", err
		}
	}
	c.count++
	id = fmt.Sprintf("message-%06d", c.count)
	body, err := json.Marshal(map[string]string{"id": id, "text": text, "lang": "zh"})
	if err != nil {
		return "", err
	}
	c.sent[id] = text
	return id, again(ctx, func(base string) error {
		if c.sending != nil {
			c.sending()
		}
		resp, err := c.request(ctx, http.MethodPost, base+"/api/messages", strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			return fmt.Errorf("not taken: %s", resp.Status)
		}
		return nil
	}, c.where)
}

// ask sends a message and waits for its answer.
func (c *caller) ask(ctx context.Context, text string) (bot.Reply, error) {
	id, err := c.post(ctx, text)
	if err != nil {
		return bot.Reply{}, fmt.Errorf("%q: %w", text, err)
	}
	return c.answer(ctx, id)
}

// answer waits for the answer to a message.
func (c *caller) answer(ctx context.Context, id string) (bot.Reply, error) {
	err := c.until(ctx, func() bool { _, ok := c.heard[id]; return ok })
	if err != nil {
		return bot.Reply{}, fmt.Errorf("%q is not answered: %w", c.sent[id], err)
	}
	return c.heard[id].Reply, nil
}

// notice waits until something else than an answer has come that was not seen
// before.
func (c *caller) notice(ctx context.Context) error {
	n := len(c.notices)
	return c.until(ctx, func() bool { return len(c.notices) > n })
}

// until looks at the chat until a condition holds.
func (c *caller) until(ctx context.Context, holds func() bool) error {
	if holds() {
		return nil
	}
	return again(ctx, func(base string) error {
		return c.follow(ctx, fmt.Sprintf("%s/api/events?after=%d", base, c.last), func(name string, s said) (bool, error) {
			if name != "entry" {
				return false, nil
			}
			return c.see(s, holds)
		})
	}, c.where)
}

// see remembers an entry, which must be a new one.
func (c *caller) see(s said, holds func() bool) (done bool, err error) {
	if s.Seq <= c.last {
		return false, fmt.Errorf("%w: entry %d after %d", errTwice, s.Seq, c.last)
	}
	c.last = s.Seq
	switch {
	case s.From == "user":
	case s.To == "":
		c.notices = append(c.notices, s)
	default:
		if old, ok := c.heard[s.To]; ok {
			return false, fmt.Errorf("%w: %s is answered by %d and %d", errTwice, s.To, old.Seq, s.Seq)
		}
		c.heard[s.To] = s
	}
	return holds(), nil
}

// history returns the whole chat, as a page that has nothing yet sees it.
func (c *caller) history(ctx context.Context) (all []said, err error) {
	err = again(ctx, func(base string) error {
		all = nil
		return c.follow(ctx, base+"/api/events?after=0", func(name string, s said) (bool, error) {
			if name == "entry" {
				all = append(all, s)
			}
			return name == "ready", nil
		})
	}, c.where)
	return all, err
}

// follow reads events until each says that it is done. An end of the stream
// before that is an error.
func (c *caller) follow(ctx context.Context, url string, each func(name string, s said) (done bool, err error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.request(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("no stream: %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	name, s := "", said{}
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "event":
			name, s = value, said{}
		case "data":
			if name == "entry" {
				if err := json.Unmarshal([]byte(value), &s); err != nil {
					return fmt.Errorf("%q: %w", value, err)
				}
			}
		case "":
			if name == "reset" {
				return errGone
			}
			if done, err := each(name, s); done || err != nil {
				return err
			}
			name = ""
		}
	}
	return errors.Join(errors.New("the stream ended"), lines.Err())
}

// shopLink is where a card leads.
func shopLink(r bot.Reply) string {
	for _, card := range r.Cards {
		for _, b := range card.Buttons {
			if b.URL != "" {
				return b.URL
			}
		}
	}
	return ""
}

// mustAsk is ask for a test that needs the answer.
func (c *caller) mustAsk(t testing.TB, text string) bot.Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := c.ask(ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
