package configs_test

import (
	"testing"
)

// TestWhoMayAskIsChecked: whose tokens are believed, and whose word on addresses, is
// nothing to guess.
func TestWhoMayAskIsChecked(t *testing.T) {
	t.Parallel()
	wantMistakes(t, `api:
  tokens: [{name: App, issuer: "http://id.example.com", audience: ""}]
  origins: ["https://app.example.com/", "*"]
  proxies: [everybody]
  limits: {user: -1}
`, none,
		`line 2: api.tokens: name: "App" is not at most 40 small letters`,
		`line 2: api.tokens: issuer: "http://id.example.com" is not an https address`,
		"line 2: api.tokens: audience: who we are",
		`line 3: api.origins: "https://app.example.com/" is not a page's origin`,
		`line 3: api.origins: "*" is not a page's origin`,
		`line 4: api.proxies: "everybody" is not an address`,
		"line 5: api.limits.user: -1 is not between",
	)
	c := load(t, `api:
  tokens: [{name: app, issuer: "https://id.example.com", audience: fanli, keys: "https://id.example.com/keys"}]
  origins: ["https://app.example.com"]
  proxies: [10.0.0.7, "2001:db8::/32"]
`, none)
	if got := c.API.Nets(); len(got) != 2 || got[0].String() != "10.0.0.7/32" || got[1].String() != "2001:db8::/32" || c.API.Tokens[0].Audience != "fanli" || !c.API.Enabled {
		t.Errorf("%+v, %v", c.API, got)
	}
}
