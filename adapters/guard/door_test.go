package guard_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/adapters/guard"
	"fanli/core/fault"
)

// crowd fills a door.
type crowd struct {
	t    *testing.T
	door *guard.Door
	in   []func()
}

// enter lets n in at once; what has to wait is sent away.
func (c *crowd) enter(class guard.Class, n int) (in int) {
	c.t.Helper()
	for range n {
		leave, err := c.door.Enter(c.t.Context(), class)
		switch {
		case err == nil:
			c.in = append(c.in, leave)
			in++
		case fault.ReasonOf(err) != fault.Busy || !fault.Is(err, fault.Limited):
			c.t.Errorf("class %d: %v", class, err)
		}
	}
	return in
}

// TestWhatMattersLessLeavesRoom: searches stop first, then links, and money last; what
// payers say always comes in.
func TestWhatMattersLessLeavesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{t: t, door: guard.NewDoor(guard.DoorOptions{Concurrent: 10, Queue: 1, Wait: time.Millisecond})}
		got := []int{c.enter(guard.Rest, 20), c.enter(guard.Orders, 20), c.enter(guard.Money, 20), c.enter(guard.Always, 20)}
		if !slices.Equal(got, []int{6, 3, 1, 20}) {
			t.Errorf("came in: %v", got)
		}
		if c.door.Shed(guard.Rest) != 14 || c.door.Shed(guard.Money) != 19 || c.door.Shed(guard.Always) != 0 || c.door.Load() != 100 {
			t.Errorf("sent away: %d, %d; load %d", c.door.Shed(guard.Rest), c.door.Shed(guard.Money), c.door.Load())
		}
		for _, leave := range c.in {
			leave()
		}
		if c.door.Load() != 0 || c.enter(guard.Rest, 1) != 1 {
			t.Errorf("empty again, the load is %d", c.door.Load())
		}
	})
}

// TestMoneyGoesFirst: of those who wait, whoever came first of what matters most.
func TestMoneyGoesFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := guard.NewDoor(guard.DoorOptions{Concurrent: 4, Queue: 10, Wait: time.Minute})
		c := &crowd{t: t, door: d}
		c.enter(guard.Money, 4)
		var mu sync.Mutex
		var came []int
		var all sync.WaitGroup
		for _, class := range []guard.Class{guard.Rest, guard.Orders, guard.Money, guard.Orders} {
			all.Go(func() {
				leave, err := d.Enter(context.Background(), class)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				came = append(came, int(class))
				mu.Unlock()
				leave()
			})
			synctest.Wait()
		}
		for _, leave := range c.in {
			leave()
			synctest.Wait()
		}
		all.Wait()
		if want := []int{int(guard.Money), int(guard.Orders), int(guard.Orders), int(guard.Rest)}; !slices.Equal(came, want) {
			t.Errorf("they came in as %v", came)
		}
	})
}

// TestWhoWaitsDoesNotWaitForEver, and who goes away leaves their place.
func TestWhoWaitsDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := guard.NewDoor(guard.DoorOptions{Concurrent: 4, Queue: 1, Wait: 2 * time.Second})
		c := &crowd{t: t, door: d}
		c.enter(guard.Money, 4)
		began := time.Now()
		if c.enter(guard.Money, 1) != 0 || time.Since(began) != 2*time.Second {
			t.Errorf("sent away after %s", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Enter(ctx, guard.Money); fault.ReasonOf(err) != fault.Busy {
			t.Errorf("somebody who left: %v", err)
		}
		time.AfterFunc(time.Second, c.in[0])
		if c.enter(guard.Money, 1) != 1 {
			t.Error("there was a place in time")
		}
	})
}
