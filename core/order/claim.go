package order

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// A ClaimState says what became of a claim.
type ClaimState string

// The states of a claim.
//
//	waiting ─▶ granted                    its user had asked for the goods
//	    ├────▶ iced ─▶ granted            knows what only the buyer sees, and nobody else said so
//	    │        └───▶ contested ─▶ granted | refused     a person decides
//	    └────▶ expired, refused ─▶ appealed ─▶ granted | refused
const (
	ClaimWaiting   ClaimState = "waiting"   // the order is not here yet, or the evidence is not enough yet
	ClaimIced      ClaimState = "iced"      // proven by knowledge alone; granted on Next unless somebody else proves it too
	ClaimContested ClaimState = "contested" // two say so with equal right; nobody gets it until a person has decided
	ClaimAppealed  ClaimState = "appealed"  // its user did not agree with the answer; a person looks at it
	ClaimGranted   ClaimState = "granted"
	ClaimRefused   ClaimState = "refused" // by a person, with a reason
	ClaimExpired   ClaimState = "expired" // no order came that fitted
)

// Open reports whether evidence can still grant the claim.
func (s ClaimState) Open() bool { return s == ClaimWaiting || s == ClaimIced }

// Staffed reports whether the claim waits for a person.
func (s ClaimState) Staffed() bool { return s == ClaimContested || s == ClaimAppealed }

// A Claim is a user's word that an order is theirs.
type Claim struct {
	ID      int64
	User    int64
	Network string
	Order   string
	State   ClaimState
	Rev     int64 // counts the changes, from 1
	At      time.Time
	Until   time.Time // what the user was told: by then there is an answer
	Next    time.Time // when it is looked at again
	Proof   Proof     // what the user said of the order
	Proofs  int       // how often they said something
	Appeals int
	Actor   string // who decided: "cli"; "" for nobody
	Note    string // why, as the user reads it: a stable key or staff's words
}

// Appealable reports whether the user can ask for a person to look again.
func (c Claim) Appealable() bool {
	return (c.State == ClaimRefused || c.State == ClaimExpired) && c.Appeals < appealsMax
}

// A Proof is what only the buyer of an order sees.
type Proof struct {
	Paid money.Fen // for the whole order, or for one of its lines
	Day  string    // on which it was placed, in Beijing, as "2026-03-01"
}

// Limits of claims: they keep people from trying out numbers.
const (
	claimsPerDayMax = 10
	claimWait       = 30 * 24 * time.Hour
	claimsFree      = 5                // claims of a day between which nobody has to wait
	claimDelay      = time.Minute      // after them, doubling
	claimDelayMax   = 30 * time.Minute //
	proofsMax       = 3                // tries to say what was paid, and when
	appealsMax      = 1
	claimNoteMax    = 500 // bytes of an appeal or a reason
)

// How long things take that people are promised.
const (
	iceWait   = 3 * 24 * time.Hour // in which somebody else may prove the same
	staffWait = 7 * 24 * time.Hour // in which a person decides
	proofLook = time.Hour          // between two looks at a proven claim whose order is not here
)

// Claim records that user says an order is theirs and returns what is known
// about it. A number that they have claimed before, perhaps as somebody else, is no new
// claim. The answer to a number that is somebody else's, that is not here
// yet, and that does not exist is the same: waiting. It fails with fault.Invalid
// for a number of no network, and with fault.Limited for too many in a day
// ("claim.too_many") or too quickly one after the other ("claim.too_fast").
func (b *Book) Claim(ctx context.Context, user int64, number string) (Claim, error) {
	network, number, ok := orderOf(number)
	if !ok {
		return Claim{}, fault.New(fault.Invalid, "claim.not_a_number")
	}
	now := b.Now()
	until := now.Add(claimWait)
	said := Claim{User: user, Network: network, Order: number, State: ClaimWaiting, Rev: 1, At: now, Until: until, Next: until}
	var c Claim
	err := b.Store.InTx(ctx, func(tx Tx) error {
		before, err := own(tx, network, number, user)
		if err != nil {
			return err
		}
		if len(before) > 0 {
			c = before[0]
		} else if c, err = b.file(tx, said); err != nil {
			return err
		}
		lines, err := named(tx, network, number)
		if err != nil {
			return err
		}
		if err := b.rerun(tx, lines); err != nil {
			return err
		}
		for _, l := range lines {
			theirs, err := same(tx, l.User, user)
			if err != nil {
				return err
			}
			if theirs {
				c.State = ClaimGranted
			}
		}
		return nil
	})
	return c, fault.In("order.Claim", err)
}

// orderOf reads an order number.
func orderOf(text string) (network, number string, ok bool) {
	for _, r := range link.Recognise("订单 " + text) { // alone, some numbers could be goods
		if r.Kind == link.Order && r.Network != "" {
			return r.Network, r.ID, true
		}
	}
	return "", "", false
}

