package proof

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/withdraw"
)

func withdrawalCause(id int64) string { return withdraw.Cause(id) }

func mergeCause(id int64) string { return credit.MergeCause(id) }

// keyFits says why a key does not fit the kind and cause of its entry, or "". It
// knows the keys of order lines and withdrawals; others only have to be there.
func keyFits(kind ledger.Kind, key, cause string, from, to *holder) string {
	switch kind {
	case ledger.Bonus:
		if line := from.class == ledger.ClassNetwork || to.class == ledger.ClassNetwork; line != strings.HasPrefix(key, "rebate/") || line && !lineKey(kind, key, cause) {
			return "the key of what a budget adds to an order line is rebate/<line>/seq<n>/<leg>-bonus, and that of a gift is another"
		}
	case ledger.Earn, ledger.Adjust, ledger.Settle, ledger.Revoke, ledger.Claw, ledger.Keep, ledger.Refer:
		if !lineKey(kind, key, cause) {
			return "the key of an order line's entry is rebate/<line>/seq<n>/<leg>-" + string(kind)
		}
		network := from
		if from.class != ledger.ClassNetwork {
			network = to
		}
		if network.class == ledger.ClassNetwork && !strings.HasPrefix(cause, network.short()+"/") {
			return "the line is not of " + string(network.name)
		}
	case ledger.Invite:
		if !strings.HasPrefix(cause, "invitation/") || key != "bonus/"+cause+"/inviter" && key != "bonus/"+cause+"/invited" {
			return "the key of what an invitation brings is bonus/invitation/<user>/inviter or …/invited"
		}
	case ledger.Campaign:
		if !strings.HasPrefix(key, "bonus/campaign/"+cause+"/") {
			return "the key of what a campaign brings is bonus/campaign/<line>/<name>"
		}
	case ledger.Repay:
		gift := strings.HasSuffix(key, "/repay") && (strings.HasPrefix(cause, "budget/") || strings.HasPrefix(key, "bonus/"))
		back := strings.HasPrefix(cause, "merge/") && key == cause+"/undo/repay"
		if key != cause+"/repay" && !gift && !back && !lineKey(kind, key, cause) {
			return "the key of a repayment is that of an order line, of a withdrawal or of a gift"
		}
	case ledger.Reserve, ledger.Release, ledger.Payout:
		if !strings.HasPrefix(cause, "withdrawal/") || len(key) != len(cause)+1+len(kind) || key[:len(cause)] != cause || key[len(cause)] != '/' || key[len(cause)+1:] != string(kind) {
			return "the key of a withdrawal's entry is withdrawal/<id>/" + string(kind)
		}
	case ledger.Merge:
		if !strings.HasPrefix(cause, "merge/") || !strings.HasPrefix(key, cause+"/") {
			return "the key of what two accounts bring together is merge/<id>/<pocket> or merge/<id>/undo/<pocket>"
		}
	case ledger.Fee:
		if !strings.HasPrefix(cause, "takings/") || !strings.HasPrefix(key, cause+"/") || !strings.HasSuffix(key, "/fee") {
			return "the key of a collector's fee is takings/<collector>/<period>/<number>/rev<digits>/fee"
		}
	case ledger.Collect, ledger.Refund:
		if !strings.HasPrefix(cause, "charge/") || key != cause+"/"+string(kind) {
			return "the key of a charge's entry is charge/<id>/" + string(kind)
		}
	default:
		if key == "" {
			return "there is none"
		}
	}
	return ""
}

// lineKey reports whether key is "rebate/<cause>/seq<digits>/<digits>-<kind>".
func lineKey(kind ledger.Kind, key, cause string) bool {
	rest, ok := strings.CutPrefix(key, "rebate/")
	if !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, cause); !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, "/seq"); !ok {
		return false
	}
	seq, rest, ok := strings.Cut(rest, "/")
	if !ok || !digits(seq) {
		return false
	}
	leg, name, ok := strings.Cut(rest, "-")
	return ok && digits(leg) && name == string(kind)
}

