package link

import (
	"context"
	"runtime/debug"

	"fanli/core/fault"
)

// Search finds goods by words on every network that can, the networks in turn and
// each in its own order. A page has about count offers, an equal part of each
// network's, and page after page shows all that they have; only an empty page is
// the end. Networks that fail are left out; the error is only returned when none
// answered.
func (d *Desk) Search(ctx context.Context, user int64, words string, page, count int) ([]Quote, error) {
	asking, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	searchers := d.searchers()
	if len(searchers) == 0 {
		return nil, fault.New(fault.NotFound, "link.no_search")
	}
	found := ask(asking, searchers, words, page, max(1, count/len(searchers)))
	lists, err := answered(found)
	if err != nil {
		return nil, err
	}
	return d.quotes(ctx, user, interleave(lists)) // one that has used up the time must not spoil what others found
}

// A searcher is a network that finds goods, with its name.
type searcher struct {
	Searcher
	name string
}

// find searches, and survives whatever happens on the way: nobody else watches over the
// goroutine that it runs in.
func (s searcher) find(ctx context.Context, words string, page, count int) (offers []Offer, err error) {
	defer func() {
		if p := recover(); p != nil {
			offers, err = nil, fault.Newf(fault.Internal, "", "panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.Search(ctx, words, page, count)
}

func (d *Desk) searchers() (out []searcher) {
	for _, n := range d.Networks {
		if s, ok := n.(Searcher); ok {
			out = append(out, searcher{s, n.Name()})
		}
	}
	return out
}

// A found is what one network has answered.
type found struct {
	name   string
	offers []Offer
	err    error
}

// ask searches networks at the same time, each once.
func ask(ctx context.Context, searchers []searcher, words string, page, count int) []found {
	out := make([]found, len(searchers))
	done := make(chan struct{})
	for i, s := range searchers {
		out[i].name = s.name
		go func() {
			defer func() { done <- struct{}{} }()
			out[i].offers, out[i].err = s.find(ctx, words, page, count)
		}()
	}
	for range searchers {
		<-done
	}
	return out
}

// answered returns what those found who answered, and fails where nobody did.
func answered(all []found) (lists [][]Offer, err error) {
	for _, f := range all {
		if f.err != nil {
			err = f.err
			continue
		}
		lists = append(lists, f.offers)
	}
	if len(lists) > 0 {
		return lists, nil
	}
	return nil, err
}

// interleave takes the offers of several networks in turn, so that none is
// hidden behind another.
func interleave(lists [][]Offer) (out []Offer) {
	for i, some := 0, true; some; i++ {
		some = false
		for _, l := range lists {
			if i < len(l) {
				out, some = append(out, l[i]), true
			}
		}
	}
	return out
}

// quotes says what user would get for each offer.
func (d *Desk) quotes(ctx context.Context, user int64, offers []Offer) ([]Quote, error) {
	var out []Quote
	away := false // nobody is kept waiting for each of many that nobody can promise
	for _, o := range offers {
		promise := d.promise
		if away {
			promise = d.Later
		}
		p, err := promise(ctx, user, o)
		if err != nil {
			return nil, err
		}
		away = p.Late()
		out = append(out, Quote{o, p})
	}
	return out, nil
}
