package link

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// How long lists of deals last, and how much is asked for one. Of each network and word
// one page is asked for, word after word, so that a list costs a network no more than
// DealWordsMax calls in DealsFresh, whoever asks how often.
const (
	DealsFresh   = 15 * time.Minute // everybody sees the same list so long
	DealWordsMax = 12

	dealsPartly = time.Minute      // the same, where a network did not answer
	dealsFailed = 10 * time.Second // so long nobody is asked again, where none answered
	dealsEach   = 5                // offers of a network for a word
	dealsMax    = 20               // in a list: all are promised, to be in the order of what the user saves
	dealLists   = 200              // that are kept in this process
	dealsFormat = "deals/1/"       // of what is shared between processes
)

// Deals is a page of what is worth buying now.
type Deals struct {
	Quotes []Quote // what saves most first
	More   bool    // there is a next page
	Away   []string
}

// Deals returns goods that save their buyers most, by coupon and commission: those of
// DealWords, or of the words that are given. The goods are the same for everybody for a
// while; what a user gets of each is the user's own, and so is their order. Networks that
// fail are named; the error is only returned where none answered.
func (d *Desk) Deals(ctx context.Context, user int64, words string, page, count int) (Deals, error) {
	l, err := d.deals.list(ctx, strings.ToLower(words), d.Now, func(ctx context.Context) (dealList, error) {
		return d.findDeals(ctx, words)
	})
	if err != nil {
		return Deals{}, err
	}
	off, away := map[string]bool{}, slices.Clone(l.Away)
	for _, s := range d.searchers() {
		if off[s.name] = d.stopped(ctx, s.name) != nil; off[s.name] && !slices.Contains(away, s.name) {
			away = append(away, s.name)
		}
	}
	offers := slices.DeleteFunc(slices.Clone(l.Offers), func(o Offer) bool { return off[o.Network] })
	qs, err := d.quotes(ctx, user, offers)
	if err != nil {
		return Deals{}, err
	}
	slices.SortStableFunc(qs, func(a, b Quote) int { return cmp.Compare(b.Saved(), a.Saved()) })
	from := min((page-1)*count, len(qs))
	to := min(from+count, len(qs))
	return Deals{qs[from:to], to < len(qs), away}, nil
}

// A dealList is what everybody sees for a while.
type dealList struct {
	Offers []Offer   `json:"offers"`
	Away   []string  `json:"away,omitempty"`
	Until  time.Time `json:"until"`
}

// findDeals makes a list, or takes the one that another process has made.
func (d *Desk) findDeals(ctx context.Context, words string) (l dealList, err error) {
	name := dealsFormat + strings.ToLower(words)
	if d.Shared != nil {
		if b, ok := d.Shared.Get(ctx, name); ok && json.Unmarshal(b, &l) == nil && d.Now().Before(l.Until) {
			return l, nil
		}
	}
	all := []string{words}
	if words == "" {
		all = d.dealWords()
	}
	ctx, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	if l, err = d.askDeals(ctx, all[:min(len(all), DealWordsMax)]); err != nil {
		return dealList{}, err
	}
	lasts := DealsFresh
	if len(l.Away) > 0 {
		lasts = dealsPartly
	}
	l.Until = d.Now().Add(lasts)
	if b, err := json.Marshal(l); err == nil && d.Shared != nil {
		d.Shared.Set(ctx, name, b, lasts)
	}
	return l, nil
}

// askDeals asks all networks at the same time, each for one word after the other.
func (d *Desk) askDeals(ctx context.Context, words []string) (l dealList, err error) {
	searchers := d.searchers()
	if len(searchers) == 0 {
		return l, fault.New(fault.NotFound, "link.no_search")
	}
	answers := make([]found, len(searchers))
	var wg sync.WaitGroup
	for i, s := range searchers {
		answers[i].name = s.name
		wg.Go(func() {
			if answers[i].err = d.stopped(ctx, s.name); answers[i].err != nil {
				return
			}
			for _, w := range words {
				offers, err := s.find(ctx, w, 1, dealsEach)
				if err != nil { // what is slow or tired of us is left alone
					answers[i].err = err
					return
				}
				answers[i].offers = append(answers[i].offers, offers...)
			}
		})
	}
	wg.Wait()
	heard := false
	for _, a := range answers {
		if a.err != nil {
			l.Away, err = append(l.Away, a.name), a.err
		}
		heard = heard || a.err == nil || len(a.offers) > 0
		l.Offers = append(l.Offers, a.offers...)
	}
	if !heard {
		return l, err
	}
	l.Offers = best(l.Offers)
	return l, nil
}

// best puts what saves most first, each thing once, without what saves nothing.
func best(offers []Offer) []Offer {
	offers = slices.DeleteFunc(distinct(offers), func(o Offer) bool { return saved(o) <= 0 })
	slices.SortFunc(offers, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(saved(b), saved(a)), cmp.Compare(a.Final, b.Final), strings.Compare(key(a), key(b)))
	})
	return offers[:min(len(offers), dealsMax)]
}

// Saved is what the buyer saves by coupon and rebate.
func (q Quote) Saved() money.Fen { return max(q.Offer.Price, q.Offer.Final) - q.Net() }

// saved is what the price falls by, and what there is to share: the same for everybody.
func saved(o Offer) money.Fen { return max(o.Price-o.Final, 0) + o.Commission }

// A dealShelf keeps lists, and lets many who ask for one at the same time wait for it
// together.
type dealShelf struct {
	mu    sync.Mutex
	lists map[string]*dealFlight
}

// A dealFlight is a list that is there, or on its way.
type dealFlight struct {
	there chan struct{} // closed when it is
	list  dealList
	err   error
	until time.Time
}

// list returns the list of a name, or makes it by find. The call belongs to nobody: who
// asked leaves at the own deadline, and it goes on for the others.
func (s *dealShelf) list(ctx context.Context, name string, now func() time.Time, find func(context.Context) (dealList, error)) (dealList, error) {
	f := s.flight(ctx, name, now, find)
	select {
	case <-f.there:
		return f.list, f.err
	case <-ctx.Done():
		return dealList{}, fault.Wrap(fault.Unavailable, "link.Deals", ctx.Err())
	}
}

func (s *dealShelf) flight(ctx context.Context, name string, now func() time.Time, find func(context.Context) (dealList, error)) *dealFlight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.lists[name]; f != nil && !f.over(now()) {
		return f
	}
	if s.lists == nil || len(s.lists) >= dealLists {
		s.lists = map[string]*dealFlight{}
	}
	f := &dealFlight{there: make(chan struct{})}
	s.lists[name] = f
	own := context.WithoutCancel(ctx)
	go func() {
		defer close(f.there)
		f.until = now().Add(dealsFailed)
		if f.list, f.err = find(own); f.err == nil {
			f.until = f.list.Until
		}
	}()
	return f
}

// over reports whether a list is there and too old.
func (f *dealFlight) over(now time.Time) bool {
	select {
	case <-f.there:
		return !now.Before(f.until)
	default:
		return false
	}
}