func digits(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// readSeals reads the chain of seals and looks for the head.
func (p *Prover) readSeals(ctx context.Context) (err error) {
	p.seals, err = p.src.Seals(ctx)
	p.rep.Seals = len(p.seals)
	if n := len(p.seals); n > 0 {
		p.rep.Head, p.rep.HeadDay = p.seals[n-1].Hash, p.seals[n-1].Day
	}
	if p.Head != "" && !slices.ContainsFunc(p.seals, func(s Seal) bool { return s.Hash == p.Head }) {
		p.differs(difference{
			kind: "the remembered head is gone",
			text: fmt.Sprintf("no seal has the hash %s: the seals are others than when it was remembered", p.Head),
		})
	}
	return err
}

// sealed adds a batch to the seal of its day.
func (p *Prover) sealed(b Batch) {
	for p.seal < len(p.seals) && b.ID > p.seals[p.seal].LastBatch {
		p.endSeal()
	}
	if p.seal == len(p.seals) {
		return
	}
	p.startSeal()
	p.sealing.add(b)
}

func (p *Prover) startSeal() {
	if p.sealing != nil {
		return
	}
	prev := ""
	if p.seal > 0 {
		prev = p.seals[p.seal-1].Hash
	}
	p.sealing = newSealer(prev)
}

// endSeal checks the seal whose batches have all gone by.
func (p *Prover) endSeal() {
	p.startSeal()
	s, prev := p.seals[p.seal], ""
	if p.seal > 0 {
		prev = p.seals[p.seal-1].Hash
	}
	text := ""
	switch {
	case s.ID != int64(p.seal+1):
		text = fmt.Sprintf("seal %d stands in the place of seal %d: seals are missing", s.ID, p.seal+1)
	case s.Prev != prev:
		text = fmt.Sprintf("the seal of %s does not follow the one before it", s.Day)
	case s.LastBatch != p.sealing.last || s.Batches != p.sealing.batches || s.Entries != p.sealing.entries:
		text = fmt.Sprintf("the seal of %s closes %d batches with %d entries, up to batch %d; now there are %d with %d, up to batch %d",
			s.Day, s.Batches, s.Entries, s.LastBatch, p.sealing.batches, p.sealing.entries, p.sealing.last)
	case p.sealing.sum(s) != s.Hash:
		text = fmt.Sprintf("the seal of %s does not have the hash of the batches of its day: one of them, or the seal itself, was changed since", s.Day)
	}
	if text != "" {
		p.differs(difference{kind: "a seal is broken", text: text})
	}
	p.seal++
	p.sealing = nil
}

// endSeals checks the seals that are left.
func (p *Prover) endSeals() {
	for p.seal < len(p.seals) {
		p.endSeal()
	}
}

// disagree finds the first cause whose entries are not what its state demands.
func (p *Prover) disagree(ctx context.Context) error {
	at, count := p.sketch.first()
	if at < 0 {
		return nil
	}
	d, err := p.exact(ctx, at)
	if err != nil {
		return err
	}
	p.differs(d)
	p.rep.Counts[d.kind] += count - 1
	return nil
}

// A tally is what one cause has moved and should have moved, in each part.
type tally struct {
	cause string
	parts map[demand]int64 // moved less demanded; a demand without its amount
}

// exact counts one bucket again, without a sketch.
func (p *Prover) exact(ctx context.Context, at int) (difference, error) {
	var tallies []*tally // in the order in which they were met
	known := map[string]*tally{}
	count := func(cause string, ds []demand, sign int64) {
		if bucket(p.sketch.cause(cause)) != at {
			return
		}
		t := known[cause]
		if t == nil {
			t = &tally{cause: strings.Clone(cause), parts: map[demand]int64{}}
			known[t.cause] = t
			tallies = append(tallies, t)
		}
		for _, d := range ds {
			amount := int64(d.amount)
			d.amount, d.user = 0, p.sketch.person(d.user)
			t.parts[d] += sign * amount
		}
	}
	err := p.src.Pages(ctx, func(page Page) error {
		for i := range page.Entries {
			r := &page.Entries[i]
			from, to := p.holders[r.From], p.holders[r.To]
			if from == nil || to == nil {
				continue
			}
			if ds, n := moved(ledger.Kind(r.Kind), from, to, r.Amount); n > 0 {
				count(r.Cause, ds[:n], 1)
			}
		}
		return nil
	})
	if err == nil {
		err = p.src.WalkLines(ctx, func(l *Line) error {
			ds := lineDemands(l)
			count(l.Key.String(), ds[:], -1)
			return nil
		})
	}
	if err == nil {
		err = p.src.WalkWithdrawals(ctx, func(w *Withdrawal) error {
			ds := withdrawalDemands(w)
			count(withdrawalCause(w.ID), ds[:], -1)
			return nil
		})
	}
	if err == nil {
		err = p.src.WalkCharges(ctx, func(c *Charge) error {
			ds := chargeDemands(c)
			count(collect.Cause(c.ID), ds[:], -1)
			return nil
		})
	}
	if err == nil {
		err = p.src.WalkMerges(ctx, func(m *Merge) error {
			count(mergeCause(m.ID), mergeDemands(m), -1)
			return nil
		})
	}
	d := difference{kind: "entries are not what is booked", text: "the entries of a cause are not what is booked for it"}
	for _, t := range tallies {
		if s := t.say(); s != "" {
			d.cause, d.text = t.cause, s
			break
		}
	}
	return d, err
}

// say says what is wrong with a cause, or "".
func (t *tally) say() string {
	var parts []string
	for d, n := range t.parts {
		if n == 0 {
			continue
		}
		who := ""
		if d.user != 0 {
			who = " of user " + strconv.FormatInt(d.user, 10)
		}
		if d.payer != "" {
			who += " through " + d.payer
		}
		more := "more"
		if n < 0 {
			more, n = "less", -n
		}
		parts = append(parts, fmt.Sprintf("%s%s by %d fen %s", partNames[d.part], who, n, more))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	what := "is booked for the line in payment_booked"
	switch {
	case strings.HasPrefix(t.cause, "withdrawal/"):
		what = "the state of the withdrawal demands"
	case strings.HasPrefix(t.cause, "charge/"):
		what = "the stage of the charge demands"
	case strings.HasPrefix(t.cause, "merge/"):
		what = "the merge says"
	}
	return fmt.Sprintf("the entries of %s add up to other than what %s: %s", t.cause, what, strings.Join(parts, ", "))
}

// storyMax bounds how many entries a story quotes.
const storyMax = 20

// tell writes the story of the first difference, and counts the others.
func (p *Prover) tell(ctx context.Context) error {
	if p.first == nil {
		return nil
	}
	f := *p.first
	head := ""
	if f.entry != 0 {
		head = fmt.Sprintf("entry %d: %s: ", f.entry, f.kind)
	}
	p.rep.Faults = append(p.rep.Faults, head+f.text)
	if f.cause != "" {
		es, err := p.src.Caused(ctx, f.cause)
		if err != nil {
			return err
		}
		p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("%s has %d entries:", f.cause, len(es)))
		for _, e := range es[:min(len(es), storyMax)] {
			mark := " "
			if e.ID == f.entry {
				mark = ">"
			}
			p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("%s %d %s %s %s from %s to %s, %s", mark, e.ID, e.At.Format("2006-01-02 15:04:05"), e.Kind, e.Amount, e.From, e.To, e.Key))
		}
	}
	kinds := make([]string, 0, len(p.rep.Counts))
	for k := range p.rep.Counts {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("in all, %s: %d", k, p.rep.Counts[k]))
	}
	return nil
}
