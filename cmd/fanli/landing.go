package main

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"path/filepath"

	"fanli/bot/landing"
)

// landingPage returns our page behind links, or nil where nobody reaches it. The
// sandbox's is at its own address.
func (a *app) landingPage(s surroundings) (*landing.Page, error) {
	base := a.cfg.Landing.URL
	if s.shop != "" { // the sandbox is reached where it listens
		base = cmp.Or(base, s.base)
	}
	if base == "" {
		return nil, nil
	}
	seal, err := a.sealKey(filepath.Dir(databasePath(a.cfg)))
	if err != nil {
		return nil, err
	}
	key := hmac.New(sha256.New, seal)
	key.Write([]byte("links to pages of goods"))
	return landing.New(landing.Options{
		Key: key.Sum(nil), Base: base, TTL: a.cfg.Landing.Lasts, Blocked: a.cfg.Landing.Blocked,
		Lookup: a.db.Links(), Now: a.now, Zone: a.cfg.Location(), Log: a.log,
	})
}
