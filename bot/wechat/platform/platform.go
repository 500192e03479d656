// Package platform calls WeChat for an official account: messages that are no answers,
// notices, the menu, tags, codes, people, files.
//
// # Guarantees
//
//   - Every call ends with its context, and after Options.Timeout. None is made twice but
//     where WeChat has refused its token, which means that it had no effect.
//   - One process asks for one token at a time, and all processes that share a cache use
//     the same. A token is forced only where WeChat hands out the very one that it has
//     just refused, because forcing it takes it from everybody else.
//   - Errors have a fault code and, where people or operators are told something by it, a
//     reason that never changes. No error tells a secret, a token or an address with one.
//   - A menu that WeChat would refuse is refused here, with the name of the button.
//
// # The library
//
// Shapes of messages and of the menu, and the type of WeChat's errors, are
// silenceper/wechat's. Its calls are not used: they take no context, retry nothing,
// return texts instead of numbers, put tokens into errors, and go through an http.Client
// and a rewriting of addresses that are global to the process and unsynchronised, so that
// two accounts, or a test beside another, would share them. Each of its defects has a
// test here that names it.
//
// # Not here
//
// Callbacks and answers, and how much a person may be sent: package wechat.
package platform

import (
	"net/http"
	"time"

	"fanli/bot/tencent"
	"fanli/core/cache"
	"fanli/core/fault"
)

// Options are what a client works with.
type Options struct {
	HTTP    *http.Client // that calls; nil means one of its own
	Cache   cache.Cache  // where processes find each other's token; nil: each has its own
	Timeout time.Duration
	Now     func() time.Time
}

// A Client speaks to WeChat for one account. It is safe for concurrent use.
type Client struct {
	*tencent.Caller
	cfg Config
}

// New returns the client of an account. It makes no call. It fails with fault.Invalid
// if the configuration is not sound.
func New(cfg Config, o Options) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, "wechat.New", err)
	}
	cfg = cfg.withDefaults()
	c := &Client{cfg: cfg}
	c.Caller = tencent.NewCaller(tencent.Options{
		Name: "wechat", Account: cfg.AppID, Endpoint: cfg.Endpoint, Secrets: []string{cfg.AppSecret, cfg.Token, cfg.AESKey},
		HTTP: o.HTTP, Cache: o.Cache, Timeout: o.Timeout, Now: o.Now,
		Ask: c.askToken, Meaning: meaningOf, TokenCodes: []int64{40001, 40014, 42001},
	})
	return c, nil
}

// String names the account and tells no secret.
func (c *Client) String() string { return c.cfg.String() }

// GoString is String.
func (c *Client) GoString() string { return c.String() }
