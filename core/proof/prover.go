package proof

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A Prover proves books. It is used once.
type Prover struct {
	// Head is the hash of a seal that somebody has remembered. If it is set, the
	// chain of seals must have it.
	Head string
	// Progress is called now and then with the number of entries read; may be nil.
	Progress func(entries int64)

	src      Source
	rep      Report
	first    *difference
	holders  map[int64]*holder
	store    []holder
	sketch   *sketch
	lastID   int64
	open     map[int64]*batch
	at       *batch // the one of the entry before
	free     []*ledger.Digest
	seals    []Seal
	seal     int // the one whose batches go by
	sealing  *sealer
	reserved map[int64]money.Fen // of open withdrawals, by user
	entry    ledger.Entry        // reused
}

// A holder is an account while it is added up, without its name where that can
// be written again: there may be millions.
type holder struct {
	sum     money.Fen
	balance money.Fen
	user    int64
	name    ledger.Account // of accounts that no user has
	class   ledger.Class
	used    bool
}

// pockets are the pockets of the classes that have an owner.
var pockets = map[ledger.Class]ledger.Pocket{
	ledger.ClassPending: ledger.Pending, ledger.ClassAvailable: ledger.Available,
	ledger.ClassReserved: ledger.Reserved, ledger.ClassDebt: ledger.Debt,
}

// account returns the name.
func (h *holder) account() ledger.Account {
	if h.name != "" {
		return h.name
	}
	return ledger.User(h.user, pockets[h.class])
}

// short returns the name of a network or payer alone.
func (h *holder) short() string {
	_, name, _ := strings.Cut(string(h.name), "/")
	return name
}

// A batch is one of which not all entries have been seen.
type batch struct {
	Batch
	digest *ledger.Digest
	seen   int64
	first  int64
	entry  int64 // the newest one
}

// A difference is something that is wrong.
type difference struct {
	kind  string // in few words, to count by
	text  string // what was expected and why
	entry int64  // 0 if it is not about an entry
	cause string // "" if it is about none
}

// differs notes a difference; the first one is kept.
func (p *Prover) differs(d difference) {
	if p.rep.Counts == nil {
		p.rep.Counts = map[string]int{}
	}
	p.rep.Counts[d.kind]++
	if p.first == nil {
		p.first = &d
	}
}

// Prove reads the books and reports. An error means that they could not be read;
// that they are wrong is in the Report.
func (p *Prover) Prove(ctx context.Context, src Source) (Report, error) {
	p.src, p.sketch = src, newSketch()
	p.open, p.reserved = map[int64]*batch{}, map[int64]money.Fen{}
	for _, step := range []func(context.Context) error{
		p.readAccounts, p.readMerges, p.readSeals, p.readEntries, p.readLines, p.readWithdrawals, p.readCharges, p.compare, p.disagree, p.acts, p.tell,
	} {
		if err := step(ctx); err != nil {
			return p.rep, err
		}
	}
	return p.rep, nil
}

func (p *Prover) readAccounts(ctx context.Context) error {
	var ids []int64
	err := p.src.WalkAccounts(ctx, func(a *Account) error {
		h := holder{balance: a.Balance, class: a.Name.Class()}
		if user, pocket, ok := a.Name.Owner(); ok && ledger.User(user, pocket) == a.Name && h.class != ledger.NoClass {
			h.user = user
		} else {
			h.name = ledger.Account(strings.Clone(string(a.Name)))
		}
		if h.class == ledger.NoClass || h.user != 0 && h.name != "" {
			p.differs(difference{kind: "an account is not in the chart", text: fmt.Sprintf("account %d is called %q; the chart has no such account", a.ID, a.Name)})
		}
		if a.Sign != h.class.Sign() {
			p.differs(difference{
				kind: "an account has the wrong sign",
				text: fmt.Sprintf("account %d, %s, stands with the sign %d; the chart says %d", a.ID, a.Name, a.Sign, h.class.Sign()),
			})
		}
		p.store, ids = append(p.store, h), append(ids, a.ID)
		p.rep.Sum += a.Balance
		return nil
	})
	p.holders = make(map[int64]*holder, len(ids))
	for i, id := range ids {
		p.holders[id] = &p.store[i]
	}
	p.rep.Accounts = len(ids)
	return err
}

// progressStep is how many entries go by between two calls of Progress.
const progressStep = 10_000

