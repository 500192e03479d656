package link

import (
	"context"
	"slices"
	"strings"

	"fanli/core/alike"
	"fanli/core/fault"
)

// Bounds of a comparison: each network is searched once, and once more with other words
// if it found nothing that fits, for so many offers, of which so many of each network are shown, and
// so many in all.
const (
	comparedAsked   = 10
	comparedEach    = 2
	comparedRows    = 7
	comparedSimilar = 2
)

// A Basis is what is compared: words, goods behind a ref, or goods that are known.
type Basis struct {
	Words string
	Ref   Ref   // its Kind is "" where there is none
	Offer Offer // its Item is "" where there is none
}

// A Compared is a quote with how sure it is that it is for the same goods.
type Compared struct {
	Quote Quote
	Alike alike.Result
	Basis bool // it is the one that the others are held against
}

// A Comparison is what several networks offer for the same goods.
type Comparison struct {
	Title   string     // of the goods that all are held against
	Rows    []Compared // the same and likely the same, the lowest net price first
	Similar []Compared // of the same kind, the lowest net price first
	Asked   []string   // networks whose answers are in it
	Away    []string   // networks that were not asked, or did not answer in time
}

// Compare finds the same goods on all networks that can search, and says what user would
// pay and get at each. Without goods to compare with it takes those of the words that
// most networks have. Networks that fail are named; the error is only returned where the
// basis cannot be had, as of Quote, or nobody answered, as of Search. No link is made.
func (d *Desk) Compare(ctx context.Context, user int64, b Basis) (Comparison, error) {
	asking, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	if b.Offer.Item == "" && b.Ref.Kind != "" {
		o, err := d.offer(asking, b.Ref)
		if err != nil {
			return Comparison{}, err
		}
		b.Offer = o
	}
	c, all, err := d.everywhere(asking, b)
	if b.Offer.Item != "" {
		all = append([]Offer{b.Offer}, all...)
		if !slices.Contains(c.Asked, b.Offer.Network) {
			c.Asked = append(c.Asked, b.Offer.Network)
			c.Away = slices.DeleteFunc(c.Away, func(n string) bool { return n == b.Offer.Network })
		}
	} else if err != nil {
		return Comparison{}, err
	}
	all = distinct(all)
	if b.Offer.Item == "" {
		all = basisFirst(all, b.Words)
	}
	if len(all) == 0 {
		return c, nil
	}
	return d.compared(ctx, user, c, all, b.Words)
}

// about is the text that says what is compared.
func (b Basis) about() string {
	if b.Offer.Item != "" {
		return b.Offer.Title
	}
	return b.Words
}

// queries are what to search for, at most two.
func (b Basis) queries() []string {
	about := b.about()
	all := alike.Read(about).Queries()
	if b.Offer.Item == "" || len(all) == 0 { // people know best what they look for
		all = slices.Compact(append([]string{about}, all...))
	}
	return all[:min(len(all), 2)]
}

// offer asks a network for the offer behind ref.
func (d *Desk) offer(ctx context.Context, ref Ref) (Offer, error) {
	n, err := d.network(ref.Network)
	if err != nil {
		return Offer{}, err
	}
	if err := d.stopped(ctx, ref.Network); err != nil {
		return Offer{}, err
	}
	o, err := n.Offer(ctx, ref)
	return o, fault.In("link.Quote", err)
}

// everywhere searches all networks that are not stopped, and says who answered.
func (d *Desk) everywhere(ctx context.Context, b Basis) (c Comparison, all []Offer, err error) {
	var on []searcher
	for _, s := range d.searchers() {
		if stopped := d.stopped(ctx, s.name); stopped != nil {
			c.Away, err = append(c.Away, s.name), stopped
			continue
		}
		on = append(on, s)
	}
	if len(on)+len(c.Away) == 0 {
		return c, nil, fault.New(fault.NotFound, "link.no_search")
	}
	queries := b.queries()
	found := ask(ctx, on, queries[0], 1, comparedAsked)
	if len(queries) > 1 {
		askAgain(ctx, on, found, queries[1], alike.Read(b.about()))
	}
	for _, f := range found {
		if f.err != nil {
			c.Away = append(c.Away, f.name)
			continue
		}
		c.Asked = append(c.Asked, f.name)
	}
	lists, failed := answered(found)
	if failed != nil {
		err = failed
	}
	if len(lists) > 0 {
		err = nil
	}
	return c, interleave(lists), err
}

