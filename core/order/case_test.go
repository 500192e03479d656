package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// today is the day on which the orders of these stories are placed.
const today = "2026-03-01"

// stray is a paid order of goods that nobody asked about.
func stray(id string, n int) order.Revision {
	return with(slotted(id, number(n), "unasked", "s9"), func(r *order.Revision) {
		r.Created = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
		r.PaidAt = r.Created
	})
}

// prove hands in what a claimant says.
func (d *desk) prove(user, id int64, p order.Proof) order.Claim {
	d.t.Helper()
	c, err := d.Prove(d.t.Context(), user, id, p)
	must(d.t, err)
	return c
}

// look lets time pass and the job run.
func (d *desk) look(after time.Duration) {
	d.t.Helper()
	d.at = d.at.Add(after)
	_, err := d.ReviewClaims(d.t.Context())
	must(d.t, err)
}

// wantClaim judges a user's newest claim.
func (d *desk) wantClaim(user int64, s order.ClaimState) order.Claim {
	d.t.Helper()
	cs, err := d.Claims(d.t.Context(), user, 0, 1)
	must(d.t, err)
	if len(cs) != 1 || cs[0].State != s {
		d.t.Fatalf("user %d's claim is %+v, want it %s", user, cs, s)
	}
	return cs[0]
}

// answers are the claim.changed events so far.
func (d *desk) answers() (out []string) {
	d.t.Helper()
	for _, o := range d.db.Outboxes() {
		if o.Name() != "order" {
			continue
		}
		waiting, err := o.Waiting(d.t.Context(), d.at.AddDate(1, 0, 0), 1000)
		must(d.t, err)
		for _, s := range waiting {
			if s.Event.Name != event.ClaimChanged {
				continue
			}
			var c order.ClaimChanged
			must(d.t, s.Event.Decode(&c))
			out = append(out, fmt.Sprintf("%d %s", c.User, c.State))
		}
	}
	return out
}

func (d *desk) wantAnswers(want ...string) {
	d.t.Helper()
	if got := d.answers(); strings.Join(got, ", ") != strings.Join(want, ", ") {
		d.t.Errorf("users were answered %q, want %q", got, want)
	}
}

func TestWhatOnlyTheBuyerKnowsProvesAnOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		proof order.Proof
		ok    bool
	}{
		{"what one line cost", order.Proof{Paid: 8900, Day: today}, true},
		{"what the order cost", order.Proof{Paid: 17800, Day: today}, true},
		{"a fen less", order.Proof{Paid: 8899, Day: today}, false},
		{"the day before", order.Proof{Paid: 8900, Day: "2026-02-28"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openBook(t)
			d.Store = twice{d.db.Orders()}
			d.apply(2, stray("1", 1), stray("2", 1))
			c := d.claim(42, number(1), order.ClaimWaiting)
			got := d.prove(42, c.ID, tt.proof)
			if got.State != order.ClaimWaiting || !got.Until.Equal(c.Until) {
				t.Errorf("the answer tells something: %+v", got)
			}
			d.look(0)
			d.wantOwner(link.Taobao, "1", 0, "")
			d.look(72 * time.Hour)
			if !tt.ok {
				d.wantClaim(42, order.ClaimWaiting)
				d.wantOwner(link.Taobao, "1", 0, "")
				d.look(28 * 24 * time.Hour)
				d.wantClaim(42, order.ClaimExpired)
				d.wantAnswers("42 expired")
				return
			}
			d.wantClaim(42, order.ClaimGranted)
			d.wantOwner(link.Taobao, "1", 42, order.ByProof)
			d.wantOwner(link.Taobao, "2", 42, order.ByProof)
			d.wantAnswers("42 granted")
			d.look(30 * 24 * time.Hour)
			d.wantAnswers("42 granted")
		})
	}
}

func TestAProvenClaimWaitsOnIceForItsOrder(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	c := d.claim(42, number(1), order.ClaimWaiting)
	d.prove(42, c.ID, order.Proof{Paid: 8900, Day: today})
	d.look(0)
	d.wantClaim(42, order.ClaimWaiting)
	d.apply(1, stray("1", 1))
	d.look(time.Hour)
	d.wantClaim(42, order.ClaimIced)
	d.look(71 * time.Hour)
	d.wantClaim(42, order.ClaimIced)
	d.look(time.Hour)
	d.wantClaim(42, order.ClaimGranted)
}

