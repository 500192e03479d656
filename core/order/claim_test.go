package order_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// number is a Taobao order number of the buyer whose digits are 654321.
func number(n int) string { return fmt.Sprintf("40123456789%02d654321", n) }

// claim claims a number and wants the answer.
func (d *desk) claim(user int64, number string, want order.ClaimState) order.Claim {
	d.t.Helper()
	c, err := d.Claim(d.t.Context(), user, number)
	must(d.t, err)
	if c.State != want || c.User != user {
		d.t.Errorf("user %d's claim of %s is %+v, want it %s", user, number, c, want)
	}
	return c
}

func TestAClaimWaitsForItsOrder(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour) // too long ago for a click, not for a claim
	c := d.claim(42, number(1), order.ClaimWaiting)
	if c.Network != link.Taobao || c.Order != number(1) || !c.At.Equal(start) || !c.Until.Equal(start.AddDate(0, 0, 30)) {
		t.Errorf("%+v", c)
	}
	d.apply(1, slotted("1", number(1), "item", "s2"))
	d.wantOwner(link.Taobao, "1", 42, order.ByClaim)
	if l := d.get(link.Taobao, "1"); l.Link != 1 || l.Promise.Rebate != 280 {
		t.Errorf("it came through link %d with %+v", l.Link, l.Promise)
	}
	again := d.claim(42, number(1), order.ClaimGranted)
	if again.ID != c.ID {
		t.Errorf("the claim was %d and is %d", c.ID, again.ID)
	}
}

// The simulator found it: the terms of the oldest link within the claim's window
// counted, although the shopper had been promised others since.
func TestAClaimGoesThroughTheNewestLinkBeforeTheOrder(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "item", "", "s1", 9*24*time.Hour)
	d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour)
	d.link(42, link.Taobao, "item", "", "s1", -24*time.Hour) // after the order
	d.claim(42, number(1), order.ClaimWaiting)
	d.apply(1, slotted("1", number(1), "item", "s2"))
	d.wantOwner(link.Taobao, "1", 42, order.ByClaim)
	if l := d.get(link.Taobao, "1"); l.Link != 2 {
		t.Errorf("it came through link %d", l.Link)
	}
}

func TestAClaimFindsAnOrderThatIsHere(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour)
	d.apply(2, slotted("1", number(1), "item", "s2"), slotted("2", number(1), "extra", "s2"))
	d.claim(42, number(1), order.ClaimGranted)
	d.wantOwner(link.Taobao, "1", 42, order.ByClaim)
	d.wantOwner(link.Taobao, "2", 42, order.ByKin)
	d.wantSaid(2)
	if c := d.last(); len(c.Lines) != 2 || c.Lines[0].User != 42 {
		t.Errorf("said is %+v", c)
	}
}

func TestKnowingANumberIsNotEnough(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		link func(d *desk)
	}{
		{"who never asked for the goods", func(*desk) {}},
		{"who asked for others", func(d *desk) { d.link(42, link.Taobao, "other", "", "s1", time.Hour) }},
		{"who asked too long ago", func(d *desk) { d.link(42, link.Taobao, "item", "", "s1", 16*24*time.Hour) }},
		{"who asked after the order", func(d *desk) { d.link(42, link.Taobao, "item", "", "s1", -10*time.Minute) }},
		{"who asked at another network", func(d *desk) { d.link(42, link.JD, "item", "", "", 72*time.Hour) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openBook(t)
			tt.link(d)
			d.claim(42, number(1), order.ClaimWaiting)
			d.apply(1, slotted("1", number(1), "item", "s2"))
			d.wantOwner(link.Taobao, "1", 0, "")
			d.claim(42, number(1), order.ClaimWaiting)
		})
	}
}

func TestTheAnswerSaysNothingOfOthersOrders(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(41, link.Taobao, "item", "", "s1", time.Hour)
	d.apply(2, slotted("1", number(1), "item", "s1"), slotted("2", number(2), "unowned", "s1"))
	d.wantOwner(link.Taobao, "1", 41, order.BySlot)
	theirs := d.claim(42, number(1), order.ClaimWaiting)
	nobodys := d.claim(42, number(2), order.ClaimWaiting)
	missing := d.claim(42, number(3), order.ClaimWaiting)
	for _, c := range []*order.Claim{&theirs, &nobodys, &missing} {
		c.ID, c.Order = 0, ""
	}
	if theirs != missing || nobodys != missing {
		t.Errorf("somebody's number is answered %+v, nobody's %+v, one that is not there %+v", theirs, nobodys, missing)
	}
	d.wantOwner(link.Taobao, "1", 41, order.BySlot)
	d.claim(41, number(1), order.ClaimGranted) // its owner is told
}

func TestTwoWhoBothCouldBeRightGetNothing(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour)
	d.link(43, link.Taobao, "item", "", "s1", 96*time.Hour)
	d.claim(42, number(1), order.ClaimWaiting)
	d.claim(43, number(1), order.ClaimWaiting)
	d.apply(1, slotted("1", number(1), "item", "s2"))
	d.wantOwner(link.Taobao, "1", 0, "")
}

