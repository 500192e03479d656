package reconcile

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// listedMax bounds the adjustments that a report lists; all are counted.
const listedMax = 200

// A Standing is where one subject stands in a month.
type Standing struct {
	Subject  Subject
	Count    int64     // lines, payouts or takings of ours
	Booked   money.Fen // for them in the ledger
	Accepted money.Fen // of that
	Open     int64     // of them not accepted as they are booked
	Gap      money.Fen // booked and not accepted; may be below zero
	Strays   int64     // differences that are about none of them
	Compared bool      // somebody has compared it
}

// Stand says how all subjects stand in a month. It asks the books and not the
// comparisons, so what was corrected since is not open any more.
func (d *Desk) Stand(ctx context.Context, p Period) ([]Standing, error) {
	subjects, err := d.subjects(ctx, p)
	if err != nil {
		return nil, err
	}
	last, err := d.Store.Comparisons(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	strays, compared := map[Subject]int64{}, map[Subject]bool{}
	for _, c := range last {
		subjects = with(subjects, c.Subject)
		strays[c.Subject] += c.Strays
		compared[c.Subject] = true
	}
	out := make([]Standing, len(subjects))
	for i, s := range subjects {
		if out[i], err = d.stand(ctx, s, p, nil); err != nil {
			return nil, err
		}
		out[i].Strays, out[i].Compared = strays[s], compared[s]
	}
	return out, nil
}

// subjects are those that have something of ours in a period.
func (d *Desk) subjects(ctx context.Context, p Period) ([]Subject, error) {
	out, err := d.Lines.Feeds(ctx, p.From, p.To)
	if err != nil {
		return nil, err
	}
	payers, err := d.Store.Payers(ctx, p.From, p.To)
	if err != nil {
		return nil, err
	}
	for _, name := range payers {
		out = append(out, OfPayer(name))
	}
	collectors, err := d.Store.Collectors(ctx, p.From, p.To)
	for _, name := range collectors {
		out = append(out, OfCollector(name))
	}
	return out, err
}

// with returns the subjects with one more, if it is not among them.
func with(ss []Subject, s Subject) []Subject {
	if slices.Contains(ss, s) {
		return ss
	}
	return append(ss, s)
}

// stand adds up what we have of a subject in a period, and calls each, if there is
// one, with every page.
func (d *Desk) stand(ctx context.Context, s Subject, p Period, each func([]Ours) error) (Standing, error) {
	out, b, last := Standing{Subject: s}, d.book(s), ""
	for {
		page, err := b.page(ctx, p, last, pageMax)
		if err != nil {
			return out, err
		}
		for _, o := range page {
			last = o.Key
			out.Count++
			out.Booked += o.Sum
			out.Accepted += o.Before + o.Here
			if o.gap() != 0 {
				out.Open++
				out.Gap += o.gap()
			}
		}
		if each != nil && len(page) > 0 {
			if err := each(page); err != nil {
				return out, err
			}
		}
		if len(page) < pageMax {
			return out, nil
		}
	}
}

// Close closes a month, which must be over and follow the last one that was
// closed. It fails with fault.Conflict and closes nothing while there are open
// differences and no reason is given. Lines of months that were closed before and
// have changed since are adjusted in this one. It fails with fault.Conflict, too,
// while somebody else closes a month.
//
// The report says what was frozen: its sums are formed in the pass that freezes, and
// the adjustments are read in the transaction that closes, so that nobody can move
// anything between reading and freezing.
func (d *Desk) Close(ctx context.Context, p Period, actor, reason string) (Month, error) {
	keep, drop, err := d.hold(ctx)
	if err != nil {
		return Month{}, err
	}
	defer drop()
	previous, err := d.mayClose(ctx, p)
	if err != nil {
		return Month{}, err
	}
	standings, err := d.Stand(ctx, p)
	if err != nil {
		return Month{}, err
	}
	m := Month{Name: p.Name, At: d.Now(), Actor: actor, Reason: reason, Previous: previous}
	if err := m.mayHave(standings); err != nil {
		return m, err
	}
	for i, s := range standings {
		if standings[i], err = d.freeze(ctx, s, p, keep); err != nil {
			return m, err
		}
	}
	if err := m.mayHave(standings); err != nil { // something came while it was frozen
		return m, err
	}
	if err := d.adjust(ctx, p, keep); err != nil {
		return m, err
	}
	return m, d.Store.InTx(ctx, func(tx Tx) error {
		adjustments, err := tx.Caused(adjustCause(p))
		if err != nil {
			return err
		}
		m.Report = d.report(m, standings, adjustments)
		m.Hash = hashOf(m.Report)
		if err := tx.Close(m); err != nil {
			return err
		}
		return tx.Act(audit.Act{Actor: m.Actor, What: "month.close", On: "month/" + m.Name, Reason: m.Reason, After: m.Hash})
	})
}

// mayHave counts the open differences, and refuses them without a reason.
func (m *Month) mayHave(standings []Standing) error {
	m.Open = 0
	for _, s := range standings {
		m.Open += s.Open + s.Strays
	}
	if m.Open > 0 && m.Reason == "" {
		return fault.Newf(fault.Conflict, "", "%s has %d open differences: settle them, or say why it is closed with them", m.Name, m.Open)
	}
	return nil
}

// closeLease names the right to close a month, which is held for a while and kept
// with every page.
const (
	closeLease  = "payment/close"
	closeLength = 2 * time.Minute
)

// hold takes the right to close a month. keep renews it, drop gives it back.
func (d *Desk) hold(ctx context.Context) (keep func() error, drop func(), err error) {
	if d.Leases == nil {
		return func() error { return nil }, func() {}, nil
	}
	holder := rand.Text()
	keep = func() error {
		_, err := d.Leases.Take(ctx, closeLease, holder, closeLength)
		if fault.Is(err, fault.Conflict) {
			err = fault.Newf(fault.Conflict, "", "somebody else is closing a month: %w", err)
		}
		return err
	}
	drop = func() { _ = d.Leases.Drop(context.WithoutCancel(ctx), closeLease, holder) } // it ends by itself, too
	return keep, drop, keep()
}

// hashOf is the hash of a report.
func hashOf(report string) string {
	h := sha256.Sum256([]byte(report))
	return hex.EncodeToString(h[:])
}

// mayClose refuses months that cannot be closed now and returns the hash of the
// one before.
func (d *Desk) mayClose(ctx context.Context, p Period) (previous string, err error) {
	if p.Name != p.Month() {
		return "", fault.Newf(fault.Invalid, "", "%s is not a month", p.Name)
	}
	if d.Now().Before(p.To) {
		return "", fault.Newf(fault.Invalid, "", "%s is not over", p.Name)
	}
	months, err := d.Store.Months(ctx)
	if err != nil || len(months) == 0 {
		return "", err
	}
	last := months[len(months)-1]
	if p.Name <= last.Name {
		return "", fault.Newf(fault.Conflict, "", "%s is closed, or a later month is", p.Name)
	}
	next := p.From.AddDate(0, -1, 0).Format("2006-01")
	if next != last.Name {
		return "", fault.Newf(fault.Conflict, "", "%s was closed last; months are closed one after the other", last.Name)
	}
	return last.Hash, nil
}

// freeze remembers what the month's lines are as it is closed, and returns how they
// stand as it did so. Payouts and takings are final and need no memory.
func (d *Desk) freeze(ctx context.Context, was Standing, p Period, keep func() error) (Standing, error) {
	s := was.Subject
	if _, _, network := s.Feed(); !network {
		return was, nil
	}
	now, err := d.stand(ctx, s, p, func(page []Ours) error {
		if err := keep(); err != nil {
			return err
		}
		var fs []Frozen
		for _, o := range page {
			if o.Closed == "" || o.Closed == p.Name { // a line stays in the first month that it was closed in
				fs = append(fs, Frozen{Subject: s, Key: o.Key, Month: p.Name, Booked: o.Sum})
			}
		}
		return d.Store.InTx(ctx, func(tx Tx) error {
			if err := stillOpen(tx, p); err != nil {
				return err
			}
			return tx.Freeze(fs)
		})
	})
	now.Strays, now.Compared = was.Strays, was.Compared
	return now, err
}

// stillOpen refuses what somebody else's close has made too late.
func stillOpen(tx Tx, p Period) error {
	closed, err := tx.Closed(p.Month())
	if err == nil && closed {
		err = fault.Newf(fault.Conflict, "", "%s is closed: what comes late belongs to a month that is open", p.Month())
	}
	return err
}

func adjustCause(p Period) string { return "close/" + p.Name }

// adjust makes the adjustments of closed months' lines follow what has changed
// since.
func (d *Desk) adjust(ctx context.Context, p Period, keep func() error) error {
	for after := (Frozen{}); ; {
		if err := keep(); err != nil {
			return err
		}
		page, err := d.Store.Drifted(ctx, after, pageMax)
		if err != nil {
			return err
		}
		for _, f := range page {
			after = f
			if f.Month >= p.Name {
				continue
			}
			if err := d.adjustLine(ctx, p, f); err != nil {
				return err
			}
		}
		if len(page) < pageMax {
			return nil
		}
	}
}

// due is by how much a line of a closed month is to be adjusted: by what has
// changed since, as far as it is what keeps the clearing account from zero. A
// deduction that the network makes later takes it back.
func due(f Frozen, accepted money.Fen) money.Fen {
	changed, gap := f.Now-f.Booked, f.Now-accepted
	switch {
	case changed > 0 && gap > 0:
		return min(changed, gap)
	case changed < 0 && gap < 0:
		return max(changed, gap)
	default:
		return 0
	}
}

func (d *Desk) adjustLine(ctx context.Context, p Period, f Frozen) error {
	as, err := d.Store.Accepted(ctx, f.Subject, []string{f.Key})
	if err != nil {
		return err
	}
	var accepted money.Fen
	for _, a := range as {
		accepted += a.Sum
	}
	was, now := f.Adjusted, due(f, accepted)
	if was == now {
		return nil
	}
	f.Adjusted, f.Rev = now, f.Rev+1
	return d.Store.InTx(ctx, func(tx Tx) error {
		if err := stillOpen(tx, p); err != nil {
			return err
		}
		ok, err := tx.Adjust(f, was)
		if err != nil || !ok {
			return err
		}
		e := ledger.Entry{
			Key:  fmt.Sprintf("correct/%s/%s/rev%d", f.Subject, f.Key, f.Rev),
			Kind: ledger.Correct, From: ledger.Adjustments, To: f.Subject.clearing(), Amount: now - was, Cause: adjustCause(p),
			Note: fmt.Sprintf("%s of %s: %s became %s", f.Key, f.Month, f.Booked, f.Now),
		}
		if e.Amount < 0 {
			e.From, e.To, e.Amount = e.To, e.From, -e.Amount
		}
		j, err := ledger.Open(tx, d.Now(), e.From, e.To)
		if err != nil {
			return err
		}
		if err := j.Move(e); err != nil {
			return err
		}
		return j.Post()
	})
}

// report writes the report that is frozen. It says everything that its hash should
// protect.
func (d *Desk) report(m Month, standings []Standing, adjustments []ledger.Entry) string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("month %s, closed by %s at %s", m.Name, m.Actor, m.At.In(d.Zone).Format(time.RFC3339))
	line("%-28s %8s %14s %14s %6s %12s %6s", "", "count", "booked", "accepted", "open", "gap", "stray")
	for _, s := range standings {
		line("%-28s %8d %14s %14s %6d %12s %6d", s.Subject, s.Count, s.Booked, s.Accepted, s.Open, s.Gap, s.Strays)
	}
	var sum money.Fen
	for _, e := range adjustments {
		if e.To == ledger.Adjustments {
			sum -= e.Amount
		} else {
			sum += e.Amount
		}
	}
	line("adjustments of earlier months: %d, together %s", len(adjustments), sum)
	for i, e := range adjustments {
		if i == listedMax {
			line("  and %d more", len(adjustments)-listedMax)
			break
		}
		line("  %s %s → %s: %s", e.Amount, e.From, e.To, e.Note)
	}
	line("open differences: %d", m.Open)
	if m.Reason != "" {
		line("closed with differences because: %s", m.Reason)
	}
	line("previous: %s", m.Previous)
	return b.String()
}

// Proven holds the closed months' reports against their hashes, and each against
// the month before. It returns the first month that does not hold, or "".
func Proven(months []Month) string {
	previous := ""
	for i, m := range months {
		if m.Hash != hashOf(m.Report) || i > 0 && m.Previous != previous || !strings.HasSuffix(m.Report, "previous: "+m.Previous+"\n") {
			return m.Name
		}
		previous = m.Hash
	}
	return ""
}
