package wechat

import (
	"sync"
	"time"
)

// How a gate keeps floods away from the bot and its database.
const (
	openMax    = 16               // messages of one person that are being answered at once
	rateMax    = 32               // that may begin in rateWindow
	rateWindow = time.Second      // and for how long nobody looks once it is too much
	warnEvery  = time.Minute      // that it is too much
	gateTidy   = 10 * time.Second // how often quiet people are forgotten
)

// A gate lets messages in. Whoever floods us costs nobody else's time: what is too much is
// turned away in memory, before anything is kept, looked up or understood. Each process
// has its own. The zero value is open.
type gate struct {
	mu   sync.Mutex
	by   map[string]*passage // by openid
	tidy time.Time
}

// A passage is one person's way in.
type passage struct {
	open   int // messages that are being answered
	began  int // in the window
	window time.Time
	shut   time.Time // until when
	warned time.Time
}

// enter reports whether a message of a person may come in; leave must be called then.
// Otherwise warn says that the person should be told.
func (g *gate) enter(openid string, now time.Time) (ok, warn bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(now)
	p := g.by[openid]
	if p == nil {
		p = &passage{}
		g.by[openid] = p
	}
	if now.Sub(p.window) >= rateWindow {
		p.window, p.began = now, 0
	}
	if !now.Before(p.shut) && p.open < openMax && p.began < rateMax {
		p.open, p.began = p.open+1, p.began+1
		return true, false
	}
	if !now.Before(p.shut) {
		p.shut = now.Add(rateWindow)
	}
	if warn = now.Sub(p.warned) >= warnEvery; warn {
		p.warned = now
	}
	return false, warn
}

// closed reports whether nothing of a person may come in for now.
func (g *gate) closed(openid string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.by[openid]
	return p != nil && now.Before(p.shut)
}

// leave ends what enter has begun.
func (g *gate) leave(openid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.by[openid]; p != nil {
		p.open--
	}
}

// forget forgets who has been quiet.
func (g *gate) forget(now time.Time) {
	if g.by == nil {
		g.by = map[string]*passage{}
	}
	if now.Sub(g.tidy) < gateTidy {
		return
	}
	g.tidy = now
	for openid, p := range g.by {
		if p.open == 0 && now.Sub(p.window) >= rateWindow && now.Sub(p.warned) >= warnEvery {
			delete(g.by, openid)
		}
	}
}
