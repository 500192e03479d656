package jobs

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
)

// seatPrefix begins the names of seats: each process that shares jobs has one, under
// the lowest number that was free, so that there are never more rows of them than
// there were processes at once.
const seatPrefix = "seat/"

// A crew is what this process knows of those that share jobs with it: all that have
// leases in one place. The jobs of one kind are dealt out evenly: with n jobs and m
// processes each has n/m of them, and some have one more. Nobody is in charge. Who
// has a seat counts the others' and takes no more than its share; who has more gives
// up, between two runs, what is too much. What nobody has had for as long as a lease
// lasts goes to whoever looks first: another process may not know it, as when
// they run on different configurations.
type crew struct {
	leases lock.Leases
	holder string
	term   time.Duration

	mu     sync.Mutex
	seat   string    // "" for none
	sat    time.Time // when the seat was taken last
	looked time.Time // at who is there; zero: never
	seats  []string  // of all, ours among them
	shares []*share
}

// A share is the jobs of one kind.
type share struct {
	crew  *crew
	kind  string
	place int // what its name comes to, so that all processes deal out alike
	slots int
	has   map[*slot]bool
	free  map[*slot]time.Time // since when nobody has been seen to have it
	kept  map[*slot]bool      // what nobody else wanted, of has
}

// join counts one more job of a kind.
func (c *crew) join(kind string) *share {
	i := slices.IndexFunc(c.shares, func(sh *share) bool { return sh.kind == kind })
	if i < 0 {
		i = len(c.shares)
		h := fnv.New32a()
		_, _ = h.Write([]byte(kind))
		c.shares = append(c.shares, &share{
			crew: c, kind: kind, place: int(h.Sum32() >> 1), has: map[*slot]bool{}, free: map[*slot]time.Time{}, kept: map[*slot]bool{},
		})
	}
	c.shares[i].slots++
	return c.shares[i]
}

// look takes a seat, or renews it, and sees who else is there.
func (c *crew) look(ctx context.Context) error {
	if !c.looked.IsZero() && time.Since(c.looked) < c.term/lookPart {
		return nil
	}
	held, err := c.leases.Held(ctx)
	if err != nil {
		return err
	}
	seats := seatsOf(held)
	if c.seat == "" { // before a crash this holder may have had one, which is still held
		for _, h := range held {
			if h.Holder == c.holder && strings.HasPrefix(h.Name, seatPrefix) {
				c.seat = h.Name
				break
			}
		}
	}
	if c.seat == "" || time.Since(c.sat) > c.term/2 || !slices.Contains(seats, c.seat) {
		if err := c.sit(ctx, seats); err != nil {
			return err
		}
		if !slices.Contains(seats, c.seat) {
			seats = append(seats, c.seat)
			slices.Sort(seats)
		}
	}
	if !slices.Equal(seats, c.seats) {
		for _, sh := range c.shares { // who has come may want what nobody did
			clear(sh.kept)
		}
	}
	c.seats, c.looked = seats, time.Now()
	c.seeFree(held)
	return nil
}

func seatsOf(held []lock.Holding) (seats []string) {
	for _, h := range held {
		if strings.HasPrefix(h.Name, seatPrefix) {
			seats = append(seats, h.Name)
		}
	}
	slices.Sort(seats)
	return seats
}

// sit takes the seat again, or one that is free.
func (c *crew) sit(ctx context.Context, taken []string) error {
	if c.seat != "" {
		if _, err := c.leases.Take(ctx, c.seat, c.holder, c.term); err == nil {
			c.sat = time.Now()
			return nil
		} else if !fault.Is(err, fault.Conflict) {
			return err
		}
		c.seat = "" // this process slept, and somebody else sits there
	}
	for i := range len(taken) + seatTries {
		name := fmt.Sprintf("%s%04d", seatPrefix, i)
		if slices.Contains(taken, name) {
			continue
		}
		_, err := c.leases.Take(ctx, name, c.holder, c.term)
		if fault.Is(err, fault.Conflict) { // others come at the same time
			continue
		}
		if err == nil {
			c.seat, c.sat = name, time.Now()
		}
		return err
	}
	return fault.New(fault.Unavailable, "jobs.no_seat")
}

// seeFree notes since when nobody has a job.
func (c *crew) seeFree(held []lock.Holding) {
	now := time.Now()
	for _, sh := range c.shares {
		for s := range sh.free {
			if slices.ContainsFunc(held, func(h lock.Holding) bool { return h.Name == leaseOf(s.job) }) {
				sh.free[s] = now
			}
		}
	}
}

// most is how many jobs of the kind are ours. Those that are left over begin with
// another process for each kind.
func (sh *share) most() int {
	c := sh.crew
	m := len(c.seats)
	mine := slices.Index(c.seats, c.seat)
	if m == 0 || mine < 0 {
		return 0
	}
	n := sh.slots / m
	if (mine+sh.place)%m < sh.slots%m {
		n++
	}
	return n
}

// take takes the lease of a job if it is in our share, renews it, or gives it up if
// we have more than that. It fails with fault.Conflict for a job that others may have.
func (sh *share) take(ctx context.Context, r *Runner, s *slot) error {
	c := sh.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.look(ctx); err != nil {
		return err
	}
	now := time.Now()
	if _, ok := sh.free[s]; !ok {
		sh.free[s] = now
	}
	full := len(sh.has)-len(sh.kept) >= sh.most()
	if sh.has[s] && len(sh.has)-len(sh.kept) > sh.most() && !sh.kept[s] {
		delete(sh.has, s)
		sh.free[s] = now
		err := s.leases.Drop(ctx, s.lease.Name, c.holder)
		s.lease, s.taken = lock.Lease{}, time.Time{}
		if err != nil {
			return err
		}
	}
	left := now.Sub(sh.free[s]) > c.term
	if !sh.has[s] && full && !left {
		return fault.New(fault.Conflict, "jobs.not_ours")
	}
	err := r.renew(ctx, s)
	switch {
	case err == nil:
		if !sh.has[s] && full {
			sh.kept[s] = true
		}
		sh.has[s], sh.free[s] = true, now
	case fault.Is(err, fault.Conflict):
		delete(sh.has, s)
		delete(sh.kept, s)
		sh.free[s] = now
	}
	return err
}

// stand gives the seat back, so that the others' shares grow at once.
func (c *crew) stand(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seat == "" {
		return nil
	}
	return c.leases.Drop(ctx, c.seat, c.holder)
}
