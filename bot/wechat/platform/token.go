package platform

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/credential"
	"golang.org/x/sync/singleflight"

	"fanli/core/cache"
	"fanli/core/fault"
)

// tokenMargin is how long before its end a token is not used any more: WeChat makes a
// new one in the last five minutes of the old, and then both count.
const tokenMargin = 5 * time.Minute

// tokenRest is how long WeChat is not asked again after it has refused to hand out a
// token: each message that waits would ask, and asking is counted.
const tokenRest = 5 * time.Second

// Tokens are the access tokens of an account: the stable one, which WeChat hands out to
// everybody who asks until it ends. They serve the library, too, as what it asks for
// tokens. They are safe for concurrent use.
type Tokens struct {
	c     *Client
	cache cache.Cache // nil: none

	flights singleflight.Group
	mu      sync.Mutex
	now     token
	bad     string // WeChat has refused it last
	refused error  // what it said to being asked for one
	until   time.Time
}

var _ credential.AccessTokenContextHandle = (*Tokens)(nil)

// A token is one with its end.
type token struct {
	Text  string    `json:"token"`
	Until time.Time `json:"until"` // when it is not used any more
}

// GetAccessToken implements the library's handle.
func (t *Tokens) GetAccessToken() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), t.c.timeout)
	defer cancel()
	return t.GetAccessTokenContext(ctx)
}

// GetAccessTokenContext returns a token that counts, as far as is known. Of many who ask
// at once, one asks WeChat, for as long as it takes; each leaves with its own context.
func (t *Tokens) GetAccessTokenContext(ctx context.Context) (string, error) {
	if text, ok := t.kept(ctx); ok {
		return text, nil
	}
	flight := t.flights.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.c.timeout)
		defer cancel()
		if text, ok := t.kept(ctx); ok { // somebody was faster
			return text, nil
		}
		return t.fetchUnlessRefused(ctx)
	})
	select {
	case <-ctx.Done():
		return "", fault.Wrap(fault.Unavailable, "wechat.Token", ctx.Err())
	case r := <-flight:
		text, _ := r.Val.(string)
		return text, r.Err
	}
}

// key is where processes find each other's token.
func (t *Tokens) key() string { return "wechat/" + t.c.cfg.AppID + "/token" }

// kept returns the token that is kept here, or where others keep it.
func (t *Tokens) kept(ctx context.Context) (string, bool) {
	now := t.c.now()
	t.mu.Lock()
	own := t.now
	t.mu.Unlock()
	if own.Text != "" && now.Before(own.Until) {
		return own.Text, true
	}
	if t.cache == nil {
		return "", false
	}
	var others token
	b, ok := t.cache.Get(ctx, t.key())
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

// drop takes a token out of use that WeChat has refused.
func (t *Tokens) drop(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad = text
	if t.now.Text == text {
		t.now = token{}
	}
}

// fetchUnlessRefused is fetch with a rest after a refusal.
func (t *Tokens) fetchUnlessRefused(ctx context.Context) (string, error) {
	t.mu.Lock()
	refused, until := t.refused, t.until
	t.mu.Unlock()
	if t.c.now().Before(until) {
		return "", refused
	}
	text, err := t.fetch(ctx)
	if fault.Is(err, fault.Denied) || fault.Is(err, fault.Limited) {
		t.mu.Lock()
		t.refused, t.until = err, t.c.now().Add(tokenRest)
		t.mu.Unlock()
	}
	return text, err
}

// fetch asks WeChat for the token; and forces a new one if it is the very one that was
// refused.
func (t *Tokens) fetch(ctx context.Context) (string, error) {
	got, err := t.ask(ctx, false)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	same := got.Text == t.bad
	t.mu.Unlock()
	if same {
		if got, err = t.ask(ctx, true); err != nil {
			return "", err
		}
	}
	t.mu.Lock()
	t.now = got
	t.mu.Unlock()
	if b, err := json.Marshal(got); err == nil && t.cache != nil {
		if left := got.Until.Sub(t.c.now()); left > 0 {
			t.cache.Set(ctx, t.key(), b, left)
		}
	}
	return got.Text, nil
}

// ask asks WeChat.
func (t *Tokens) ask(ctx context.Context, force bool) (token, error) {
	const op = "wechat.Token"
	r, err := post(op, "/cgi-bin/stable_token", map[string]any{
		"grant_type": "client_credential", "appid": t.c.cfg.AppID, "secret": t.c.cfg.AppSecret, "force_refresh": force,
	})
	if err != nil {
		return token{}, err
	}
	var got struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	asked := t.c.now()
	if err := t.c.send(ctx, r, &got, ""); err != nil {
		return token{}, err
	}
	if got.Token == "" || got.Expires <= 0 {
		return token{}, fault.Newf(fault.Unavailable, BadToken, "an answer without a token")
	}
	life := time.Duration(got.Expires) * time.Second
	margin := min(tokenMargin, life/2) // it may have no more than five minutes left
	return token{got.Token, asked.Add(life - margin)}, nil
}