// Who has seen somebody's order knows what its buyer knows. Saying it again, and saying it at
// the end of a claim's time, must not melt the ice.
func TestNothingMeltsTheIce(t *testing.T) {
	t.Parallel()
	right := order.Proof{Paid: 8900, Day: today}
	t.Run("saying it again", func(t *testing.T) {
		t.Parallel()
		d := openBook(t)
		d.apply(2, stray("1", 1), stray("2", 1))
		c := d.claim(42, number(1), order.ClaimWaiting)
		d.prove(42, c.ID, right)
		d.look(0)
		d.prove(42, c.ID, right)
		d.look(0)
		d.wantClaim(42, order.ClaimIced)
		d.look(71 * time.Hour)
		d.prove(42, c.ID, order.Proof{Paid: 17800, Day: today})
		d.look(time.Hour)
		d.wantClaim(42, order.ClaimIced)
		d.wantOwner(link.Taobao, "1", 0, "")
		d.look(72 * time.Hour)
		d.wantClaim(42, order.ClaimGranted)
	})
	t.Run("saying it late", func(t *testing.T) {
		t.Parallel()
		d := openBook(t)
		d.apply(1, stray("1", 1))
		c := d.claim(42, number(1), order.ClaimWaiting)
		d.look(30*24*time.Hour - time.Minute)
		d.prove(42, c.ID, right)
		d.look(0)
		d.look(time.Minute)
		d.wantClaim(42, order.ClaimExpired) // as promised, and open to an appeal
		d.wantOwner(link.Taobao, "1", 0, "")
	})
}

func TestTwoWhoProveTheSameWaitForAPerson(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.apply(1, stray("1", 1))
	right := order.Proof{Paid: 8900, Day: today}
	a, b := d.claim(42, number(1), order.ClaimWaiting), d.claim(43, number(1), order.ClaimWaiting)
	d.prove(42, a.ID, right)
	d.look(0)
	d.wantClaim(42, order.ClaimIced)
	d.prove(43, b.ID, right)
	d.look(71 * time.Hour)
	d.wantClaim(42, order.ClaimContested)
	d.wantClaim(43, order.ClaimContested)
	d.wantAnswers("43 contested", "42 contested")
	d.look(time.Hour)
	d.wantOwner(link.Taobao, "1", 0, "")
	staffed, err := d.Staffed(t.Context(), 10)
	must(t, err)
	if len(staffed) != 2 {
		t.Errorf("staff sees %+v", staffed)
	}
	got, err := d.DecideClaim(t.Context(), b.ID, true, "cli", "the receipt fits")
	must(t, err)
	if got.State != order.ClaimGranted || got.Actor != "cli" {
		t.Errorf("%+v", got)
	}
	d.wantOwner(link.Taobao, "1", 43, order.ByStaff)
	if c := d.wantClaim(42, order.ClaimRefused); c.Note != "claim.others" {
		t.Errorf("%+v", c)
	}
	said := len(d.answers())
	_, err = d.DecideClaim(t.Context(), b.ID, true, "cli", "again")
	must(t, err)
	if len(d.answers()) != said {
		t.Error("the same decision again is told again")
	}
	if _, err := d.DecideClaim(t.Context(), b.ID, false, "cli", ""); fault.ReasonOf(err) != "claim.decided" {
		t.Errorf("the opposite: %v", err)
	}
}

func TestAHolderOnWeakEvidenceIsContested(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(41, link.Taobao, "item", "", "s1", time.Hour)
	row := with(slotted("1", number(1), "item", "s1"), func(r *order.Revision) { r.Price = 8900 })
	d.apply(1, row)
	d.wantOwner(link.Taobao, "1", 41, order.BySlot)
	c := d.claim(42, number(1), order.ClaimWaiting)
	d.prove(42, c.ID, order.Proof{Paid: 8900, Day: row.Created.In(time.FixedZone("", 8*3600)).Format(time.DateOnly)})
	d.look(0)
	d.wantClaim(42, order.ClaimContested)
	holder := d.wantClaim(41, order.ClaimContested)
	d.wantOwner(link.Taobao, "1", 41, order.BySlot)
	_, err := d.DecideClaim(t.Context(), holder.ID, true, "cli", "it was theirs all along")
	must(t, err)
	d.wantOwner(link.Taobao, "1", 41, order.BySlot)
	d.wantClaim(41, order.ClaimGranted)
	d.wantClaim(42, order.ClaimRefused)
}

func TestATagCannotBeClaimedAway(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(41, link.JD, "item", "t1", "", time.Hour)
	r := with(row(link.JD, "1"), func(r *order.Revision) { r.Order, r.Tag = "301234567890", "t1" })
	d.apply(1, r)
	d.wantOwner(link.JD, "1", 41, order.ByTag)
	c := d.claim(42, "301234567890", order.ClaimWaiting)
	d.prove(42, c.ID, order.Proof{Paid: r.Price, Day: r.Created.In(time.FixedZone("", 8*3600)).Format(time.DateOnly)})
	d.look(0)
	d.look(100 * time.Hour)
	d.wantClaim(42, order.ClaimWaiting)
	d.wantOwner(link.JD, "1", 41, order.ByTag)
	if _, err := d.DecideClaim(t.Context(), c.ID, true, "cli", ""); fault.ReasonOf(err) != "claim.tagged" {
		t.Errorf("staff: %v", err)
	}
}

