package jd

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"fanli/core/endpoint"
)

// What is used where the configuration is silent.
const (
	defaultEndpoint  = "https://api.jd.com/routerjson"
	defaultAccount   = "main"
	defaultFinalRate = 90 // percent of a commission that JD leaves to a promoter, as a rule
)

// The platform's own limits.
const (
	pageSizeMax  = 200  // rows a page of orders; older documentation says 500, newer 200
	positionsMax = 5000 // private positions that an account may have
)

// The scenes of the goods API.
const (
	sceneUnion    = 1 // goods of the union, by itemId
	sceneMainSite = 2 // goods of the main site, by sku; needs an approval of its own
)

// Config is one account at JD Union.
type Config struct {
	// Endpoint is the gateway; empty means JD's. Plain http is taken for
	// loopback addresses only.
	Endpoint string `yaml:"endpoint"`

	AppKey      string `yaml:"app_key"`      // of the application in the console; required
	AppSecret   string `yaml:"app_secret"`   // signs every call; required
	AccessToken string `yaml:"access_token"` // only if the application is authorised by OAuth

	// Account is our name for the account. It is part of every order's key, so
	// it never changes; empty means "main".
	Account string `yaml:"account"`

	// SiteID is the id of the registered web site or app, if the account is one:
	// links are then made for that site, and orders from elsewhere do not count.
	// 0 means a chat account (社交媒体), which needs the right to make links by
	// subUnionId.
	SiteID int64 `yaml:"site_id"`

	// UnionID and AuthKey are the promoter and his authorisation key, for an
	// application of a tool vendor (工具商) who works for him. Keys live a year.
	UnionID int64  `yaml:"union_id"`
	AuthKey string `yaml:"auth_key"`

	// PositionIDs is the pool of positions by which users are told apart. It may
	// be empty if SubUnionID is true.
	PositionIDs []int64 `yaml:"position_ids"`

	// SubUnionID says that JD has put the account on the list of those whose
	// order rows carry subUnionId. The tag goes onto every link in any case.
	SubUnionID bool `yaml:"sub_union_id"`

	// SceneIDs are the goods that the account may ask for: 1, goods of the union,
	// and 2, goods of the main site by their sku. Empty means 1.
	SceneIDs []int `yaml:"scene_ids"`

	// FinalRate is how many percent of a commission JD leaves to us; 0 means 90.
	// It is for estimates only: orders tell the true sum.
	FinalRate int `yaml:"final_rate"`

	// Command says that the account may have 口令 made with its links.
	Command bool `yaml:"command"`

	// CouponQuery says that the account may call coupon.query. Offers then know
	// how many coupons are left, at the price of a second call.
	CouponQuery bool `yaml:"coupon_query"`

	// PageSize is how many order rows are asked for at once, up to 200; 0 means
	// 200.
	PageSize int `yaml:"page_size"`
}

// accountForm keeps accounts free of what separates the parts of a key.
var accountForm = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// Validate returns all mistakes of c at once, each with the name of its key, or
// nil. No text of it tells a secret.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("jd: "+format, args...))
		}
	}
	bad(c.Endpoint != "" && !endpoint.Safe(c.Endpoint), "endpoint: must be an https address (http only on loopback), without user and query")
	bad(c.AppKey == "", "app_key: is missing; the application's page in the console shows it")
	bad(c.AppSecret == "", "app_secret: is missing; it stands beside the app_key")
	bad(c.Account != "" && !accountForm.MatchString(c.Account), "account: %q must be 1 to 32 of a-z, 0-9, _ and -", c.Account)
	bad(c.SiteID < 0, "site_id: %d is below zero", c.SiteID)
	bad(c.UnionID < 0, "union_id: %d is below zero", c.UnionID)
	bad((c.UnionID == 0) != (c.AuthKey == ""), "union_id, auth_key: go together")
	bad(c.UnionID != 0 && c.SiteID != 0, "union_id, site_id: are of different kinds of account; set one")
	bad(len(c.PositionIDs) > positionsMax, "position_ids: %d are above JD's limit of %d", len(c.PositionIDs), positionsMax)
	seen := map[int64]bool{}
	for _, id := range c.PositionIDs {
		bad(id <= 0, "position_ids: %d is not an id", id)
		bad(seen[id], "position_ids: %d is there twice", id)
		seen[id] = true
	}
	for _, id := range c.SceneIDs {
		bad(id != sceneUnion && id != sceneMainSite, "scene_ids: %d is neither 1 nor 2", id)
	}
	bad(c.FinalRate < 0 || c.FinalRate > 100, "final_rate: %d is not a percentage", c.FinalRate)
	bad(c.PageSize < 0 || c.PageSize > pageSizeMax, "page_size: %d is not within 1 to %d", c.PageSize, pageSizeMax)
	return errors.Join(errs...)
}

// Warnings returns what is allowed but seldom meant, in words for operators.
func (c Config) Warnings() []string {
	var w []string
	if !c.SubUnionID && len(c.PositionIDs) == 0 {
		w = append(w, "jd: neither sub_union_id nor position_ids is set: orders come back without a mark, "+
			"and only the item, the time and claims can tell whose they are")
	}
	if len(c.SceneIDs) > 0 && !slices.Contains(c.SceneIDs, sceneUnion) {
		w = append(w, "jd: scene_ids does not have 1: goods that are known by itemId only cannot be found")
	}
	return w
}

// String names the account and tells no secret.
func (c Config) String() string { return "jd account " + c.withDefaults().Account }

func (c Config) withDefaults() Config {
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	if c.Account == "" {
		c.Account = defaultAccount
	}
	if len(c.SceneIDs) == 0 {
		c.SceneIDs = []int{sceneUnion}
	}
	if c.FinalRate == 0 {
		c.FinalRate = defaultFinalRate
	}
	if c.PageSize == 0 {
		c.PageSize = pageSizeMax
	}
	return c
}

// mainSite reports whether the account may ask for goods of the main site.
func (c Config) mainSite() bool { return slices.Contains(c.SceneIDs, sceneMainSite) }