// file stores a new claim, unless it comes too soon after others of the same person.
func (b *Book) file(tx Tx, said Claim) (Claim, error) {
	n, last, err := tx.CountClaims(said.User, said.At.Add(-24*time.Hour))
	switch {
	case err != nil:
		return said, err
	case n >= claimsPerDayMax:
		return said, fault.New(fault.Limited, "claim.too_many")
	case n >= claimsFree && said.At.Before(last.Add(min(claimDelay<<(n-claimsFree), claimDelayMax))):
		return said, fault.New(fault.Limited, "claim.too_fast")
	default:
		return tx.PutClaim(said)
	}
}

// own returns the claims of a person to a number: that of the account itself first, then
// those of the others in the order in which they were made.
func own(tx Tx, network, number string, user int64) (out []Claim, err error) {
	known, err := tx.ClaimsOf(network, number)
	for _, c := range known {
		theirs, err := same(tx, c.User, user)
		switch {
		case err != nil:
			return nil, err
		case c.User == user:
			out = slices.Insert(out, 0, c)
		case theirs:
			out = append(out, c)
		}
	}
	return out, err
}

// Prove records what the claimant says that they paid, and when. The answer says
// nothing about whether it is right: the same state with the same date comes
// back for an order that is here and for one that does not exist. It fails with
// fault.Limited and "claim.proofs" after proofsMax tries, and with
// fault.NotFound for a claim that is not this user's.
func (b *Book) Prove(ctx context.Context, user, id int64, p Proof) (Claim, error) {
	if p.Paid <= 0 || p.Day == "" {
		return Claim{}, fault.New(fault.Invalid, "claim.proof")
	}
	now := b.Now()
	var c Claim
	err := b.Store.InTx(ctx, func(tx Tx) (err error) {
		if c, err = tx.Claim(id); err != nil {
			return err
		}
		theirs, err := same(tx, c.User, user)
		if err == nil && !theirs {
			err = fault.New(fault.NotFound, "claim.none")
		}
		if err != nil || !c.State.Open() {
			return err
		}
		all, err := own(tx, c.Network, c.Order, user)
		if err != nil {
			return err
		}
		tries := 0
		for _, o := range all { // whoever has claimed it twice, before they were one, guesses no more often
			tries += o.Proofs
		}
		if tries >= proofsMax {
			return fault.New(fault.Limited, "claim.proofs")
		}
		if c.State == ClaimWaiting || c.Proof != p { // the same words again leave the ice as it is, others begin it anew
			c.State, c.Proof, c.Next = ClaimWaiting, p, now // the job looks at it: here, time would tell what the answer does not
		}
		c.Proofs++
		return swapClaim(tx, &c, c.Rev)
	})
	return c, fault.In("order.Prove", err)
}

// Appeal says that a user does not agree with the answer to a claim; a person
// will look at it. It fails with fault.NotFound for a number that the user has
// not claimed, and with fault.Denied and "claim.no_appeal" while it is open, or
// if it was appealed before.
func (b *Book) Appeal(ctx context.Context, user int64, number, words string) (Claim, error) {
	network, number, ok := orderOf(number)
	if !ok {
		return Claim{}, fault.New(fault.Invalid, "claim.not_a_number")
	}
	now := b.Now()
	var c Claim
	err := b.Store.InTx(ctx, func(tx Tx) error {
		mine, err := own(tx, network, number, user)
		if err != nil {
			return err
		}
		if len(mine) == 0 {
			return fault.New(fault.NotFound, "claim.none")
		}
		c = mine[0]
		if c.State == ClaimAppealed {
			return nil
		}
		if !c.Appealable() {
			return fault.New(fault.Denied, "claim.no_appeal")
		}
		c.State, c.Note, c.Until, c.Next = ClaimAppealed, cutBytes(words, claimNoteMax), now.Add(staffWait), now.Add(staffWait)
		c.Appeals++
		return swapClaim(tx, &c, c.Rev)
	})
	return c, fault.In("order.Appeal", err)
}

// cutBytes shortens s to whole characters of at most n bytes.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// swapClaim stores a claim that was read in this transaction with revision was.
func swapClaim(tx Tx, c *Claim, was int64) error {
	c.Rev = was + 1
	ok, err := tx.SwapClaim(*c, was)
	if err == nil && !ok {
		err = fault.Newf(fault.Conflict, "claim.raced", "claim %d is not at revision %d any more", c.ID, was)
	}
	return err
}

// Claims returns a user's claims, newest first, starting after the one with id
// before; from the newest if before is 0.
func (b *Book) Claims(ctx context.Context, user, before int64, count int) ([]Claim, error) {
	return b.Store.Claims(ctx, user, before, count)
}

// Staffed returns the claims that wait for a person, those with the earliest
// promised answer first.
func (b *Book) Staffed(ctx context.Context, count int) ([]Claim, error) {
	return b.Store.StaffedClaims(ctx, count)
}
