package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/notify"
)

func TestMessagesOfAUserArriveInTheOrderOfWriting(t *testing.T) {
	t.Parallel()
	o := open(t)
	for i := range 20 {
		o.write(int64(i%3+1), fmt.Sprintf("u%d/%02d", i%3+1, i))
	}
	o.deliverAll()
	for user := range 3 {
		var got []string
		for _, k := range o.sent {
			if k[:2] == fmt.Sprint("u", user+1) {
				got = append(got, k)
			}
		}
		if len(got) < 6 || !slices.IsSorted(got) {
			t.Errorf("user %d is told %v", user+1, got)
		}
	}
	if len(o.sent) != 20 {
		t.Errorf("%d of 20 messages arrive", len(o.sent))
	}
	for _, m := range o.tray.all {
		if m.State != notify.Sent || m.Tries != 1 {
			t.Errorf("%+v", m)
		}
	}
}

func TestOneWhoCannotBeToldNowHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write(1, "a1", "a2")
	o.write(2, "b1", "b2")
	o.fails[1] = fault.New(fault.Unavailable, "telegram.down")
	o.deliver(1)
	o.deliver(1)
	o.deliver(0)
	if fmt.Sprint(o.sent) != "[b1 b2]" {
		t.Errorf("delivered are %v", o.sent)
	}
	delete(o.fails, 1)
	o.deliver(0) // not before its time
	o.at = o.at.Add(4 * time.Second)
	o.deliverAll()
	if fmt.Sprint(o.sent) != "[b1 b2 a1 a2]" {
		t.Errorf("delivered are %v", o.sent)
	}
}

func TestDeliveryIsTriedAfterLongerAndLongerWaitsForTwoDays(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write(1, "a1", "a2")
	o.fails[1] = fault.New(fault.Limited, "telegram.flood")
	var waits []time.Duration
	for o.tray.all[0].State == notify.Waiting {
		if len(waits) > 100 {
			t.Fatal("it is never given up")
		}
		_, err := o.Deliver(t.Context())
		if o.tray.all[0].State == notify.GivenUp {
			if !fault.Is(err, fault.Limited) {
				t.Errorf("giving up says %v", err)
			}
			break
		}
		must(t, err)
		waits = append(waits, o.tray.next[1].Sub(o.at))
		o.at = o.tray.next[1]
	}
	if fmt.Sprint(waits[:4]) != "[4s 8s 16s 32s]" || slices.Max(waits) != time.Hour || !slices.IsSorted(waits) || len(waits) != 59 {
		t.Errorf("the waits are %v", waits)
	}
	if took := o.at.Sub(start); took < 40*time.Hour || took > 60*time.Hour {
		t.Errorf("it is given up after %s", took)
	}
	if m := o.tray.all[0]; m.Tries != 60 {
		t.Errorf("%+v", m)
	}
	delete(o.fails, 1)
	o.deliver(1) // the next one has its own tries
	if fmt.Sprint(o.sent) != "[a2]" {
		t.Errorf("delivered are %v", o.sent)
	}
}

func TestOneWhoCannotBeReachedAtAllIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write(1, "a1", "a2")
	o.write(2, "b1")
	o.fails[1] = fault.New(fault.NotFound, "telegram.blocked")
	n, err := o.Deliver(t.Context())
	if n != 1 || !fault.Is(err, fault.NotFound) || o.tray.all[0].State != notify.GivenUp || o.tray.all[0].Tries != 1 {
		t.Errorf("%d arrive, %v; %+v", n, err, o.tray.all[0])
	}
	if fmt.Sprint(o.sent) != "[b1]" {
		t.Errorf("delivered are %v", o.sent)
	}
	delete(o.fails, 1) // back again
	o.deliver(1)
}

// TestWhoHasNoChannelIsNoFailure: nothing is said of it, and what comes behind has its
// turn.
func TestWhoHasNoChannelIsNoFailure(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write(1, "a1", "a2")
	o.write(2, "b1")
	o.fails[1] = fault.New(fault.NotFound, notify.NoChannel)
	o.deliver(1)
	if m := o.tray.all[0]; m.State != notify.GivenUp || m.Tries != 1 {
		t.Errorf("%+v", m)
	}
	o.deliver(0)
	if m := o.tray.all[1]; m.State != notify.GivenUp || fmt.Sprint(o.sent) != "[b1]" {
		t.Errorf("%+v; sent are %v", m, o.sent)
	}
	delete(o.fails, 1) // they have come to a channel
	o.write(1, "a3")
	o.deliver(1)
}

func TestABatchIsBounded(t *testing.T) {
	t.Parallel()
	o := open(t)
	for user := range int64(250) {
		o.write(user+1, fmt.Sprint("m", user))
	}
	for _, n := range []int{100, 100, 50, 0} {
		o.deliver(n)
	}
}

// A message that was delivered, but of which that could not be stored, comes
// again: better twice than never.
func TestWhatWasDeliveredUnseenComesAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write(1, "a1")
	o.write(2, "b1")
	o.first = func() { o.tray.down = fault.New(fault.Unavailable, "db.busy") }
	if n, err := o.Deliver(t.Context()); n != 1 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%d arrive, %v", n, err)
	}
	if _, err := o.Deliver(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	o.tray.down = nil
	o.deliverAll()
	if fmt.Sprint(o.sent) != "[a1 a1 b1]" {
		t.Errorf("delivered are %v", o.sent)
	}
}

func TestBeingStoppedCountsAsNoTry(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write(1, "a1")
	ctx, cancel := context.WithCancel(t.Context())
	o.first = cancel
	o.fails[1] = errors.New("stopped")
	if _, err := o.Deliver(ctx); err == nil {
		t.Error("nothing is said of the stop")
	}
	if m := o.tray.all[0]; m.Tries != 0 || m.State != notify.Waiting {
		t.Errorf("%+v", m)
	}
}
