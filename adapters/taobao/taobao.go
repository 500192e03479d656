// Package taobao speaks to Taobao union (淘宝联盟, TBK) on the open platform
// (TOP).
//
// It is written from the platform's documentation of the TBK methods named in
// links.go, orders.go and refunds.go, and of the calling convention they share.
// What it does not say, or says in passing:
//
//   - Success and failure both answer status 200; what counts is error_response.
//   - The default format is XML, and every list sits in an object named after a
//     Java class, unless simplify=true takes both away. An empty list is {}. We
//     ask for JSON without simplify and read every form.
//   - Times are Beijing time without a zone. Absent values are missing, "--",
//     "0" or {}.
//   - Amounts are yuan in text, rates percent in text, ids text or number as the
//     method likes. A 19-digit order number does not fit a float.
//   - Item ids are "prefix-suffix" since 2022: the prefix changes with every
//     answer, the suffix belongs to the goods and our account. It is what
//     SameItem and Revision.Item hold. Numeric ids come from pasted links only
//     and are never compared with the others.
//   - The technical service fee is not taken off pub_share_fee; we do that.
//   - A refund after settlement leaves the order row alone but for refund_tag.
//     One line can have several after-sale suits; the refund scene asks for all
//     of them and tells their sum.
//   - Orders carry the adzone of the link that earned them, never a word of ours:
//     users are told apart by a pool of adzones. Link.Mark.Tag goes nowhere.
//   - Orders of a member (会员: a shopper who has allowed our application to know who
//     they are) name the member, whichever link earned them.
//
// # Limits
//
// Windows of three hours, twenty minutes in promotions; a hundred pages of a
// hundred rows; ninety days back; about forty calls a second for an account over
// everything that uses it. The package neither waits nor repeats: callers know
// how long a shopper is willing to wait.
package taobao

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// Guards: the roles a Client plays.
var (
	_ link.Network  = (*Client)(nil)
	_ link.Searcher = (*Client)(nil)
	_ link.Pooled   = (*Client)(nil)
	_ order.Feed    = (*Client)(nil)
)

// DefaultEndpoint is the production gateway.
const DefaultEndpoint = "https://eco.taobao.com/router/rest"

// pageSizeMax is the most rows that one page may hold; the platform's limit.
const pageSizeMax = 100

// adzonesMax bounds the pool: an account had at most 200 per medium when the
// platform last said so.
const adzonesMax = 1000

// The ways in which links are made.
const (
	ConvertUniversal = "universal" // general.link.convert; by invitation
	ConvertSearch    = "search"    // material search and tpwd.create; open to everybody
)

// Config is what an operator says about one account.
type Config struct {
	Endpoint  string `yaml:"endpoint"` // gateway; empty: DefaultEndpoint
	AppKey    string `yaml:"app_key"`
	AppSecret string `yaml:"app_secret"`

	// Session is the token of a publisher who authorised a service provider's
	// app. With it the sc variants of the methods are called.
	Session string `yaml:"session"`

	Account   string   `yaml:"account"`    // our name for the account, stored in order keys; empty: "main"
	SiteID    string   `yaml:"site_id"`    // second part of the PID after mm_<pub>; needed with a session
	AdzoneIDs []string `yaml:"adzone_ids"` // third part of the PIDs: the pool by which users are told apart

	// RelationID is a channel id of our own. Pasted main-site links can only be
	// converted with one. It says nothing about a user.
	RelationID string `yaml:"relation_id"`

	// MainSite says that the app may convert pasted main-site links and numeric
	// ids (biz_scene_id 2).
	MainSite bool `yaml:"main_site"`

	Convert    string    `yaml:"convert"`     // how links are made: universal or search; empty: universal
	SignMethod string    `yaml:"sign_method"` // md5, hmac or hmac-sha256; empty: hmac-sha256
	PageSize   int       `yaml:"page_size"`   // order rows a page, 1 to 100; 0: 100
	ServiceFee money.Bps `yaml:"service_fee"` // technical service fee, basis points; expected in offers only, orders say their own

	// ChannelOrders and MemberOrders also pull the scenes of channel (relation
	// id) and member (special id) orders.
	ChannelOrders bool `yaml:"channel_orders"`
	MemberOrders  bool `yaml:"member_orders"`

	// Member is how shoppers bind their Taobao account.
	Member MemberConfig `yaml:"member"`

	// Refunds pulls the after-sale feed. Without it (the method is by
	// invitation) a line with an after-sale mark stays disputed until a person
	// decides.
	Refunds bool `yaml:"refunds"`

	// PromotionWindows are the days on which the platform allows order windows
	// of twenty minutes only.
	PromotionWindows []Period `yaml:"promotion_windows"`
}

// A Period is a range of days in Beijing time, both included.
type Period struct {
	From string `yaml:"from"` // 2006-01-02
	To   string `yaml:"to"`
}

