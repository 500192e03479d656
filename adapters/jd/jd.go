// Package jd speaks to the JD Union (京东联盟) open platform.
//
// It is written from the platform's documentation (union.jd.com/openplatform)
// and from what public clients of it had to do. What a reader would not expect:
//
//   - The root of every answer is misspelt, with a "c" for the last "s", and the
//     part that matters is JSON inside a string. The documentation's examples show
//     other shapes (the root "…_response", every value a string, arrays in a
//     wrapper object), so the decoder takes both.
//   - Everything is answered with status 200, refusals too. A refusal is either
//     an error_response of the gateway or a code other than 200 in the inner
//     document; both are translated by the tables in codes.go.
//   - Times are Beijing time, without a zone. The order API writes them as text,
//     the goods API as milliseconds.
//   - Amounts are yuan in a JSON number. They are read as text, never as a float;
//     so are order numbers, which are above 2^53.
//   - There is no state "settled": a finished row has a payMonth, and has been
//     settled when that day is past. A [order.Revision] says so by SettlesOn, so
//     that it stays a pure function of the row.
//   - subUnionId comes back in rows only for accounts that JD has put on a list.
//     All others know their users by position; see [Pool].
//   - A numeric sku is being replaced by an itemId, a text that changes between
//     calls. The sku is used for comparing whenever JD tells it.
//   - Pages are numbered, so rows that change while they are read move the rows
//     behind them to earlier pages. How Pull reads every row all the same is said
//     in paging.go.
//
// # Limits
//
// Rows can be asked for by the hour and for 90 days back, at most 10,000 of them
// in a window. JD publishes no rate; one call a second and account is held to be
// safe, and whoever wires this package keeps to it. The client does not repeat
// calls by itself.
package jd

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fanli/core/link"
	"fanli/core/order"
)

// Name is the network's name in keys, links and orders.
const Name = link.JD

// beijing is the zone of every time that JD writes without one.
var beijing = time.FixedZone("CST", 8*60*60)

// A Client is one account at JD Union: it finds offers, makes links and reads
// orders. It is safe for concurrent use.
type Client struct {
	cfg     Config
	http    *http.Client
	now     func() time.Time
	secrets []string // appear in no error
}

var (
	_ link.Network  = (*Client)(nil)
	_ link.Searcher = (*Client)(nil)
	_ order.Feed    = (*Client)(nil)
	_ link.Network  = Pool{}
	_ link.Searcher = Pool{}
	_ link.Pooled   = Pool{}
)

// New returns a client for the account in cfg. It does no I/O. It fails with all
// of [Config.Validate]'s findings. A nil client means one without a timeout of
// its own, a nil now the machine's clock.
func New(cfg Config, client *http.Client, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if client == nil {
		client = &http.Client{}
	}
	if now == nil {
		now = time.Now
	}
	own := *client
	// A redirected call would leave the signed host, and a redirected POST would
	// lose its parameters.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{cfg: cfg.withDefaults(), http: &own, now: now}
	for _, s := range []string{cfg.AppSecret, cfg.AccessToken, cfg.AuthKey} {
		if s != "" {
			c.secrets = append(c.secrets, s, url.QueryEscape(s))
		}
	}
	return c, nil
}

// Name returns "jd".
func (c *Client) Name() string { return Name }

// Network returns "jd".
func (c *Client) Network() string { return Name }

// Account returns our name for the account.
func (c *Client) Account() string { return c.cfg.Account }

// Links returns the client in its role as a network: a [Pool] if positions are
// configured, else the client itself. Use it rather than the client, so that
// link.Pooled is seen exactly where there is a pool.
func (c *Client) Links() link.Network {
	if len(c.cfg.PositionIDs) > 0 {
		return Pool{c}
	}
	return c
}

// A Pool is a client that knows its users by positions (推广位).
type Pool struct{ *Client }

// Slots returns the configured positions in their order.
func (p Pool) Slots() []string {
	slots := make([]string, len(p.cfg.PositionIDs))
	for i, id := range p.cfg.PositionIDs {
		slots[i] = strconv.FormatInt(id, 10)
	}
	return slots
}
