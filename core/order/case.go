package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
)

// lookMax bounds how many claims one run looks at.
const lookMax = 100

// beijing is where days begin that people remember of their orders.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// ClaimChanged is the content of claim.changed: an answer that was promised.
type ClaimChanged struct {
	ID      int64      `json:"id"`
	User    int64      `json:"user"`
	Network string     `json:"network"`
	Order   string     `json:"order"`
	State   ClaimState `json:"state"`
	Until   time.Time  `json:"until,omitzero"` // the date that is promised now
	Note    string     `json:"note,omitempty"`
	Final   bool       `json:"final,omitempty"` // there is no appeal any more
}

// ReviewClaims looks at claims whose time has come: it holds what claimants said
// against what has arrived, grants what nobody has contested, and answers what
// was promised an answer. It does one batch and reports how many claims changed.
func (b *Book) ReviewClaims(ctx context.Context) (n int, err error) {
	due, err := b.Store.DueClaims(ctx, b.Now(), lookMax)
	if err != nil {
		return 0, err
	}
	for _, c := range due {
		err := b.Store.InTx(ctx, func(tx Tx) error { return b.review(tx, c.ID) })
		if err != nil && !fault.Is(err, fault.Conflict) { // somebody else was faster
			return n, fault.In("order.ReviewClaims", err)
		}
		n++
	}
	return n, nil
}

