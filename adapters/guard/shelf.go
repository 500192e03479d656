package guard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/maypok86/otter/v2"

	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/link"
)

// kept is an answer to Offer: an offer, or that there is none.
type kept struct {
	offer link.Offer
	miss  error     // fault.NotFound, or nil
	until time.Time // from then on an offer is old; it is kept for Options.Stale longer
}

// left is how long an answer is kept from now on.
func (k kept) left(o Options) time.Duration {
	d := k.until.Sub(o.Now())
	if k.miss == nil {
		d += max(o.Stale, 0)
	}
	return d
}

// A shelf keeps answers: near in this process, and far where others find them, too.
// A nil shelf keeps nothing.
type shelf struct {
	o       Options
	prefix  string // of keys in the far cache
	answers *otter.Cache[string, kept]
	shared  cache.Cache // nil: there are no others
}

// newShelf returns the shelf of an account, or nil.
func newShelf(g *Guard) *shelf {
	o := g.o
	if o.OfferTTL < 0 {
		return nil
	}
	return &shelf{
		o: o, prefix: "offer/" + shelfVersion + "/" + g.name + "/", shared: o.Cache,
		answers: otter.Must(&otter.Options[string, kept]{
			MaximumSize: o.OffersMax,
			Clock:       clock{o.Now},
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, kept]) time.Duration {
				return e.Value.left(o)
			}),
		}),
	}
}

// clock gives a cache our time. Without ticks the cache has no goroutine of its
// own: what is too old is not found, and goes when room is needed.
type clock struct{ now func() time.Time }

func (c clock) NowNano() int64 { return c.now().UnixNano() }

func (clock) Tick(time.Duration) <-chan time.Time { return nil }

// near finds an answer in this process.
func (s *shelf) near(key string) (kept, bool) {
	if s == nil {
		return kept{}, false
	}
	return s.answers.GetIfPresent(key)
}

// far finds an answer that another process has kept, and keeps it here for as long as
// it lasts there.
func (s *shelf) far(ctx context.Context, key string) (kept, bool) {
	if s == nil || s.shared == nil {
		return kept{}, false
	}
	b, ok := s.shared.Get(ctx, s.farKey(key))
	if !ok {
		return kept{}, false
	}
	k, ok := unpack(b)
	if !ok || k.left(s.o) <= 0 {
		return kept{}, false
	}
	s.answers.Set(key, k)
	return k, true
}

// keep keeps an answer and returns it with its end.
func (s *shelf) keep(ctx context.Context, key string, k kept) kept {
	if s == nil {
		return k
	}
	ttl := s.o.OfferTTL
	if k.miss != nil {
		ttl = min(s.o.MissTTL, ttl)
	}
	k.until = s.o.Now().Add(ttl)
	s.answers.Set(key, k)
	if s.shared != nil {
		if b, err := json.Marshal(pack(k)); err == nil {
			s.shared.Set(ctx, s.farKey(key), b, k.left(s.o))
		}
	}
	return k
}

// farKey is the key of a ref elsewhere: refs may be long, and are what people pasted.
func (s *shelf) farKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.prefix + hex.EncodeToString(sum[:16])
}

// shelfVersion is that of packed: processes of different versions do not read each
// other's answers. A test holds it to what an offer is made of.
const shelfVersion = "1"

// packed is an answer outside of this process. Money stays whole numbers of fen.
type packed struct {
	Offer  *link.Offer `json:"offer,omitempty"` // without what was asked for
	Reason string      `json:"reason,omitempty"`
	Until  time.Time   `json:"until"`
}

func pack(k kept) packed {
	if k.miss != nil {
		return packed{Reason: fault.ReasonOf(k.miss), Until: k.until}
	}
	k.offer.Source = link.Ref{}
	return packed{Offer: &k.offer, Until: k.until}
}

// unpack reads an answer; ok is false for what is none.
func unpack(b []byte) (k kept, ok bool) {
	var p packed
	if json.Unmarshal(b, &p) != nil || p.Until.IsZero() {
		return kept{}, false
	}
	k.until = p.Until
	if p.Offer == nil {
		k.miss = fault.New(fault.NotFound, p.Reason)
		return k, true
	}
	k.offer = *p.Offer
	return k, true
}
