package billfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/money"
	"fanli/core/reconcile"
)

// joinMax is over how many lines a quoted cell may go. A quote that is never
// closed would otherwise swallow the rest of the file.
const joinMax = 5

// records yields the lines, those with an open quote joined with what follows. If
// that does not close it, the line stays alone, and is unreadable.
func (f *File) records() iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		var waiting []line
		for l, err := range f.lines() {
			if err != nil {
				yield(l, err)
				return
			}
			waiting = append(waiting, l)
			for len(waiting) > 0 {
				r, used := join(waiting)
				if used == 0 {
					break
				}
				waiting = waiting[used:]
				if !yield(r, nil) {
					return
				}
			}
		}
		for _, l := range waiting {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// join makes a record of the first lines and says of how many; 0 wants more.
func join(lines []line) (line, int) {
	r := lines[0]
	for i := range lines {
		if i > 0 {
			r.text += "\n" + lines[i].text
		}
		if strings.Count(r.text, `"`)%2 == 0 {
			return r, i + 1
		}
	}
	if len(lines) < joinMax && len(r.text) < rowBytesMax {
		return r, 0
	}
	return lines[0], 1
}

// split returns the cells of a record. ="0012" is how numbers are kept from losing
// their zeros.
func split(text string, comma rune) ([]string, error) {
	plain := strings.ReplaceAll(string(comma)+text, string(comma)+`="`, string(comma)+`"`)[1:]
	r := csv.NewReader(strings.NewReader(plain))
	r.Comma, r.FieldsPerRecord = comma, -1
	cells, err := r.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		err = parse.Err // its line is that of the record
	}
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	return cells, err
}

// clean takes off what files put around values so that spreadsheets leave them
// alone.
func clean(s string) string {
	s = strings.TrimSpace(s)
	return strings.Trim(s, " \t`'\u00a0")
}

// A parser knows where the columns are.
type parser struct {
	f *File

	key, sum, less, fee, price, refund, state, since, back, backSince, came int

	only map[int][]string // columns that say what a row is about, with the words for us
}

func (f *File) parser() *parser {
	c := f.column
	m := f.format
	p := &parser{f, c(m.Key), c(m.Sum), c(m.Less), c(m.Fee), c(m.Price), c(m.Refund), c(m.State), c(m.Time), c(m.Back), c(m.BackTime), c(m.Came), map[int][]string{}}
	for name, words := range m.Only {
		if i := c([]string{name}); i >= 0 {
			p.only[i] = words
		}
	}
	return p
}

// errElsewhere says that a row is about something else.
var errElsewhere = errors.New("about something else")

// row reads one record; ok is false for one that is about something else. The first
// thing that is odd makes it unreadable.
func (p *parser) row(l line) (_ reconcile.Row, ok bool) {
	r := reconcile.Row{Number: l.number, Raw: l.text}
	err := p.read(l, &r)
	if err != nil {
		r = reconcile.Row{Number: l.number, Raw: l.text, Key: r.Key, Bad: err.Error()}
	}
	return r, !errors.Is(err, errElsewhere)
}

// ours reports whether a row is about what the format is for.
func (p *parser) ours(cells []string) bool {
	for i, words := range p.only {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(cells[i], w) }) {
			return true
		}
	}
	return len(p.only) == 0
}

