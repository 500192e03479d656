package link_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fanli/core/fault"
	"fanli/core/link"
)

func TestTwoUsersHaveSlotsOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 4)
	seen := map[string]int64{}
	for user := int64(1); user <= 4; user++ {
		l := c.make(user, item(link.PDD, "pdd0"))
		if other := seen[l.Mark.Slot]; other != 0 {
			t.Errorf("users %d and %d share %s", other, user, l.Mark.Slot)
		}
		seen[l.Mark.Slot] = user
		c.advance(time.Hour)
	}
	for user := int64(1); user <= 4; user++ { // who has one keeps it
		if l := c.make(user, item(link.PDD, "pdd0")); seen[l.Mark.Slot] != user {
			t.Errorf("user %d moves to %s of user %d", user, l.Mark.Slot, seen[l.Mark.Slot])
		}
	}
	for user := int64(5); user <= 8; user++ { // other goods, other candidates
		c.make(user, item(link.PDD, "pdd1"))
	}
}

func TestWhoHasASlotKeepsItAlthoughOthersAreFree(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 20)
	for user := int64(1); user <= 5; user++ {
		first := c.make(user, item(link.PDD, "pdd0"))
		for range 5 {
			c.advance(24 * time.Hour)
			if again := c.make(user, item(link.PDD, "pdd0")); again.Mark.Slot != first.Mark.Slot || again.ID == first.ID {
				t.Fatalf("user %d moves from %+v to %+v", user, first.Mark, again.Mark)
			}
		}
	}
}

func TestAFullPoolSharesWhatWasUsedLongestAgo(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 3)
	var slots []string
	for user := int64(1); user <= 3; user++ {
		slots = append(slots, c.make(user, item(link.PDD, "pdd0")).Mark.Slot)
		c.advance(time.Hour)
	}
	c.make(1, item(link.PDD, "pdd0")) // the first one uses theirs again
	c.advance(time.Hour)
	if l := c.make(9, item(link.PDD, "pdd0")); l.Mark.Slot != slots[1] {
		t.Errorf("the fourth user shares %s, used were %v", l.Mark.Slot, slots)
	}
	c.advance(time.Hour)
	if l := c.make(10, item(link.PDD, "pdd0")); l.Mark.Slot != slots[2] {
		t.Errorf("the fifth user shares %s, used were %v", l.Mark.Slot, slots)
	}
}

func TestASlotIsFreeAgainWhenNoOrderCanComeThroughIt(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 1)
	c.make(1, item(link.PDD, "pdd0"))
	c.advance(link.SlotHold + time.Second)
	c.make(2, item(link.PDD, "pdd0"))
	if c.pdd.links != 2 {
		t.Errorf("%d links were made", c.pdd.links)
	}
}

// While one user's link is being made, another may take the slot that was chosen
// for it.
func TestASlotThatIsTakenMeanwhileIsChosenAnew(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 2)
	var other link.Link
	c.pdd.during = func() { // somebody takes the very slot that was chosen
		c.pdd.during = nil
		chosen := c.pdd.marks[0].Slot
		for user := int64(100); other.Mark.Slot != chosen; user++ {
			c.shelf.links = nil
			other = c.make(user, item(link.PDD, "pdd0"))
		}
	}
	l := c.make(1, item(link.PDD, "pdd0"))
	if l.Mark.Slot == other.Mark.Slot {
		t.Errorf("two users share %s of two", l.Mark.Slot)
	}
	if stored := c.shelf.links; len(stored) != 2 || stored[1].Mark != l.Mark {
		t.Errorf("stored are %+v", stored)
	}
	if click, ok := c.pdd.Click(l.Made); !ok || click.Slot != l.Mark.Slot || click.Tag != l.Mark.Tag {
		t.Errorf("behind the link is %+v, its mark is %+v", click, l.Mark)
	}
}

func TestAPoolThatOthersKeepEmptyingIsAskedForLater(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 30)
	thief := int64(100)
	c.pdd.during = func() { // somebody is always faster
		c.shelf.mu.Lock()
		defer c.shelf.mu.Unlock()
		thief++
		m := c.pdd.marks[len(c.pdd.marks)-1]
		c.shelf.links = append(c.shelf.links, link.Link{User: thief, Network: link.PDD, Item: "pdd0", Mark: m, At: c.now()})
	}
	_, err := c.Make(t.Context(), 1, item(link.PDD, "pdd0"))
	if !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != "link.slots_contended" || c.pdd.links != 5 {
		t.Errorf("after %d tries: %v", c.pdd.links, err)
	}
}

// A group pastes the same goods at once, and the network takes its time. Everybody
// gets a link, and a slot that is nobody else's.
func TestAGroupThatAsksAtOnceGetsSlotsOfItsOwn(t *testing.T) {
	t.Parallel()
	const people = 30
	for _, apart := range []int64{1, 7, 40} { // how far apart their ids are
		synctest.Test(t, func(t *testing.T) {
			c := newCounter(t, 60)
			c.pdd.during = func() { time.Sleep(100 * time.Millisecond) }
			links, errs := make([]link.Link, people), make([]error, people)
			var all sync.WaitGroup
			for i := range people {
				all.Go(func() { links[i], errs[i] = c.Make(t.Context(), 1000+apart*int64(i), item(link.PDD, "pdd0")) })
			}
			all.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatalf("%d apart: %v", apart, err)
			}
			seen := map[string]int64{}
			for _, l := range links {
				if other := seen[l.Mark.Slot]; other != 0 {
					t.Errorf("users %d and %d share %s", other, l.User, l.Mark.Slot)
				}
				seen[l.Mark.Slot] = l.User
			}
		})
	}
}

// Whoever asks for whatever and whenever: nobody shares a slot with another user
// of the same goods while one is free.
func TestNobodySharesWhileASlotIsFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := newCounter(t, rapid.IntRange(1, 5).Draw(rt, "slots"))
		pool := len(c.Networks[1].(link.Pooled).Slots())
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			c.advance(time.Duration(rapid.IntRange(0, 100).Draw(rt, "hours")) * time.Hour)
			user := rapid.Int64Range(1, 8).Draw(rt, "user")
			id := rapid.SampledFrom([]string{"pdd0", "pdd1"}).Draw(rt, "item")
			others := map[string]bool{}
			for _, l := range c.shelf.links {
				if l.Item == id && l.User != user && !l.At.Before(c.now().Add(-link.SlotHold)) {
					others[l.Mark.Slot] = true
				}
			}
			l, err := c.Make(t.Context(), user, item(link.PDD, id))
			if err != nil {
				rt.Fatal(err)
			}
			fresh := l.At.Equal(c.now())
			if fresh && others[l.Mark.Slot] && len(others) < pool {
				rt.Fatalf("user %d shares %s of %s, taken are %v of %d", user, l.Mark.Slot, id, others, pool)
			}
		}
	})
}
