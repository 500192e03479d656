package kffake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// patience is how long WeCom waits for an answer.
const patience = 5 * time.Second

// replayAfter is how long a request is kept before it is replayed.
const replayAfter = 30 * time.Second

// answerMax bounds how much of an answer is read.
const answerMax = 1 << 16

// A Delivery is one callback.
type Delivery struct {
	Status int    // 0: there was no answer
	Body   string // as it came
	Err    string // why there was none
}

// push tells the callback that there is something to read.
func (s *Server) push(ctx context.Context) Delivery {
	s.mu.Lock()
	hints := s.hints
	s.mu.Unlock()
	if hints == Lost {
		return Delivery{Err: "lost"}
	}
	w := s.wrap(s.event(s.cfg.CorpID), s.cfg.Now())
	d := s.deliver(ctx, http.MethodPost, w)
	switch hints {
	case Doubled:
		d = s.deliver(ctx, http.MethodPost, s.wrap(s.event(s.cfg.CorpID), s.cfg.Now()))
	case Alike:
		d = s.deliver(ctx, http.MethodPost, w)
	default:
	}
	return d
}

// event is what a callback says, before it is encrypted.
func (s *Server) event(corp string) string {
	token := "ENC" + tencentfake.Random(60)
	s.mu.Lock()
	s.syncs[token] = s.cfg.Now().Add(syncLife)
	s.mu.Unlock()
	return "<xml>" + cdata("ToUserName", corp) + fmt.Sprintf("<CreateTime>%d</CreateTime>", s.cfg.Now().Unix()) + cdata("MsgType", "event") +
		cdata("Event", "kf_msg_or_event") + cdata("Token", token) + cdata("OpenKfId", s.cfg.OpenKfID) + "</xml>"
}

func cdata(name, text string) string { return "<" + name + "><![CDATA[" + text + "]]></" + name + ">" }

// A wire is one request to the callback, before it is sent.
type wire struct {
	query url.Values
	body  []byte
}

// wrap makes the request of a callback.
func (s *Server) wrap(event string, at time.Time) wire {
	return s.sealed(s.crypt.Seal(tencentfake.Random16(), []byte(event), s.cfg.CorpID), at)
}

// sealed makes the request of what is encrypted.
func (s *Server) sealed(text string, at time.Time) wire {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), tencentfake.Random(10)
	return wire{
		url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "msg_signature": {s.crypt.Sign(timestamp, nonce, text)}},
		[]byte("<xml>" + cdata("ToUserName", s.cfg.CorpID) + cdata("Encrypt", text) + cdata("AgentID", "") + "</xml>"),
	}
}

// errPatience is why a delivery was given up.
var errPatience = errors.New("no answer in time")

// deliver sends a request and waits for its answer no longer than WeCom does.
func (s *Server) deliver(ctx context.Context, method string, w wire) (d Delivery) {
	s.mu.Lock()
	callback, client := s.callback, s.client
	s.mu.Unlock()
	if callback == "" {
		return Delivery{Err: "there is no callback"}
	}
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
	r, err := http.NewRequestWithContext(ctx, method, callback+"?"+w.query.Encode(), bytes.NewReader(w.body))
	if err != nil {
		return Delivery{Err: err.Error()}
	}
	r.Header.Set("User-Agent", "Mozilla/4.0")
	r.Header.Set("Content-Type", "text/xml")
	resp, err := client.Do(r)
	if err != nil {
		return Delivery{Err: err.Error()}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerMax))
	if err != nil {
		return Delivery{Err: err.Error()}
	}
	return Delivery{Status: resp.StatusCode, Body: string(b)}
}