// review looks at one claim.
func (b *Book) review(tx Tx, id int64) error {
	c, err := tx.Claim(id)
	now := b.Now()
	if err != nil || c.Next.After(now) {
		return err
	}
	over := c.State == ClaimIced || !c.Until.After(now)
	switch c.State {
	case ClaimWaiting, ClaimIced:
		moved, err := b.examine(tx, c, over)
		if err != nil || moved {
			return err
		}
		if !c.Until.After(now) {
			return b.answer(tx, c, ClaimExpired, "", "")
		}
		c.State = ClaimWaiting // what was proven is not so any more, or not yet
		c.Next = earlier(now.Add(proofLook), c.Until)
		return swapClaim(tx, &c, c.Rev)
	case ClaimContested, ClaimAppealed: // what was promised has to be promised anew
		return b.answer(tx, c, c.State, "", c.Note)
	case ClaimGranted, ClaimRefused, ClaimExpired:
		return nil
	default:
		return fault.Newf(fault.Internal, "", "no such state %q", c.State)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// examine holds a claim against the order, if that is here, and against others
// who claim it. It reports whether the claim has moved.
func (b *Book) examine(tx Tx, c Claim, over bool) (moved bool, err error) {
	lines, err := named(tx, c.Network, c.Order)
	if err != nil || !proven(c.Proof, lines) {
		return false, err
	}
	rivals, err := b.rivals(tx, c, lines)
	if err != nil {
		return false, err
	}
	if err := asOne(tx, lines, c.User); err != nil {
		return false, err
	}
	free, holder := owners(lines, c.User)
	switch {
	case holder != 0:
		rival, err := b.holderClaim(tx, c, holder)
		if err != nil {
			return false, err
		}
		return true, b.contest(tx, c, append(rivals, rival))
	case len(free) == 0:
		return false, nil // it is theirs, or certainly somebody else's
	case len(rivals) > 0:
		return true, b.contest(tx, c, rivals)
	case c.State == ClaimWaiting:
		// Until stays: a new date would tell that the order is here. What is proven too
		// late for the ice expires, and a person looks at it if its user appeals.
		if c.Next = b.Now().Add(iceWait); c.Next.After(c.Until) {
			return false, nil
		}
		c.State = ClaimIced
		return true, swapClaim(tx, &c, c.Rev)
	case over:
		return true, b.grant(tx, c, free, ByProof, "", "", fmt.Sprintf(
			"claim %d: knew that %s was paid on %s; nobody else did for %s", c.ID, c.Proof.Paid.Yuan(), c.Proof.Day, iceWait))
	default:
		return false, nil
	}
}

// rivals are the claims of others to any of lines who say so with equal right. They
// may name the order that was split, or a part of it; each is held against what its
// number names.
func (b *Book) rivals(tx Tx, c Claim, lines []Line) (out []Claim, err error) {
	for _, number := range numbers(c.Order, lines) {
		claims, err := tx.ClaimsOf(c.Network, number)
		if err != nil {
			return nil, err
		}
		theirs := lines
		if len(claims) > 0 && number != c.Order {
			if theirs, err = named(tx, c.Network, number); err != nil {
				return nil, err
			}
		}
		for _, o := range claims {
			own, err := same(tx, o.User, c.User)
			if err != nil {
				return nil, err
			}
			if !own && (o.State == ClaimContested || o.State.Open() && proven(o.Proof, theirs)) {
				out = append(out, o)
			}
		}
	}
	return out, nil
}

// numbers are all by which one of lines may be claimed, number first.
func numbers(number string, lines []Line) []string {
	out := []string{number}
	for i := range lines {
		for _, n := range []string{lines[i].Row().Root(), lines[i].Row().Order} {
			if n != "" && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// proven reports whether p is what the buyer of the order would say.
func proven(p Proof, lines []Line) bool {
	if p.Paid == 0 {
		return false
	}
	var sum money.Fen
	paid, day := false, false
	for _, l := range lines {
		if l.Why != WhySplit { // else its parts count
			sum += l.Price
		}
		paid = paid || l.Price == p.Paid
		day = day || l.Row().Created.In(beijing).Format(time.DateOnly) == p.Day
	}
	return day && (paid || sum == p.Paid)
}

// owners returns the lines that are nobody's, and the user other than claimant
// who holds a line on evidence that could be wrong; 0 for none.
func owners(lines []Line, claimant int64) (free []*Line, holder int64) {
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Whole == nil:
		case l.User == 0 && l.Row().Tag == "": // a foreign tag is another promoter's
			free = append(free, l)
		case l.User != claimant && l.User != 0 && l.Step != ByTag && l.Step != ByMember && l.Step != ByStaff:
			holder = l.User
		}
	}
	return free, holder
}

// holderClaim returns the claim of whoever holds the order already, making one
// where there is none: they are asked, too.
func (b *Book) holderClaim(tx Tx, c Claim, holder int64) (Claim, error) {
	now := b.Now()
	until := now.Add(staffWait)
	return tx.PutClaim(Claim{
		User: holder, Network: c.Network, Order: c.Order, State: ClaimContested, Rev: 1, At: now, Until: until, Next: until,
	})
}

// contest freezes a claim and its rivals until a person has decided.
func (b *Book) contest(tx Tx, c Claim, rivals []Claim) error {
	for _, o := range append([]Claim{c}, rivals...) {
		if o.State == ClaimContested && o.User != c.User && o.Rev > 1 {
			continue // was told before
		}
		if err := b.answer(tx, o, ClaimContested, "", ""); err != nil {
			return err
		}
	}
	return nil
}

// answer moves a claim to a state and tells its user. Those that wait for a
// person get a new date.
func (b *Book) answer(tx Tx, c Claim, to ClaimState, actor, note string) error {
	now, was := b.Now(), c.State
	c.State, c.Actor, c.Note = to, actor, note
	if to.Staffed() {
		c.Until, c.Next = now.Add(staffWait), now.Add(staffWait)
	}
	if err := swapClaim(tx, &c, c.Rev); err != nil {
		return err
	}
	said := ClaimChanged{ID: c.ID, User: c.User, Network: c.Network, Order: c.Order, State: c.State, Note: c.Note, Final: c.Appeals >= appealsMax}
	if to.Staffed() {
		said.Until = c.Until
	}
	e, err := event.New(fmt.Sprintf("claim/%d/rev%d", c.ID, c.Rev), event.ClaimChanged, now, said)
	if err != nil {
		return err
	}
	if err := tx.Emit(e); err != nil || actor == "" {
		return err
	}
	e, err = audit.Say(fmt.Sprintf("act/claim/%d/rev%d", c.ID, c.Rev), now, audit.Act{
		Actor: actor, What: "claim." + string(to), On: fmt.Sprintf("claim/%d", c.ID), Reason: note, Before: string(was), After: string(to),
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// grant gives lines to the claimant: as promised, if they had asked for the item
// before the order; else the rules of today count.
func (b *Book) grant(tx Tx, c Claim, lines []*Line, step Step, actor, reason, evidence string) error {
	ways, err := b.ways(tx, c.Network, lines)
	if err != nil {
		return err
	}
	for _, l := range lines {
		way, _ := asked(c.User, l.Row(), ways)
		l.User, l.Link, l.Step, l.Evidence, l.Promise = c.User, way.Link, step, evidence, way.Promise
	}
	if err := b.put(tx, lines); err != nil {
		return err
	}
	return b.answer(tx, c, ClaimGranted, actor, reason)
}

// DecideClaim is the word of a person about a claim: actor grants it, or refuses
// it with a reason that the user reads. What is granted is taken from whoever
// held it on weaker evidence, and rival claims are refused. The same decision
// again changes nothing. It fails with fault.Conflict and "claim.decided" for
// the opposite of what was decided, with fault.NotFound and "claim.no_order"
// while the order is not here, and with fault.Denied and "claim.tagged" if a tag
// says whose it is.
func (b *Book) DecideClaim(ctx context.Context, id int64, grant bool, actor, reason string) (Claim, error) {
	to := ClaimRefused
	if grant {
		to = ClaimGranted
	}
	reason = cutBytes(reason, claimNoteMax)
	var c Claim
	err := b.Store.InTx(ctx, func(tx Tx) (err error) {
		if c, err = tx.Claim(id); err != nil || c.State == to {
			return err
		}
		if c.State == ClaimGranted {
			return fault.Newf(fault.Conflict, "claim.decided", "claim %d was granted", id)
		}
		if !grant {
			err = b.answer(tx, c, ClaimRefused, actor, reason)
		} else {
			err = b.award(tx, c, actor, reason)
		}
		if err == nil {
			c, err = tx.Claim(id)
		}
		return err
	})
	return c, fault.In("order.DecideClaim", err)
}

// refuseOthers refuses all other claims to what is granted to c: to its order, and to
// the parts of it. Who claims the whole of which c is a part may still have the rest.
func (b *Book) refuseOthers(tx Tx, c Claim, lines []Line, actor string) error {
	for _, number := range numbers(c.Order, lines) {
		if number != c.Order && slices.ContainsFunc(lines, func(l Line) bool { return l.Row().Parent == number }) {
			continue
		}
		claims, err := tx.ClaimsOf(c.Network, number)
		if err != nil {
			return err
		}
		for _, o := range claims {
			if o.ID == c.ID || o.State == ClaimRefused || o.State == ClaimExpired {
				continue
			}
			if err := b.answer(tx, o, ClaimRefused, actor, "claim.others"); err != nil {
				return err
			}
		}
	}
	return nil
}

// award grants a claim by the word of a person.
func (b *Book) award(tx Tx, c Claim, actor, reason string) error {
	lines, err := named(tx, c.Network, c.Order)
	if err != nil {
		return err
	}
	var theirs []*Line
	has := false
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Whole == nil:
		case l.User == c.User:
			has = true
		case l.tagged():
			return fault.Newf(fault.Denied, "claim.tagged", "line %s carries tag %s", l.Key, l.Row().Tag)
		default:
			theirs = append(theirs, l)
		}
	}
	if len(theirs) == 0 && !has {
		return fault.Newf(fault.NotFound, "claim.no_order", "order %s of %s has no line to give", c.Order, c.Network)
	}
	if err := b.refuseOthers(tx, c, lines, actor); err != nil {
		return err
	}
	if len(theirs) == 0 { // contested, and theirs all along
		return b.answer(tx, c, ClaimGranted, actor, reason)
	}
	return b.grant(tx, c, theirs, ByStaff, actor, reason, fmt.Sprintf("claim %d, granted by %s: %s", c.ID, actor, reason))
}
