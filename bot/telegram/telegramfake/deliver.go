package telegramfake

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// How the server tries again: at once, after two seconds, then twice as long each
// time, up to a minute or two.
const (
	hookRetryFirst  = 2 * time.Second
	hookRetryLeast  = time.Minute // of the longest wait, which differs from update to update
	hookRetrySpread = time.Minute
	hookRetryAfter  = time.Hour // a longer wish is not granted
	hookGoneAfter   = 23 * time.Hour
	hookTime        = time.Minute // then there is no answer
	hookAnswerMax   = 1 << 20
)

// pump begins to deliver where something waits and nobody delivers. The server is
// locked.
func (s *Server) pump() {
	h := s.hook
	if h == nil {
		return
	}
	for _, u := range s.queue {
		if h.busy[u.lane] {
			continue
		}
		h.busy[u.lane] = true
		s.delivering.Go(func() { s.lane(h, u.lane) })
	}
}

// lane delivers the updates of one queue, one after the other, until there are none.
func (s *Server) lane(h *hook, id int64) {
	tries := 0
	for {
		u, ok := s.headOf(h, id)
		if !ok {
			return
		}
		select {
		case h.room <- struct{}{}:
		case <-h.life.Done():
			return
		}
		status, wish, err := s.hand(h, u)
		<-h.room
		if h.life.Err() != nil {
			return
		}
		if s.handed(h, u, status, err) {
			tries = 0
			continue
		}
		tries++
		if !s.sleep(h.life, backoff(u.id, tries, wish)) {
			return
		}
	}
}

// headOf returns the first update of a queue; its deliverer goes when there is none.
func (s *Server) headOf(h *hook, id int64) (queued, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hook != h {
		return queued{}, false
	}
	s.age()
	at := slices.IndexFunc(s.queue, func(u queued) bool { return u.lane == id })
	if at < 0 {
		delete(h.busy, id)
		s.announce()
		return queued{}, false
	}
	return s.queue[at], true
}

// age forgets what is too old.
func (s *Server) age() {
	oldest := s.cfg.Now().Add(-updateAgeMax)
	s.queue = slices.DeleteFunc(s.queue, func(u queued) bool { return u.at.Before(oldest) })
}

// backoff is how long to wait after the n-th failure.
func backoff(id int64, n int, wish time.Duration) time.Duration {
	if wish > 0 {
		return min(wish, hookRetryAfter)
	}
	if n == 1 {
		return 0
	}
	most := hookRetryLeast + time.Duration(id%int64(hookRetrySpread/time.Second))*time.Second
	return min(hookRetryFirst<<min(n-2, 10), most)
}

// sleep waits on the server's clock and reports whether life goes on then.
func (s *Server) sleep(life context.Context, d time.Duration) bool {
	if d <= 0 {
		return life.Err() == nil
	}
	select {
	case <-s.cfg.After(d):
		return true
	case <-life.Done():
		return false
	}
}

// hand hands an update over. wish is how long the other side wants to be left alone.
func (s *Server) hand(h *hook, u queued) (status int, wish time.Duration, err error) {
	ctx, cancel := context.WithTimeout(h.life, hookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(u.body))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Encoding", "gzip, deflate")
	if h.secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	resp, err := s.cfg.HookClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, hookAnswerMax))
	if err != nil {
		return 0, 0, err
	}
	if accepted(resp.StatusCode) {
		s.obey(ctx, resp.Header.Get("Content-Type"), body)
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return resp.StatusCode, time.Duration(max(seconds, 0)) * time.Second, nil
}

func accepted(status int) bool { return status/100 == 2 }

// handed notes what came of a delivery and reports whether the update is accepted.
func (s *Server) handed(h *hook, u queued, status int, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.announce()
	now := s.cfg.Now()
	s.deliveries = append(s.deliveries, Delivery{Update: u.id, Body: u.body, Status: status, At: now})
	if s.hook != h {
		return false
	}
	if h.gone(status, now) {
		s.unhook()
		return false
	}
	switch {
	case err != nil:
		h.failed, h.failedAt = "Connection refused", now
		return false
	case !accepted(status):
		h.failed, h.failedAt = "Wrong response from the webhook: "+strconv.Itoa(status)+" "+http.StatusText(status), now
		return false
	}
	s.queue = slices.DeleteFunc(s.queue, func(other queued) bool { return other.id == u.id })
	return true
}

// obey calls the method that an answer to a delivery names. What comes of it nobody
// hears.
func (s *Server) obey(ctx context.Context, kind string, body []byte) {
	p := Params{}
	kind, _, _ = mime.ParseMediaType(kind)
	if kind == "application/json" {
		if !json.Valid(body) || p.fromJSON(bytes.NewReader(body)) != nil {
			return
		}
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		for k, v := range form {
			p[k] = v[0]
		}
	}
	if mayReply(p["method"]) {
		_, _ = s.run(ctx, p["method"], p, nil) // no result feedback
	}
}
