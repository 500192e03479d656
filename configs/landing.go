package configs

import (
	"net/url"
	"time"

	"fanli/core/endpoint"
)

// Landing is our own page behind a link.
type Landing struct {
	URL     string        `yaml:"url"`
	Lasts   time.Duration `yaml:"lasts"`
	Blocked []string      `yaml:"blocked"`
}

// How long an address of the page may last.
const (
	landingMin = time.Hour
	landingMax = 30 * 24 * time.Hour
)

func (o Landing) check(k *checker) {
	if o.URL != "" && !endpoint.Safe(o.URL) {
		k.bad("landing.url", "must be the https address (http only on loopback) where people reach this server, without user and query")
	}
	if u, err := url.Parse(o.URL); err == nil && u.Path != "" && u.Path != "/" {
		k.bad("landing.url", "must have no path")
	}
	if o.Lasts < landingMin || o.Lasts > landingMax {
		k.bad("landing.lasts", "%v is not between %v and %v", o.Lasts, landingMin, landingMax)
	}
}
