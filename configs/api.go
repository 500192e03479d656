package configs

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"fanli/core/endpoint"
)

// API says who may ask by programs, and how much.
type API struct {
	Enabled bool      `yaml:"enabled"`
	Tokens  []Token   `yaml:"tokens"`
	Origins []string  `yaml:"origins"`
	Proxies []string  `yaml:"proxies"`
	Limits  APILimits `yaml:"limits"`
}

// A Token says whose tokens are believed.
type Token struct {
	Name     string `yaml:"name"`
	Issuer   string `yaml:"issuer"`
	Audience string `yaml:"audience"`
	Keys     string `yaml:"keys"`
}

// APILimits are requests in a minute.
type APILimits struct {
	Address    int `yaml:"address"`
	Caller     int `yaml:"caller"`
	User       int `yaml:"user"`
	Everywhere int `yaml:"everywhere"`
}

// Nets returns the proxies that are believed. Load has checked them.
func (a API) Nets() (out []netip.Prefix) {
	for _, s := range a.Proxies {
		if p, err := Net(s); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// Net reads an address, or a net of them.
func Net(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// perMinuteMax is more than one process answers.
const perMinuteMax = 10_000_000

var tokenName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func (c Config) checkAPI(k *checker) {
	var names []string
	for _, t := range c.API.Tokens {
		switch {
		case !tokenName.MatchString(t.Name):
			k.bad("api.tokens", "name: %q is not at most 40 small letters, digits and dashes", t.Name)
		case slices.Contains(names, t.Name):
			k.bad("api.tokens", "name: %s is there twice", t.Name)
		}
		names = append(names, t.Name)
		if !endpoint.Safe(t.Issuer) {
			k.bad("api.tokens", "issuer: %q is not an https address (http only on loopback) such as https://id.example.com", t.Issuer)
		}
		if t.Keys != "" && !endpoint.Safe(t.Keys) {
			k.bad("api.tokens", "keys: %q is not an https address (http only on loopback)", t.Keys)
		}
		if t.Audience == "" {
			k.bad("api.tokens", "audience: who we are in the tokens of %s; without it, tokens for others would be taken", t.Issuer)
		}
	}
	for _, o := range c.API.Origins {
		if u, err := url.Parse(o); err != nil || !endpoint.Safe(o) || u.Scheme+"://"+u.Host != o {
			k.bad("api.origins", "%q is not a page's origin such as https://app.example.com", o)
		}
	}
	for _, p := range c.API.Proxies {
		if _, err := Net(p); err != nil {
			k.bad("api.proxies", "%q is not an address such as 10.0.0.7 or 10.0.0.0/8", p)
		}
	}
	l := c.API.Limits
	for _, one := range []struct {
		name string
		n    int
	}{{"address", l.Address}, {"caller", l.Caller}, {"user", l.User}, {"everywhere", l.Everywhere}} {
		if one.n < 0 || one.n > perMinuteMax {
			k.bad("api.limits."+one.name, "%d is not between 0 and %d", one.n, perMinuteMax)
		}
	}
}
