package rebate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanli/core/money"
)

// Lines writes rules for people, one thing a line, so that two versions can be
// compared line by line.
func (r Rules) Lines() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for i, rule := range r.List {
		add("%d. %s", i+1, rule)
	}
	add("base %s of the commission", r.Base)
	add("fee %s, before it is shared", r.Fee)
	_, adds := r.simple()
	for _, rule := range adds {
		add("%s adds %s", rule.Name, rule.Give.Commission)
	}
	add("at most %s for one line", most0(r.Cap))
	add("nothing below %s", r.Minimum.Yuan())
	for _, n := range slices.Sorted(maps.Keys(r.HoldDays)) {
		add("hold %s: %d days", orDefault(n), r.HoldDays[n])
	}
	add("inviters get %s and %s of what the house keeps", r.Referral.First, r.Referral.Second)
	way := r.Settle
	if way == "" {
		way = SettleActual
	}
	add("a settled line is computed from: %s", strings.TrimSpace(string(way)+" "+r.SettleBudget))
	if len(r.Budgets) > 0 {
		add("budgets that may pay: %s", strings.Join(r.Budgets, ", "))
	}
	return out
}

func most0(n money.Fen) string {
	if n == 0 {
		return "anything"
	}
	return n.Yuan()
}

func orDefault(s string) string {
	if s == "" {
		return "default"
	}
	return s
}

// String writes a rule for people: "618: add 5% of the commission when networks
// [jd]".
func (r Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s", r.Name, r.Mode, r.Give)
	if w := r.When.String(); w != "" {
		b.WriteString(" when " + w)
	}
	for _, p := range []struct {
		what string
		n    money.Fen
	}{{"at least", r.Minimum}, {"at most", r.Cap}, {"in steps of", r.Round}, {"for one user in all at most", r.UserCap}} {
		if p.n > 0 {
			fmt.Fprintf(&b, ", %s %s", p.what, p.n.Yuan())
		}
	}
	if r.Budget != "" {
		b.WriteString(", budget " + r.Budget)
	}
	return b.String()
}

// String writes what is given.
func (g Give) String() string {
	switch {
	case g.Price != 0:
		return g.Price.String() + " of the price"
	case g.Fixed != 0:
		return g.Fixed.Yuan()
	case g.Rebate != 0:
		return g.Rebate.String() + " of the rebate"
	case len(g.Tiers) > 0:
		var parts []string
		for _, t := range g.Tiers {
			parts = append(parts, fmt.Sprintf("%s from %s", t.Share, t.From.Yuan()))
		}
		return "of the commission " + strings.Join(parts, ", ")
	default:
		return g.Commission.String() + " of the commission"
	}
}

// String writes the conditions; "" for none.
func (w When) String() string {
	var parts []string
	for _, c := range []struct {
		name string
		n    int
		of   any
	}{
		{"networks", len(w.Networks), w.Networks}, {"categories", len(w.Categories), w.Categories}, {"shops", len(w.Shops), w.Shops},
		{"items", len(w.Items), w.Items}, {"users", len(w.Users), w.Users},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %v", c.name, c.of))
		}
	}
	switch {
	case w.LevelTo > 0 || w.LevelOnly:
		parts = append(parts, fmt.Sprintf("level %d to %d", w.LevelFrom, w.LevelTo))
	case w.LevelFrom > 0:
		parts = append(parts, fmt.Sprintf("level %d or above", w.LevelFrom))
	}
	if w.Inviter != "" {
		parts = append(parts, "inviter "+w.Inviter)
	}
	if !w.From.IsZero() {
		parts = append(parts, "from "+w.From.Format(time.RFC3339))
	}
	if !w.Until.IsZero() {
		parts = append(parts, "until "+w.Until.Format(time.RFC3339))
	}
	if w.PriceFrom > 0 {
		parts = append(parts, "price from "+w.PriceFrom.Yuan())
	}
	if w.PriceUntil > 0 {
		parts = append(parts, "price below "+w.PriceUntil.Yuan())
	}
	return strings.Join(parts, ", ")
}

// Compare returns the lines of two versions that are not in both: "- base 70% of
// the commission". Versions can differ and mean the same: "" and "settled" are one
// way to settle.
func Compare(old, now Rules) (out []string) {
	a, b := old.Lines(), now.Lines()
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "+ "+l)
		}
	}
	if len(out) == 0 && !Same(old, now) {
		out = append(out, "  the same in other words")
	}
	return out
}
