package reconcile

import (
	"fmt"
	"strings"
	"time"

	"fanli/core/money"
)

// Words says what is wrong, with both sums.
func (f Finding) Words() string {
	switch f.Kind {
	case Matched:
		return "matches: " + f.Row.Sum.String()
	case MissingHere:
		return "they list " + f.Row.Sum.String() + "; we do not know it"
	case MissingThere:
		return "we have " + f.Ours.Sum.String() + " booked; they do not list it"
	case Twice:
		return "the key was listed before; this row has " + f.Row.Sum.String()
	case Unreadable:
		return "cannot be read: " + f.Row.Bad
	case Differs:
	}
	parts := make([]string, len(f.What))
	for i, a := range f.What {
		parts[i] = f.aspect(a)
	}
	return strings.Join(parts, "; ")
}

// aspect says in what way a finding differs in one aspect.
func (f Finding) aspect(a Aspect) string {
	r, o := f.Row, f.Ours
	switch a {
	case Sum:
		return versus("sum", r.Sum, o.Sum-o.Before)
	case Price:
		return versus("price", r.Price, o.Price)
	case Refund:
		return versus("refund", r.Refund, o.Refund)
	case State:
		return fmt.Sprintf("state: they have %s, we have %s", r.State, o.State)
	case Shift:
		return fmt.Sprintf("period: they have %s, we have %s", day(r.At), day(o.At))
	case Ledger:
		return fmt.Sprintf("ledger: %s is booked for what we know as %s", o.Sum, o.Said)
	}
	return string(a)
}

// versus says which sums differ, and by how much theirs is more.
func versus(what string, theirs, ours money.Fen) string {
	sign := "+"
	if theirs < ours {
		sign = ""
	}
	return fmt.Sprintf("%s: they have %s, we have %s (%s%s)", what, theirs, ours, sign, theirs-ours)
}

// day writes the day of a time in its own zone.
func day(t time.Time) string {
	if t.IsZero() {
		return "no date"
	}
	return t.Format(time.DateOnly)
}

// Header is the header of a report as a table.
func Header() []string {
	return []string{"kind", "key", "row", "differs", "theirs", "ours", "difference", "words", "raw"}
}

// Record is a finding as a row of a table. No cell begins with what a spreadsheet
// would compute.
func (f Finding) Record() []string {
	what := make([]string, len(f.What))
	for i, a := range f.What {
		what[i] = string(a)
	}
	out := []string{string(f.Kind), f.Key, "", strings.Join(what, " "), "", "", "", f.Words(), ""}
	if f.Row.Number > 0 {
		out[2] = fmt.Sprint(f.Row.Number)
	}
	var theirs, ours money.Fen
	if f.Kind != MissingThere && f.Kind != Unreadable {
		theirs = f.Row.Sum
		out[4] = theirs.String()
	}
	if f.Kind == Matched || f.Kind == Differs || f.Kind == MissingThere {
		ours = f.Ours.Sum - f.Ours.Before
		out[5] = ours.String()
	}
	if f.Kind != Unreadable {
		out[6] = (theirs - ours).String()
	} else {
		out[8] = f.Row.Raw
	}
	for i := range out {
		out[i] = Harmless(out[i])
	}
	return out
}

// Harmless returns a cell that a spreadsheet shows and does not compute: one that
// begins like a formula is marked as text. A number keeps its sign.
func Harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return cell
	}
	if _, err := money.ParseYuan(cell, money.Exact); err == nil && cell[0] == '-' {
		return cell
	}
	return "'" + cell
}