// Two claim one cart, and each had asked for a part of it. Each gets that part,
// and what neither asked for is nobody's, however the page is sorted.
func TestTwoClaimsOfOneCartAreEachGrantedTheirPart(t *testing.T) {
	t.Parallel()
	rs := []order.Revision{
		slotted("1", number(1), "kettle", "s2"), slotted("2", number(1), "cup", "s2"), slotted("3", number(1), "extra", "s2"),
	}
	permutations(rs, func(rs []order.Revision) {
		d := openBook(t)
		d.link(42, link.Taobao, "kettle", "", "s1", 72*time.Hour)
		d.link(43, link.Taobao, "cup", "", "s1", 72*time.Hour)
		d.claim(42, number(1), order.ClaimWaiting)
		d.claim(43, number(1), order.ClaimWaiting)
		d.apply(3, rs...)
		d.wantOwner(link.Taobao, "1", 42, order.ByClaim)
		d.wantOwner(link.Taobao, "2", 43, order.ByClaim)
		d.wantOwner(link.Taobao, "3", 0, "")
	})
}

func TestAClaimEnds(t *testing.T) {
	t.Parallel()
	for days, granted := range map[int]bool{29: true, 30: false, 31: false} {
		d := openBook(t)
		d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour)
		d.claim(42, number(1), order.ClaimWaiting)
		d.at = start.AddDate(0, 0, days)
		d.apply(1, slotted("1", number(1), "item", "s2"))
		if l := d.get(link.Taobao, "1"); (l.User == 42) != granted {
			t.Errorf("after %d days the line is user %d's", days, l.User)
		}
	}
}

func TestAGrantedClaimTeachesTheBuyersDigits(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour)
	d.apply(1, slotted("1", number(1), "item", "s2"))
	ambiguous := func(id string, n int) order.Revision { return slotted(id, number(n), "cup", "s3") }
	d.link(42, link.Taobao, "cup", "", "s3", time.Hour)
	d.link(43, link.Taobao, "cup", "", "s3", time.Minute)
	d.apply(1, ambiguous("2", 2))
	d.wantOwner(link.Taobao, "2", 0, "")
	d.claim(42, number(1), order.ClaimGranted)
	d.wantOwner(link.Taobao, "2", 42, order.BySuffix) // it had waited for that
	d.apply(1, ambiguous("3", 3))
	d.wantOwner(link.Taobao, "3", 42, order.BySuffix)
	other := slotted("4", "4012345678904000000", "cup", "s3") // another buyer
	d.apply(1, other)
	d.wantOwner(link.Taobao, "4", 0, "")
}

// TestDigitsThatAPageTeaches: the order that was claimed comes in one page with one
// that only its buyer's digits decide, and after it comes nothing.
func TestDigitsThatAPageTeaches(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "item", "", "s1", 72*time.Hour)
	d.link(42, link.Taobao, "cup", "", "s3", time.Hour)
	d.link(43, link.Taobao, "cup", "", "s3", time.Minute)
	d.claim(42, number(1), order.ClaimWaiting)
	d.apply(2, slotted("2", number(2), "cup", "s3"), slotted("1", number(1), "item", "s2"))
	d.wantOwner(link.Taobao, "1", 42, order.ByClaim)
	d.wantOwner(link.Taobao, "2", 42, order.BySuffix)
}

func TestTenClaimsADayAreEnough(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	for i := range 10 {
		d.claim(42, number(i), order.ClaimWaiting)
		d.at = d.at.Add(30 * time.Minute)
	}
	_, err := d.Claim(t.Context(), 42, number(10))
	if !fault.Is(err, fault.Limited) || fault.ReasonOf(err) != "claim.too_many" {
		t.Errorf("the eleventh: %v", err)
	}
	d.claim(43, number(10), order.ClaimWaiting) // others are not held up
	d.at = start.Add(24*time.Hour + time.Second)
	d.claim(42, number(11), order.ClaimWaiting)
	if _, err := d.Claim(t.Context(), 42, number(12)); !fault.Is(err, fault.Limited) {
		t.Errorf("a second one where one was free: %v", err)
	}
}

func TestNumbersOfEveryNetworkCanBeClaimed(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, network, number string }{
		{number(1), link.Taobao, number(1)},
		{"订单号：" + number(1), link.Taobao, number(1)},
		{"301234567890", link.JD, "301234567890"},
		{"240115-123456789012345", link.PDD, "240115-123456789012345"},
	}
	for _, tt := range tests {
		d := openBook(t)
		c, err := d.Claim(t.Context(), 42, tt.text)
		if err != nil || c.Network != tt.network || c.Order != tt.number || c.State != order.ClaimWaiting {
			t.Errorf("%q is claimed as %+v, %v", tt.text, c, err)
		}
	}
	d := openBook(t)
	for _, text := range []string{"", "你好", "12", "https://item.jd.com/100012043978.html"} {
		if c, err := d.Claim(t.Context(), 42, text); !fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != "claim.not_a_number" {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}
