// Package pdd speaks to 多多进宝 (DDK), the affiliate programme of Pinduoduo.
//
// It is written from the open platform's documentation of the pdd.ddk.* methods
// (read 2026-11). One address serves all methods; every answer has status 200.
// What surprises:
//
//   - Money is whole fen, rates are per mille, times are unix seconds; numbers
//     may come as strings and absent ones as null.
//   - Goods are named by goods_sign. The numeric goods_id of a link no longer
//     works in calls; the link itself does, as the words of a search or through
//     zs.unit.url.gen. Offers and orders both use goods_sign as the item.
//   - custom_parameters is at most 64 bytes of JSON with a uid and comes back
//     with the order exactly as it was sent. Our tag is its sid.
//   - Search and links need an authorised (备案) pid, else they fail with 50001
//     and sub_code 60001. A person authorises once through [Client.AuthorityLink].
//     That a new sid under an authorised uid stays authorised is not documented;
//     where it does not, set tagging to "pid" and give every user a slot.
//   - Orders that change leave the window that is being read, so pages are read
//     from the last to the first.
//   - An order has one line. There is no row for a partial refund: order_amount
//     and promotion_amount shrink. So Price is what the buyer still pays, and
//     Refunded is always zero.
//   - The predicted rate of a comparison (比价) may be anything down to zero; the
//     order says what it became.
package pdd

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"fanli/core/link"
	"fanli/core/order"
)

// Name is the network's name in links and orders.
const Name = link.PDD

// DefaultEndpoint is the gateway of the open platform.
const DefaultEndpoint = "https://gw-api.pinduoduo.com/api/router"

// The ways in which a link carries its mark.
const (
	TagBySID = "sid" // the tag travels as sid in custom_parameters
	TagByPID = "pid" // only the slot (pid) names the user; custom_parameters stays fixed
)

// pageRows is the default page size; the platform recommends 40 to 50 and allows
// pageRowsMin to pageRowsMax.
const (
	pageRows    = 50
	pageRowsMin = 10
	pageRowsMax = 100
)

// uidBytesMax is what custom_parameters leaves for the uid beside a tag of 32.
const uidBytesMax = 13

// Config says whose account is used and how.
type Config struct {
	Endpoint     string   `yaml:"endpoint"`      // where the gateway is; default DefaultEndpoint
	ClientID     string   `yaml:"client_id"`     // of the application on the open platform
	ClientSecret string   `yaml:"client_secret"` // signs every call; never logged
	Account      string   `yaml:"account"`       // our name for this account in order keys; default "main". Never change it
	PID          string   `yaml:"pid"`           // authorised promotion position, as 8000001_160000001
	PIDs         []string `yaml:"pids"`          // the pool of slots, each authorised; empty: there is no pool
	UID          string   `yaml:"uid"`           // the uid that PID was authorised for, 1 to 13 of A-Z a-z 0-9 _; default "fanli"
	Tagging      string   `yaml:"tagging"`       // "sid" (default) or "pid", see the package comment
	PageSize     int      `yaml:"page_size"`     // rows per page of orders, 10 to 100; default 50
}

// WithDefaults returns c with its empty fields filled.
func (c Config) WithDefaults() Config {
	if c.Endpoint == "" {
		c.Endpoint = DefaultEndpoint
	}
	if c.Account == "" {
		c.Account = "main"
	}
	if c.UID == "" {
		c.UID = "fanli"
	}
	if c.Tagging == "" {
		c.Tagging = TagBySID
	}
	if c.PageSize == 0 {
		c.PageSize = pageRows
	}
	return c
}

var (
	pidForm     = regexp.MustCompile(`^[0-9]{1,20}_[0-9]{1,20}$`)
	accountForm = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	uidForm     = regexp.MustCompile(fmt.Sprintf(`^[A-Za-z0-9_]{1,%d}$`, uidBytesMax))
	tagForm     = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
)

// Validate returns all mistakes at once, each with the name of its key.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("pdd: "+format, args...)) }
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		wrong("endpoint: not an http address")
	}
	if c.ClientID == "" {
		wrong("client_id: is missing")
	}
	if c.ClientSecret == "" {
		wrong("client_secret: is missing")
	}
	if !accountForm.MatchString(c.Account) {
		wrong("account: %q is not 1 to 32 of a-z 0-9 _ -", c.Account)
	}
	if !pidForm.MatchString(c.PID) {
		wrong("pid: %q is not of the form 8000001_160000001", c.PID)
	}
	for i, pid := range c.PIDs {
		if !pidForm.MatchString(pid) {
			wrong("pids[%d]: %q is not of the form 8000001_160000001", i, pid)
		}
		if slices.Contains(c.PIDs[:i], pid) {
			wrong("pids[%d]: %q is there twice", i, pid)
		}
	}
	if !uidForm.MatchString(c.UID) {
		wrong("uid: %q is not 1 to %d of A-Z a-z 0-9 _", c.UID, uidBytesMax)
	}
	switch {
	case c.Tagging != TagBySID && c.Tagging != TagByPID:
		wrong("tagging: %q is neither %q nor %q", c.Tagging, TagBySID, TagByPID)
	case c.Tagging == TagByPID && len(c.PIDs) == 0:
		wrong("tagging: %q needs pids", TagByPID)
	}
	if c.PageSize < pageRowsMin || c.PageSize > pageRowsMax {
		wrong("page_size: %d is not %d to %d", c.PageSize, pageRowsMin, pageRowsMax)
	}
	return errors.Join(errs...)
}

// A Client speaks for one account. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
	now  func() time.Time
}

// New returns a client, or what Validate says about cfg. The time-out of calls
// is that of their context and of hc.
func New(cfg Config, hc *http.Client, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	cfg.PIDs = slices.Clone(cfg.PIDs)
	return &Client{cfg: cfg, http: hc, now: now}, nil
}

// Links returns the network for offers and links. It is a link.Searcher, and a
// link.Pooled exactly if the configuration has a pool.
func (c *Client) Links() link.Network {
	if len(c.cfg.PIDs) > 0 {
		return pooled{links{c}}
	}
	return links{c}
}

// Orders returns the feed of orders.
func (c *Client) Orders() order.Feed { return orders{c} }

var (
	_ link.Network  = links{}
	_ link.Searcher = links{}
	_ link.Pooled   = pooled{}
	_ order.Feed    = orders{}
)
