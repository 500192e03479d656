package tencent

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"fanli/core/fault"
)

// margin is how long before its end a token is not used any more: WeChat makes a new one
// in the last five minutes of the old, and then both count.
const margin = 5 * time.Minute

// rest is how long the platform is not asked again after it has refused to hand out a
// token: each message that waits would ask, and asking is counted.
const rest = 5 * time.Second

// A Token is a token for calls with its end.
type Token struct {
	Text  string    `json:"token"`
	Until time.Time `json:"until"` // when it is not used any more
}

// NewToken returns a token that was asked for at a time and lives for so many seconds.
func NewToken(text string, asked time.Time, seconds int64) Token {
	life := time.Duration(seconds) * time.Second
	return Token{text, asked.Add(life - min(margin, life/2))} // it may have no more than five minutes left
}

// Tokens keep the token of one account. They are safe for concurrent use, and serve
// silenceper/wechat, too, as what it asks for tokens.
type Tokens struct {
	o Options // of the caller

	flights singleflight.Group
	mu      sync.Mutex
	now     Token
	bad     string // the platform has refused it last
	refused error  // what it said to being asked for one
	until   time.Time
}

// GetAccessToken is GetAccessTokenContext for whoever has no context, as a library.
func (t *Tokens) GetAccessToken() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), t.o.Timeout)
	defer cancel()
	return t.GetAccessTokenContext(ctx)
}

// GetAccessTokenContext returns a token that counts, as far as is known. Of many who ask
// at once, one asks the platform, for as long as it takes; each leaves with its own context.
func (t *Tokens) GetAccessTokenContext(ctx context.Context) (string, error) {
	if text, ok := t.kept(ctx); ok {
		return text, nil
	}
	flight := t.flights.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.o.Timeout)
		defer cancel()
		if text, ok := t.kept(ctx); ok { // somebody was faster
			return text, nil
		}
		return t.fetchUnlessRefused(ctx)
	})
	select {
	case <-ctx.Done():
		return "", fault.Wrap(fault.Unavailable, t.o.Name+".Token", ctx.Err())
	case r := <-flight:
		text, _ := r.Val.(string)
		return text, r.Err
	}
}

// key is where processes find each other's token.
func (t *Tokens) key() string { return t.o.Name + "/" + t.o.Account + "/token" }

// kept returns the token that is kept here, or where others keep it.
func (t *Tokens) kept(ctx context.Context) (string, bool) {
	now := t.o.Now()
	t.mu.Lock()
	own := t.now
	t.mu.Unlock()
	if own.Text != "" && now.Before(own.Until) {
		return own.Text, true
	}
	if t.o.Cache == nil {
		return "", false
	}
	var others Token
	b, ok := t.o.Cache.Get(ctx, t.key())
	if !ok || json.Unmarshal(b, &others) != nil || others.Text == "" || !now.Before(others.Until) {
		return "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if others.Text == t.bad { // nobody has noticed yet
		return "", false
	}
	t.now = others
	return others.Text, true
}

// Drop takes a token out of use that the platform has refused.
func (t *Tokens) Drop(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad = text
	if t.now.Text == text {
		t.now = Token{}
	}
}

// fetchUnlessRefused is fetch with a rest after a refusal.
func (t *Tokens) fetchUnlessRefused(ctx context.Context) (string, error) {
	t.mu.Lock()
	refused, until := t.refused, t.until
	t.mu.Unlock()
	if t.o.Now().Before(until) {
		return "", refused
	}
	text, err := t.fetch(ctx)
	if fault.Is(err, fault.Denied) || fault.Is(err, fault.Limited) {
		t.mu.Lock()
		t.refused, t.until = err, t.o.Now().Add(rest)
		t.mu.Unlock()
	}
	return text, err
}

// fetch asks the platform for the token; and forces a new one if it is the very one that
// was refused.
func (t *Tokens) fetch(ctx context.Context) (string, error) {
	got, err := t.o.Ask(ctx, false)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	same := got.Text == t.bad
	t.mu.Unlock()
	if same {
		if got, err = t.o.Ask(ctx, true); err != nil {
			return "", err
		}
	}
	t.mu.Lock()
	t.now = got
	t.mu.Unlock()
	if b, err := json.Marshal(got); err == nil && t.o.Cache != nil {
		if left := got.Until.Sub(t.o.Now()); left > 0 {
			t.o.Cache.Set(ctx, t.key(), b, left)
		}
	}
	return got.Text, nil
}