// askAgain searches with other words where nothing was found that fits. answers are in the
// order of on.
func askAgain(ctx context.Context, on []searcher, answers []found, words string, wanted alike.Title) {
	fits := func(o Offer) bool { return !alike.Compare(wanted, alike.Read(o.Title)).Contradicted() }
	var without []searcher
	var at []int
	for i, f := range answers {
		if f.err == nil && !slices.ContainsFunc(f.offers, fits) {
			without, at = append(without, on[i]), append(at, i)
		}
	}
	for i, f := range ask(ctx, without, words, 1, comparedAsked) {
		answers[at[i]].offers = append(answers[at[i]].offers, f.offers...)
	}
}

// distinct leaves out goods that are there before.
func distinct(offers []Offer) []Offer {
	seen := map[string]bool{}
	return slices.DeleteFunc(offers, func(o Offer) bool {
		key := o.Network + "/" + o.ItemKey()
		twice := seen[key]
		seen[key] = true
		return twice
	})
}

// basisFirst puts the goods first that most networks have, of those that do not
// contradict the words. It returns none where all do.
func basisFirst(offers []Offer, words string) []Offer {
	wanted := alike.Read(words)
	var fit, unfit []Offer
	var titles []alike.Title
	for _, o := range offers {
		if t := alike.Read(o.Title); !alike.Compare(wanted, t).Contradicted() {
			fit, titles = append(fit, o), append(titles, t)
		} else {
			unfit = append(unfit, o)
		}
	}
	best, most := 0, 0
	for i := range fit {
		at := map[string]bool{}
		for k := range fit {
			if i == k || alike.Compare(titles[i], titles[k]).Sure() {
				at[fit[k].Network] = true
			}
		}
		if len(at) > most {
			best, most = i, len(at)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	basis := fit[best]
	return slices.Concat([]Offer{basis}, slices.Delete(fit, best, best+1), unfit)
}

// against holds a title against that of the basis, and against the words by which it was
// looked for, if there are any: what contradicts those is not the same either.
func against(basis alike.Title, words, title string) alike.Result {
	t := alike.Read(title)
	r := alike.Compare(basis, t)
	if words == "" || !r.Sure() {
		return r
	}
	if w := alike.Compare(alike.Read(words), t); w.Contradicted() {
		return w
	}
	return r
}

// compared holds offers against the first one and puts them in order.
func (d *Desk) compared(ctx context.Context, user int64, c Comparison, all []Offer, words string) (Comparison, error) {
	c.Title = all[0].Title
	basis := alike.Read(c.Title)
	offers := []Offer{all[0]}
	of := map[string]alike.Result{key(all[0]): {Verdict: alike.Same, Because: []alike.Reason{alike.Name}}}
	rest := slices.Clone(all[1:])
	slices.SortStableFunc(rest, func(a, b Offer) int { return int(a.Final - b.Final) })
	each, similar := map[string]int{}, 0
	for _, o := range rest {
		r := against(basis, words, o.Title)
		switch {
		case r.Sure() && each[o.Network] < comparedEach:
			each[o.Network]++
		case r.Verdict == alike.Similar && similar < comparedSimilar:
			similar++
		default:
			continue
		}
		offers, of[key(o)] = append(offers, o), r
	}
	quotes, err := d.quotes(ctx, user, offers)
	if err != nil {
		return Comparison{}, err
	}
	for _, q := range quotes {
		one := Compared{q, of[key(q.Offer)], key(q.Offer) == key(all[0])}
		if one.Alike.Sure() {
			c.Rows = append(c.Rows, one)
		} else {
			c.Similar = append(c.Similar, one)
		}
	}
	slices.SortStableFunc(c.Rows, cheaper)
	slices.SortStableFunc(c.Similar, cheaper)
	for i := len(c.Rows) - 1; i >= 0 && len(c.Rows) > comparedRows; i-- {
		if !c.Rows[i].Basis {
			c.Rows = slices.Delete(c.Rows, i, i+1)
		}
	}
	return c, nil
}

func key(o Offer) string { return o.Network + "/" + o.ItemKey() }

// cheaper orders by what people pay in the end, and what is alike by name.
func cheaper(a, b Compared) int {
	if n := a.Quote.Net() - b.Quote.Net(); n != 0 {
		if n < 0 {
			return -1
		}
		return 1
	}
	return strings.Compare(key(a.Quote.Offer), key(b.Quote.Offer))
}
