package rebate

import (
	"slices"

	"fanli/core/money"
)

// guard refuses rules whose shares of the commission can add up to more than all
// of it. Those with a budget are left out: the budget pays for them.
func (r Rules) guard(bad func(format string, args ...any)) {
	var rs []Rule
	for _, rule := range r.All() {
		if rule.Budget == "" {
			rs = append(rs, rule)
		}
	}
	g := &worst{steps: boundsSteps}
	g.search(rs, 0)
	switch {
	case g.steps == 0:
		bad("rules: there are so many conditions that nobody can say what they give at most; use fewer")
	case g.sum > money.Whole:
		bad("rules: together they can give %s of the commission: %v; lower them, or let a budget pay for one", g.sum, g.names)
	}
}

// worst looks for the subject that gets most.
type worst struct {
	steps int
	sum   money.Bps
	names []string
}

// dimensions are the ways in which rules can differ. Each returns what a rule says
// about it: values, or a range.
func dimensions() []func(w When) condition {
	texts := func(vs []string) condition {
		return condition{any: len(vs) == 0, texts: vs}
	}
	span := func(from, until int64) condition { return condition{from: from, until: until, ranged: true} }
	const end = 1 << 62
	return []func(w When) condition{
		func(w When) condition { return texts(w.Networks) },
		func(w When) condition { return texts(w.Categories) },
		func(w When) condition { return texts(w.Shops) },
		func(w When) condition { return texts(w.Items) },
		func(w When) condition { return texts(among1(w.Inviter)) },
		func(w When) condition { return condition{any: len(w.Users) == 0, users: w.Users} },
		func(w When) condition { return span(int64(w.LevelFrom), int64(w.lastLevel())+1) },
		func(w When) condition {
			from, until := int64(-end), int64(end)
			if !w.From.IsZero() {
				from = w.From.UnixMilli()
			}
			if !w.Until.IsZero() {
				until = w.Until.UnixMilli()
			}
			return span(from, until)
		},
		func(w When) condition {
			if w.PriceUntil == 0 {
				return span(int64(w.PriceFrom), end)
			}
			return span(int64(w.PriceFrom), int64(w.PriceUntil))
		},
	}
}

// among1 is the list of one value; none for "".
func among1(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

// A condition is what a rule says about one dimension.
type condition struct {
	any         bool
	texts       []string
	users       []int64
	ranged      bool
	from, until int64
}

// A probe is one value of a dimension. An empty one is what no rule names: rules
// with an empty value do not get here.
type probe struct {
	text string
	num  int64
}

func (c condition) has(p probe) bool {
	switch {
	case c.ranged:
		return p.num >= c.from && p.num < c.until
	case c.any:
		return true
	default:
		return slices.Contains(c.texts, p.text) || slices.Contains(c.users, p.num)
	}
}

func (c condition) probes() (out []probe) {
	if c.ranged {
		return []probe{{num: c.from}} // what applies changes only where a range begins or ends
	}
	for _, t := range c.texts {
		out = append(out, probe{text: t})
	}
	for _, u := range c.users {
		out = append(out, probe{num: u})
	}
	return out
}

// search tries every value of a dimension that makes a difference.
func (g *worst) search(rs []Rule, dim int) {
	if g.steps == 0 {
		return
	}
	if g.steps--; most(rs) <= max(g.sum, money.Whole) {
		return
	}
	ds := dimensions()
	if dim == len(ds) {
		if sum, names := total(rs); sum > g.sum {
			g.sum, g.names = sum, names
		}
		return
	}
	tried := map[probe]bool{}
	probes := []probe{{}}
	for _, r := range rs {
		c := ds[dim](r.When)
		probes = append(probes, c.probes()...)
		if c.ranged {
			probes = append(probes, probe{num: c.until})
		}
	}
	for _, p := range probes {
		if tried[p] {
			continue
		}
		tried[p] = true
		var left []Rule
		for _, r := range rs {
			if ds[dim](r.When).has(p) {
				left = append(left, r)
			}
		}
		g.search(left, dim+1)
	}
}

// most bounds what rules can give together.
func most(rs []Rule) (sum money.Bps) {
	var base money.Bps
	for _, r := range rs {
		if r.Mode == Base {
			base = max(base, r.Give.most())
		} else {
			sum += max(r.Give.most(), 0)
		}
	}
	return sum + base
}

// total is what rules that all apply give together.
func total(rs []Rule) (sum money.Bps, names []string) {
	based := false
	for _, r := range rs {
		if r.Mode == Base && based {
			continue
		}
		based = based || r.Mode == Base
		sum += r.Give.most()
		names = append(names, r.Name)
	}
	return sum, names
}

func (g Give) most() money.Bps {
	b := g.Commission
	for _, t := range g.Tiers {
		b = max(b, t.Share)
	}
	return b
}