func (p *Prover) readEntries(ctx context.Context) error {
	err := p.src.Pages(ctx, func(page Page) error {
		for _, b := range page.Batches {
			p.begin(b)
		}
		for i := range page.Entries {
			p.one(&page.Entries[i])
			if p.Progress != nil && p.rep.Entries%progressStep == 0 {
				p.Progress(p.rep.Entries)
			}
		}
		return nil
	})
	for _, b := range p.open {
		p.differs(difference{
			kind: "entries of a batch are missing", entry: b.entry,
			text: fmt.Sprintf("batch %d was posted with %d entries, %d of which are there: others were removed or were moved to another batch", b.ID, b.Entries, b.seen),
		})
	}
	p.endSeals()
	return err
}

// begin knows a batch from now on.
func (p *Prover) begin(b Batch) {
	p.rep.Batches++
	p.sealed(b)
	if b.Entries <= 0 {
		p.differs(difference{kind: "a batch is empty", text: fmt.Sprintf("batch %d says that it has %d entries; nobody posts none", b.ID, b.Entries)})
	}
	n := &batch{Batch: b}
	if last := len(p.free) - 1; last >= 0 {
		n.digest, p.free = p.free[last], p.free[:last]
		n.digest.Reset()
	} else {
		n.digest = ledger.NewDigest()
	}
	p.open[b.ID] = n
}

// one checks an entry.
func (p *Prover) one(r *Entry) {
	p.rep.Entries++
	if r.ID <= p.lastID {
		p.wrong(r, "ids do not rise", fmt.Sprintf("it follows entry %d", p.lastID))
	}
	p.lastID = r.ID
	from, to := p.holders[r.From], p.holders[r.To]
	if from == nil || to == nil {
		p.wrong(r, "an entry has no account", fmt.Sprintf("it moves from account %d to account %d, which are not both there", r.From, r.To))
		return
	}
	kind := ledger.Kind(r.Kind)
	switch {
	case r.Amount <= 0 || r.From == r.To || r.Cause == "":
		p.wrong(r, "an entry is malformed", "an entry moves more than nothing, to another account, for a cause")
	case !kind.Allows(from.class, to.class) || !kind.Elsewhere() && from.user != 0 && to.user != 0 && from.user != to.user:
		p.wrong(r, "an entry is not in the chart", fmt.Sprintf("the chart has no %s from %s to %s", kind, from.account(), to.account()))
	}
	if d := keyFits(kind, r.Key, r.Cause, from, to); d != "" {
		p.wrong(r, "a key does not fit", d)
	}
	p.move(r, from, -r.Amount)
	p.move(r, to, r.Amount)
	p.count(kind, r, from, to)
	p.digest(r, from, to)
}

// move adds to an account.
func (p *Prover) move(r *Entry, h *holder, amount money.Fen) {
	was := h.sum
	h.sum, h.used = h.sum+amount, true
	if !h.class.Allows(h.sum) && h.class.Allows(was) {
		p.wrong(r, "an account is on the wrong side of zero", fmt.Sprintf("it leaves %s at %s", h.account(), h.sum))
	}
}

// count counts what an entry says about its cause.
func (p *Prover) count(kind ledger.Kind, r *Entry, from, to *holder) {
	ds, n := moved(kind, from, to, r.Amount)
	if n == 0 {
		return
	}
	c := p.sketch.cause(r.Cause)
	for _, d := range ds[:n] {
		p.sketch.add(c, p.sketch.of(d), d.amount)
	}
}

// digest adds an entry to its batch.
func (p *Prover) digest(r *Entry, from, to *holder) {
	if r.Batch == 0 {
		if p.rep.Batches > 0 && p.rep.Unbatched == 0 && p.rep.Entries > 1 {
			p.wrong(r, "an entry left its batch", "it says that it is from before there were batches, but entries before it have one")
		}
		p.rep.Unbatched++
		return
	}
	b := p.at
	if b == nil || b.ID != r.Batch {
		b = p.open[r.Batch]
	}
	if b == nil {
		p.wrong(r, "an entry is of no batch", fmt.Sprintf("it says that it is of batch %d, which is not there or has all its entries already", r.Batch))
		return
	}
	p.entry = ledger.Entry{
		Key: r.Key, Kind: ledger.Kind(r.Kind), From: from.account(), To: to.account(), Amount: r.Amount, Cause: r.Cause, Note: r.Note, At: r.At,
	}
	if !r.At.Equal(b.At) {
		p.wrong(r, "an entry is not of its batch's time", fmt.Sprintf("batch %d was posted at %s", b.ID, b.At.Format(time.RFC3339Nano)))
	}
	b.digest.Add(&p.entry)
	b.seen, b.entry = b.seen+1, r.ID
	if b.first == 0 {
		b.first = r.ID
	}
	p.at = b
	if b.seen < b.Entries {
		return
	}
	if got := b.digest.String(); got != b.Digest {
		p.differs(difference{
			kind: "a batch does not have its digest", entry: b.first, cause: strings.Clone(r.Cause),
			text: fmt.Sprintf("batch %d, entries %d to %d, had the digest %.12s… when it was posted at %s and has %.12s… now: an entry, the name of an account, or the digest was changed since",
				b.ID, b.first, b.entry, b.Digest, b.At.Format(time.RFC3339), got),
		})
	}
	delete(p.open, b.ID)
	p.free, p.at = append(p.free, b.digest), nil
}