// Check is the console's test of the callback's address: nil if it gives back what it is
// sent encrypted, and only that.
func (s *Server) Check(ctx context.Context) error {
	echo := tencentfake.Random(19)
	w := s.echo(echo)
	d := s.deliver(ctx, http.MethodGet, w)
	if d.Status != http.StatusOK || d.Body != echo {
		return fmt.Errorf("the callback answers %d %q %s, not %q", d.Status, d.Body, d.Err, echo)
	}
	w = s.echo(echo)
	w.query.Set("msg_signature", strings.Repeat("0", 40))
	if d := s.deliver(ctx, http.MethodGet, w); d.Status == http.StatusOK || d.Body == echo {
		return errors.New("the callback answers what is not signed")
	}
	return nil
}

func (s *Server) echo(text string) wire {
	sealed := s.crypt.Seal(tencentfake.Random16(), []byte(text), s.cfg.CorpID)
	w := s.sealed(sealed, s.cfg.Now())
	w.query.Set("echostr", sealed)
	w.body = nil
	return w
}

// Forgeries returns the names of all ways in which Forge can be wrong. All must be refused.
func Forgeries() []string {
	return []string{
		"signature", "no signature", "corp", "inner corp", "truncated", "padding", "stale", "future", "replayed", "reused", "unencrypted", "plain",
		"DTD", "duplicate", "second root", "deep", "oversized", "not XML", "empty", "nothing inside", "query twice",
	}
}

// Forge sends a callback that is not WeCom's, or not any more, and says what came back.
func (s *Server) Forge(ctx context.Context, how string) Delivery {
	now, event := s.cfg.Now(), s.event(s.cfg.CorpID)
	w := s.wrap(event, now)
	switch how {
	case "signature":
		w.query.Set("msg_signature", strings.Repeat("0", 40))
	case "no signature":
		w.query = url.Values{}
	case "query twice":
		w.query.Add("nonce", "another")
	case "corp":
		w = s.sealed(s.crypt.Seal(tencentfake.Random16(), []byte(event), "ww0000000000000000"), now)
	case "truncated":
		text := s.crypt.Seal(tencentfake.Random16(), []byte(event), s.cfg.CorpID)
		w = s.sealed(text[:len(text)-7], now)
	case "padding":
		w = s.sealed(s.crypt.Encrypt(append(make([]byte, tencentfake.PadTo-1), 77)), now)
	case "stale":
		w = s.wrap(event, now.Add(-time.Hour))
	case "future":
		w = s.wrap(event, now.Add(time.Hour))
	case "replayed":
		s.deliver(ctx, http.MethodPost, w)
		select { // no redelivery comes as late
		case <-s.cfg.After(replayAfter):
		case <-ctx.Done():
		}
	case "reused":
		s.deliver(ctx, http.MethodPost, w)
		w.body = bytes.Replace(w.body, []byte("</xml>"), []byte(cdata("Padding", "x")+"</xml>"), 1)
	case "unencrypted":
		w.body = []byte(event)
	case "plain":
		w.body = []byte("<xml>" + cdata("Encrypt", event[:0]) + "</xml>")
	case "empty":
		w.body = nil
	default:
		w = s.wrap(s.odd(how, event), now)
	}
	return s.deliver(ctx, http.MethodPost, w)
}

// odd is an event that is well encrypted and signed, and not what WeCom writes.
func (s *Server) odd(how, event string) string {
	switch how {
	case "inner corp":
		return s.event("ww0000000000000000")
	case "DTD":
		return `<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa">]>` + event
	case "duplicate":
		return strings.Replace(event, "</xml>", cdata("Token", "x")+"</xml>", 1)
	case "second root":
		return event + event
	case "deep":
		return "<xml>" + strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000) + strings.TrimPrefix(event, "<xml>")
	case "oversized":
		return strings.Replace(event, "</xml>", cdata("Padding", strings.Repeat("x", 1<<18))+"</xml>", 1)
	case "nothing inside":
		return "<xml></xml>"
	default:
		return `{"MsgType":"event"}`
	}
}

// after tells of the event that a call has caused.
func (s *Server) after(ctx context.Context) {
	s.mu.Lock()
	owed := s.owed
	s.owed = false
	s.mu.Unlock()
	if owed {
		go s.push(context.WithoutCancel(ctx))
	}
}