func (p *parser) read(l line, r *reconcile.Row) (err error) {
	if l.long {
		return fmt.Errorf("longer than %d bytes", rowBytesMax)
	}
	cells, err := split(l.text, p.f.comma)
	if err != nil {
		return err
	}
	trailing := len(cells) == len(p.f.head)+1 && cells[len(cells)-1] == "" // a comma at the end of the line
	if len(cells) != len(p.f.head) && !trailing {
		return fmt.Errorf("%d cells under a header of %d", len(cells), len(p.f.head))
	}
	cell := func(i int) string {
		if i < 0 || cells[i] == "--" {
			return ""
		}
		return cells[i]
	}
	if !p.ours(cells) {
		return errElsewhere
	}
	r.Key = cell(p.key)
	if came, err := p.amount("sum", cell(p.came)); err == nil && came != 0 {
		if r.Key == "" { // somebody has sent us money
			return errElsewhere
		}
		r.State = reconcile.Returned
		return p.readTime(cell(p.since), r)
	}
	if r.Key == "" {
		return errors.New("no key")
	}
	if r.Sum, err = p.amount("sum", cell(p.sum)); err != nil {
		return err
	}
	if p.f.format.Outgoing && r.Sum < 0 {
		r.Sum = -r.Sum
	}
	if err := p.readSums(cell, r); err != nil {
		return err
	}
	since := p.since
	if back := cell(p.back); back != "" {
		r.Key, since = back, p.backSince
		if r.Sum > 0 {
			r.Sum = -r.Sum
		}
	}
	if err := p.readFee(cell(p.fee), r); err != nil {
		return err
	}
	if err := p.readState(cell(p.state), r); err != nil {
		return err
	}
	return p.readTime(cell(since), r)
}

// readSums reads what may stand beside the sum: a deduction from it, and what the buyer
// has paid and got back.
func (p *parser) readSums(cell func(int) string, r *reconcile.Row) (err error) {
	for _, o := range []struct {
		what, text string
		to         *money.Fen
		has        *bool
	}{
		{"deduction", cell(p.less), new(money.Fen), new(bool)},
		{"price", cell(p.price), &r.Price, &r.HasPrice},
		{"refund", cell(p.refund), &r.Refund, &r.HasRefund},
	} {
		if o.text == "" {
			continue
		}
		*o.has = true
		if *o.to, err = p.amount(o.what, o.text); err != nil {
			return err
		}
		if o.what == "deduction" {
			r.Sum -= *o.to
		}
	}
	return nil
}

// amount reads a sum exactly.
func (p *parser) amount(what, text string) (money.Fen, error) {
	if p.f.format.Fen {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n > int64(money.FenMax) || n < -int64(money.FenMax) {
			return 0, fmt.Errorf("the %s %q is no whole number of fen", what, text)
		}
		return money.Fen(n), nil
	}
	n, err := money.ParseYuan(strings.TrimPrefix(text, "¥"), money.Exact)
	if err != nil {
		return 0, fmt.Errorf("the %s %q is no amount", what, text)
	}
	return n, nil
}

// readFee reads what was kept of the sum. Collectors write it with one sign or the other:
// what counts is whether money came, of which something is kept, or went, with which it is
// given back. WeChat Pay writes five digits behind the point.
func (p *parser) readFee(text string, r *reconcile.Row) error {
	if text == "" {
		return nil
	}
	fee, err := money.ParseYuan(text, money.HalfUp)
	if err != nil || max(fee, -fee) > max(r.Sum, -r.Sum) {
		return fmt.Errorf("the fee %q is none of %s", text, r.Sum)
	}
	r.Fee, r.HasFee = max(fee, -fee), true
	if r.Sum < 0 {
		r.Fee = -r.Fee
	}
	return nil
}

func (p *parser) readState(text string, r *reconcile.Row) error {
	if text == "" {
		return nil
	}
	state, ok := p.f.format.States[text]
	if !ok {
		return fmt.Errorf("the state %q is not known", text)
	}
	r.State = state
	if slices.Contains(p.f.format.Void, state) {
		r.Sum = 0
	}
	return nil
}

// layouts are how times are written.
func layouts() []string {
	return []string{time.DateTime, time.DateOnly, "2006-01-02 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006/1/2", "20060102", time.RFC3339}
}

func (p *parser) readTime(text string, r *reconcile.Row) error {
	if text == "" || text == "0" {
		return nil
	}
	for _, l := range layouts() {
		if t, err := time.ParseInLocation(l, text, p.f.zone); err == nil {
			r.At = t
			return nil
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 1e9 && n < 1e10 { // seconds
		r.At = time.Unix(n, 0).In(p.f.zone)
		return nil
	}
	return fmt.Errorf("the time %q is not known", text)
}