// Validate returns every mistake, one a line, or nil.
func (c Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf("taobao: "+format, args...)) }
	if c.Endpoint != "" {
		if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			add("endpoint: not an http or https address")
		}
	}
	if !digits.MatchString(c.AppKey) {
		add("app_key: digits are wanted")
	}
	if c.AppSecret == "" {
		add("app_secret: missing")
	}
	if c.Session != "" && c.SiteID == "" {
		add("site_id: needed with a session")
	}
	if c.SiteID != "" && !digits.MatchString(c.SiteID) {
		add("site_id: digits are wanted, got %q", c.SiteID)
	}
	if c.RelationID != "" && !digits.MatchString(c.RelationID) {
		add("relation_id: digits are wanted, got %q", c.RelationID)
	}
	if c.Account != "" && !accountName.MatchString(c.Account) {
		add("account: up to 32 letters, digits, - and _ are wanted, got %q", c.Account)
	}
	switch c.Convert {
	case "", ConvertUniversal, ConvertSearch:
	default:
		add("convert: universal or search are wanted, got %q", c.Convert)
	}
	switch c.SignMethod {
	case "", MD5, HMAC, SHA256:
	default:
		add("sign_method: md5, hmac or hmac-sha256 are wanted, got %q", c.SignMethod)
	}
	if c.PageSize < 0 || c.PageSize > pageSizeMax {
		add("page_size: 1 to %d are wanted, got %d", pageSizeMax, c.PageSize)
	}
	if c.ServiceFee < 0 || c.ServiceFee >= money.Whole {
		add("service_fee: 0 to 9999 basis points are wanted, got %d", c.ServiceFee)
	}
	c.Member.validate(add)
	errs = append(errs, c.validatePool()...)
	for i, p := range c.PromotionWindows {
		if _, _, err := p.span(); err != nil {
			add("promotion_windows[%d]: %w", i, err)
		}
	}
	return errors.Join(errs...)
}

func (c Config) validatePool() []error {
	var errs []error
	if len(c.AdzoneIDs) == 0 || len(c.AdzoneIDs) > adzonesMax {
		errs = append(errs, fmt.Errorf("taobao: adzone_ids: 1 to %d are wanted, got %d", adzonesMax, len(c.AdzoneIDs)))
	}
	seen := map[string]bool{}
	for _, a := range c.AdzoneIDs {
		if !digits.MatchString(a) {
			errs = append(errs, fmt.Errorf("taobao: adzone_ids: digits are wanted (the last part of mm_pub_site_adzone), got %q", a))
		}
		if seen[a] {
			errs = append(errs, fmt.Errorf("taobao: adzone_ids: %q twice", a))
		}
		seen[a] = true
	}
	return errs
}

// span returns the first moment of the period and the first after it.
func (p Period) span() (from, to time.Time, err error) {
	if from, err = time.ParseInLocation(time.DateOnly, p.From, beijing); err != nil {
		return from, to, fmt.Errorf("from: a day such as 2026-11-11 is wanted, got %q", p.From)
	}
	if to, err = time.ParseInLocation(time.DateOnly, p.To, beijing); err != nil {
		return from, to, fmt.Errorf("to: a day such as 2026-11-11 is wanted, got %q", p.To)
	}
	if to.Before(from) {
		return from, to, fmt.Errorf("%s is after %s", p.From, p.To)
	}
	return from, to.AddDate(0, 0, 1), nil
}

// String leaves the secrets out.
func (c Config) String() string {
	return fmt.Sprintf("taobao account %q, app %s, %d adzones", c.Account, c.AppKey, len(c.AdzoneIDs))
}

// GoString leaves the secrets out.
func (c Config) GoString() string { return c.String() }

// LogValue leaves the secrets out.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

var (
	digits      = regexp.MustCompile(`^[0-9]{1,20}$`)
	accountName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
)

// beijing is the platform's time zone. It is fixed: images without zone data
// must not shift order windows.
var beijing = time.FixedZone("CST", 8*60*60)

// A Client is one account at the platform. It is safe for concurrent use.
type Client struct {
	cfg        Config
	http       *http.Client
	now        func() time.Time
	promotions [][2]time.Time
}

// New returns a client for one account. It fails with fault.Invalid and all
// mistakes of cfg. A nil client means one with default transport; redirects are
// never followed, because every request carries a signature.
func New(cfg Config, client *http.Client, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, "taobao.New", err)
	}
	if cfg.Endpoint == "" {
		cfg.Endpoint = DefaultEndpoint
	}
	if cfg.Member.Authorize == "" {
		cfg.Member.Authorize = DefaultAuthorize
	}
	if cfg.Account == "" {
		cfg.Account = "main"
	}
	if cfg.Convert == "" {
		cfg.Convert = ConvertUniversal
	}
	if cfg.SignMethod == "" {
		cfg.SignMethod = SHA256
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = pageSizeMax
	}
	h := http.Client{}
	if client != nil {
		h = *client
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{cfg: cfg, http: &h, now: now}
	for _, p := range cfg.PromotionWindows {
		from, to, err := p.span()
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "taobao.New", err)
		}
		c.promotions = append(c.promotions, [2]time.Time{from, to})
	}
	return c, nil
}

// Name is "taobao".
func (c *Client) Name() string { return link.Taobao }

// Network is "taobao".
func (c *Client) Network() string { return link.Taobao }

// Account is our name for the account.
func (c *Client) Account() string { return c.cfg.Account }

// Slots returns the adzone ids of the pool.
func (c *Client) Slots() []string { return append([]string(nil), c.cfg.AdzoneIDs...) }
