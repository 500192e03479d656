// Package feedtest holds the promises of order.Feed as tests. A feed is done
// when [Run] passes.
//
// The suite needs the network's fake and the book behind it. It plays what can
// happen to a line in the book, reads the feed after every step, and compares
// what the revisions say together with what the book says. Networks tell the
// same story in different ways, so it compares what all of them must agree on:
//
//   - A revision speaks for its aspect; the newest of each aspect together are
//     the line, as in package order.
//   - What the buyer still pays is Price − Refunded over all aspects; what we
//     still get is Actual (else Estimated) − Claimed.
//   - A line that is unpaid may be missing. A time may be missing, not wrong.
//   - Settled is State, or a SettlesOn that comes within two days.
//
// The suite moves the fake's clock and never sleeps.
package feedtest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/order"
)

// The ways in which a fake can be told to fail. The empty mode is health.
const (
	Stall   = "stall"   // takes the request and never answers
	Limited = "limited" // says that there were too many requests
	Down    = "down"    // answers with a server error and no document
	Garbage = "garbage" // answers with something that is not a document
	Denied  = "denied"  // refuses our credentials
)

// pagesMax limits how many pages [All] reads: a feed that never ends is broken.
const pagesMax = 1000

// deadline is how long a caller waits for a server that stalls.
const deadline = 50 * time.Millisecond

// patience is when a call that ignores its deadline is called hung.
const patience = 10 * time.Second

// A Subject is a feed under test with the fake that it talks to.
type Subject struct {
	Feed    order.Feed
	Market  *market.Market        // the fake's book; its shelf has two or more goods in the programme, at ¥1 and up
	Now     func() time.Time      // the clock of the market and of the fake
	Advance func(d time.Duration) // moves that clock forward

	// Buy places an order through an affiliate link with the tag and the slot.
	Buy func(item, tag, slot string, quantity int) (market.Line, error)

	// Slot is one that the network could have given; "" where it has no pool.
	Slot string

	// Number makes the numbers of the children of a split order. It is nil for
	// a network that never splits orders.
	Number func(n int64) (order, line string)

	Fail func(mode string) // makes the fake fail in one of the modes above until it is called with ""

	// PageShift makes the fake call f after every answer that it has composed,
	// until it is called with nil: so rows change between two answers even
	// inside one Pull. It may be nil; then rows change between Pulls only.
	PageShift func(f func())

	// Broken makes the fake add one row that cannot be read to the next page of
	// rows that it answers. The rows that belong there stay.
	Broken func()

	Secret string // appears in no error
}

// Run checks every promise of order.Feed. open returns a new subject that
// shares nothing with others; subtests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := []struct {
		name string
		run  func(w *world)
	}{
		{"ScenesAreFixed", scenesAreFixed},
		{"TagOrSlotComesBack", tagComesBack},
		{"ItemsAreTold", itemsAreTold},
		{"ScenesDescribeALineAlike", scenesAgree},
		{"SplitOrder", splitOrder},
		{"EmptyWindowIsEmpty", emptyWindow},
		{"WindowIsClosed", windowIsClosed},
		{"WindowTooLongIsRefused", windowTooLong},
		{"UnknownSceneIsRefused", unknownScene},
		{"ReadingTwiceIsEqual", readingTwice},
		{"BrokenRowIsKeptAside", brokenRow},
		{"WhatWasSettledIsFound", settledIsFound},
		{"DeadlineIsHonoured", deadlineHonoured},
		{"FailuresAreClassified", failuresClassified},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(enter(t, open(t)))
		})
	}
	for _, st := range stories() {
		t.Run("Life/"+st.name, func(t *testing.T) {
			t.Parallel()
			enter(t, open(t)).play(st)
		})
	}
	for i, sc := range open(t).Feed.Scenes() {
		t.Run("NoRowIsMissed/"+sc.Name, func(t *testing.T) {
			t.Parallel()
			noRowIsMissed(enter(t, open(t)), i)
		})
	}
}

// All reads all pages of w. It fails with fault.Internal if there is no end.
func All(ctx context.Context, f order.Feed, w order.Window) ([]order.Revision, []order.Bad, error) {
	var revs []order.Revision
	var bad []order.Bad
	cursor := ""
	for range pagesMax {
		p, err := f.Pull(ctx, w, cursor)
		if err != nil {
			return revs, bad, err
		}
		revs, bad = append(revs, p.Revisions...), append(bad, p.Bad...)
		if p.Next == "" {
			return revs, bad, nil
		}
		cursor = p.Next
	}
	return revs, bad, fault.Newf(fault.Internal, "feed.endless", "%s: more than %d pages", w.Scene, pagesMax)
}

// A world is a subject in use: it counts purchases and knows when it began.
type world struct {
	Subject
	t      *testing.T
	began  time.Time // on a whole minute, before anything happened
	bought int
}

func enter(t *testing.T, s Subject) *world {
	t.Helper()
	w := &world{Subject: s, t: t, began: s.Now().Truncate(time.Minute)}
	w.tick()
	return w
}

// tick lets a minute pass, so that what has happened lies in a closed window and
// what follows has a later Modified.
func (w *world) tick() { w.Advance(time.Minute) }

// goods returns the nth goods on the shelf that are in the programme.
func (w *world) goods(n int) market.Goods {
	w.t.Helper()
	for _, g := range w.Market.Shelf() {
		if g.Unlisted {
			continue
		}
		if n == 0 {
			return g
		}
		n--
	}
	w.t.Fatal("the shelf needs two goods in the programme")
	return market.Goods{}
}

// buy places an order with a tag of its own.
func (w *world) buy(item string, quantity int) market.Line {
	w.t.Helper()
	w.bought++
	line, err := w.Buy(item, w.tag(), w.Slot, quantity)
	if err != nil {
		w.t.Fatalf("Buy: %v", err)
	}
	return line
}

func (w *world) tag() string { return fmt.Sprintf("Ft_%06d", w.bought) }

// do runs one change of the book and expects it to succeed.
func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("the book refuses: %v", err)
	}
}

// line returns the book's line.
func (w *world) line(id string) market.Line {
	w.t.Helper()
	l, ok := w.Market.Line(id)
	if !ok {
		w.t.Fatalf("the book has no line %q", id)
	}
	return l
}

// wantSecret fails the test if err tells the secret.
func (w *world) wantSecret(err error) {
	w.t.Helper()
	if err != nil && w.Secret != "" && strings.Contains(err.Error(), w.Secret) {
		w.t.Error("the error tells the secret")
	}
}