func TestAnAppealIsSeenOnceAndAnswered(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	c := d.claim(42, number(1), order.ClaimWaiting)
	if _, err := d.Appeal(t.Context(), 42, number(1), "why"); fault.ReasonOf(err) != "claim.no_appeal" {
		t.Errorf("while it is open: %v", err)
	}
	if _, err := d.Appeal(t.Context(), 43, number(1), "why"); fault.ReasonOf(err) != "claim.none" {
		t.Errorf("somebody else's: %v", err)
	}
	_, err := d.DecideClaim(t.Context(), c.ID, false, "cli", "no receipt")
	must(t, err)
	got, err := d.Appeal(t.Context(), 42, number(1), strings.Repeat("我", 1000))
	must(t, err)
	if got.State != order.ClaimAppealed || len(got.Note) > 500 || !strings.HasSuffix(got.Note, "我") {
		t.Errorf("%+v", got)
	}
	d.look(7 * 24 * time.Hour) // nobody has answered: the user hears so
	if again := d.wantClaim(42, order.ClaimAppealed); !again.Until.After(got.Until) {
		t.Errorf("the promise was not renewed: %+v", again)
	}
	if _, err := d.DecideClaim(t.Context(), c.ID, true, "cli", ""); fault.ReasonOf(err) != "claim.no_order" {
		t.Errorf("granting what is not here: %v", err)
	}
	_, err = d.DecideClaim(t.Context(), c.ID, false, "cli", "still none")
	must(t, err)
	if _, err := d.Appeal(t.Context(), 42, number(1), "again"); fault.ReasonOf(err) != "claim.no_appeal" {
		t.Errorf("a second appeal: %v", err)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	for i := range 5 {
		d.claim(42, number(i), order.ClaimWaiting)
	}
	for i, wait := range []time.Duration{1, 2, 4, 8, 16} {
		d.at = d.at.Add(wait*time.Minute - time.Second)
		if _, err := d.Claim(t.Context(), 42, number(5+i)); fault.ReasonOf(err) != "claim.too_fast" {
			t.Errorf("number %d a second too early: %v", 5+i, err)
		}
		d.claim(42, number(0), order.ClaimWaiting) // what was said before may be asked about
		d.at = d.at.Add(time.Second)
		d.claim(42, number(5+i), order.ClaimWaiting)
	}
	c := d.wantClaim(42, order.ClaimWaiting)
	for range 3 {
		d.prove(42, c.ID, order.Proof{Paid: 1, Day: today})
	}
	if _, err := d.Prove(t.Context(), 42, c.ID, order.Proof{Paid: 2, Day: today}); fault.ReasonOf(err) != "claim.proofs" {
		t.Errorf("a fourth guess: %v", err)
	}
	if _, err := d.Prove(t.Context(), 43, c.ID, order.Proof{Paid: 2, Day: today}); !fault.Is(err, fault.NotFound) {
		t.Errorf("for somebody else: %v", err)
	}
}

// TestStaffKeepsWhatWasPromised: who gets an order by staff's word had perhaps
// asked for the item, and was told what it brings; that counts, not today's rules.
func TestStaffKeepsWhatWasPromised(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "A", "", "s1", time.Hour)
	d.apply(1, slotted("1", number(1), "A", "s1"))
	d.wantOwner(link.Taobao, "1", 42, order.BySlot)
	promised := d.get(link.Taobao, "1").Promise
	for _, turn := range []struct {
		user   int64
		terms  string
		linked bool
	}{{43, "", false}, {42, promised.Terms, true}} {
		c, err := d.Claim(t.Context(), turn.user, number(1))
		must(t, err)
		_, err = d.DecideClaim(t.Context(), c.ID, true, "cli", "claim.receipt")
		must(t, err)
		d.wantOwner(link.Taobao, "1", turn.user, order.ByStaff)
		if l := d.get(link.Taobao, "1"); l.Promise.Terms != turn.terms || (l.Link != 0) != turn.linked {
			t.Errorf("user %d has it by link %d under %q, want %q", turn.user, l.Link, l.Promise.Terms, turn.terms)
		}
	}
	if promised.Terms == "" {
		t.Error("nothing was promised: the test shows nothing")
	}
}