// wrong notes a difference of one entry.
func (p *Prover) wrong(r *Entry, kind, text string) {
	p.differs(difference{kind: kind, text: text, entry: r.ID, cause: strings.Clone(r.Cause)})
}

func (p *Prover) readLines(ctx context.Context) error {
	return p.src.WalkLines(ctx, func(l *Line) error {
		p.rep.Lines++
		cause := l.Key.String()
		if !l.Intact {
			p.differs(difference{
				kind: "what is booked was changed", cause: cause,
				text: "the row of " + cause + " in payment_booked does not have the mark that it was written with: it was changed since by somebody else",
			})
		}
		c := p.sketch.cause(cause)
		for _, d := range lineDemands(l) {
			p.sketch.add(c, p.sketch.of(d), -d.amount)
		}
		return nil
	})
}

func (p *Prover) readWithdrawals(ctx context.Context) error {
	return p.src.WalkWithdrawals(ctx, func(w *Withdrawal) error {
		p.rep.Withdrawals++
		cause := withdrawalCause(w.ID)
		if !w.Intact {
			p.differs(difference{
				kind: "a withdrawal was changed", cause: cause,
				text: "the row of " + cause + " does not have the mark that it was written with: it was changed since by somebody else",
			})
		}
		c := p.sketch.cause(cause)
		for _, d := range withdrawalDemands(w) {
			p.sketch.add(c, p.sketch.of(d), -d.amount)
		}
		if !w.State.Final() {
			p.reserved[w.User] += w.Amount
		}
		return nil
	})
}

// readMerges learns who has been one person, and what that moved.
func (p *Prover) readMerges(ctx context.Context) error {
	return p.src.WalkMerges(ctx, func(m *Merge) error {
		p.rep.Merges++
		cause := mergeCause(m.ID)
		if !m.Intact {
			p.differs(difference{
				kind: "a merge was changed", cause: cause,
				text: "the row of " + cause + " does not have the mark that it was written with: it was changed since by somebody else",
			})
		}
		if m.There {
			p.sketch.one(m.Absorbed, m.Survivor)
		}
		n := p.sketch.cause(cause)
		for _, d := range mergeDemands(m) {
			p.sketch.add(n, p.sketch.of(d), -d.amount)
		}
		return nil
	})
}

func (p *Prover) readCharges(ctx context.Context) error {
	return p.src.WalkCharges(ctx, func(c *Charge) error {
		p.rep.Charges++
		cause := collect.Cause(c.ID)
		if !c.Intact {
			p.differs(difference{
				kind: "a charge was changed", cause: cause,
				text: "the row of " + cause + " does not have the mark that it was written with: it was changed since by somebody else",
			})
		}
		n := p.sketch.cause(cause)
		for _, d := range chargeDemands(c) {
			p.sketch.add(n, p.sketch.of(d), -d.amount)
		}
		return nil
	})
}

// compare holds the sums against the balances, and what is reserved against the
// open withdrawals.
func (p *Prover) compare(context.Context) error {
	for i := range p.store {
		h := &p.store[i]
		if h.sum != h.balance {
			p.differs(difference{
				kind: "a balance is not the sum of its entries",
				text: fmt.Sprintf("%s has a balance of %s, but its entries add up to %s", h.account(), h.balance, h.sum),
			})
		}
		if !h.used {
			p.differs(difference{kind: "an account has no entries", text: fmt.Sprintf("nothing was ever moved from or to %s, so nobody has opened it", h.account())})
		}
		if h.class == ledger.ClassReserved {
			if want := p.reserved[h.user]; want != h.sum {
				p.differs(difference{
					kind: "a hold is not what is open",
					text: fmt.Sprintf("%s holds %s, but the user's open withdrawals are %s together", h.account(), h.sum, want),
				})
			}
			delete(p.reserved, h.user)
		}
	}
	for user, open := range p.reserved {
		p.differs(difference{
			kind: "a hold is not what is open",
			text: fmt.Sprintf("user %d has open withdrawals of %s and no reserved money", user, open),
		})
	}
	return nil
}

// acts checks the chain of acts.
func (p *Prover) acts(ctx context.Context) error {
	n, d, err := audit.Verify(ctx, p.src)
	p.rep.Acts = n
	if d != "" {
		p.differs(difference{kind: "an act of staff was changed", text: d})
	}
	return err
}
