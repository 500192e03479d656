package storetest

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
)

// A LeaseStore is a lock.Leases under test, with its clock.
type LeaseStore struct {
	Leases  lock.Leases
	Now     func() time.Time
	Advance func(d time.Duration)
}

// Leases checks every promise of lock.Leases.
func Leases(t *testing.T, open func(t *testing.T) LeaseStore) {
	t.Helper()
	run(t, open, []check[LeaseStore]{
		{"ALeaseIsHeldUntilItEnds", leaseHeld},
		{"RenewingKeepsTheToken", leaseRenewed},
		{"TheNextHolderHasAHigherToken", leaseTokens},
		{"AHolderThatSleptIsFencedOff", leaseFence},
		{"DroppingFreesTheLease", leaseDropped},
		{"DroppingWhatOneDoesNotHoldIsNothing", leaseNotDropped},
		{"LeasesOfOtherNamesAreFree", leaseNames},
		{"ALeaseHasAHolder", leaseNeedsHolder},
		{"TakersAtOnceTakeOnce", leaseAtOnce},
	})
}

// term is how long leases of the suite are.
const term = time.Minute

func take(t *testing.T, s LeaseStore, holder string) lock.Lease {
	t.Helper()
	l, err := s.Leases.Take(t.Context(), "job", holder, term)
	must(t, err)
	if u := s.Now().Add(term); l.Name != "job" || !l.Until.Equal(u) {
		t.Errorf("Take = %+v, want job until %s", l, u)
	}
	return l
}

func wantTaken(t *testing.T, s LeaseStore, holder string) {
	t.Helper()
	_, err := s.Leases.Take(t.Context(), "job", holder, term)
	wantCode(t, "Take by "+holder, err, fault.Conflict)
}

func leaseHeld(t *testing.T, s LeaseStore) {
	take(t, s, "a")
	wantTaken(t, s, "b")
	s.Advance(term - time.Millisecond)
	wantTaken(t, s, "b")
	s.Advance(time.Millisecond)
	take(t, s, "b")
	wantTaken(t, s, "a")
}

func leaseRenewed(t *testing.T, s LeaseStore) {
	first := take(t, s, "a")
	s.Advance(term / 2)
	again := take(t, s, "a")
	want(t, "token", again.Token, first.Token)
	s.Advance(term / 2) // the first term is over, the second is not
	wantTaken(t, s, "b")
}

func leaseTokens(t *testing.T, s LeaseStore) {
	last := int64(0)
	for i := range 5 {
		l := take(t, s, fmt.Sprint("holder", i))
		if l.Token <= last {
			t.Errorf("token %d follows %d", l.Token, last)
		}
		last = l.Token
		s.Advance(term)
	}
}

func leaseFence(t *testing.T, s LeaseStore) {
	slept := take(t, s, "a")
	s.Advance(term)
	awake := take(t, s, "b")
	if slept.Token >= awake.Token {
		t.Errorf("the holder that slept has token %d, its successor %d", slept.Token, awake.Token)
	}
	s.Advance(term)
	if back := take(t, s, "a"); back.Token <= awake.Token {
		t.Errorf("the holder that came back has token %d, the one before it %d", back.Token, awake.Token)
	}
}

func leaseDropped(t *testing.T, s LeaseStore) {
	first := take(t, s, "a")
	must(t, s.Leases.Drop(t.Context(), "job", "a"))
	if l := take(t, s, "b"); l.Token <= first.Token {
		t.Errorf("token %d follows %d", l.Token, first.Token)
	}
}

func leaseNotDropped(t *testing.T, s LeaseStore) {
	must(t, s.Leases.Drop(t.Context(), "job", "b"))
	take(t, s, "a")
	must(t, s.Leases.Drop(t.Context(), "job", "b"))
	must(t, s.Leases.Drop(t.Context(), "other", "a"))
	wantTaken(t, s, "b")
}

func leaseNames(t *testing.T, s LeaseStore) {
	take(t, s, "a")
	_, err := s.Leases.Take(t.Context(), "other", "b", term)
	must(t, err)
}

func leaseNeedsHolder(t *testing.T, s LeaseStore) {
	for _, names := range [][2]string{{"job", ""}, {"", "a"}} {
		_, err := s.Leases.Take(t.Context(), names[0], names[1], term)
		wantCode(t, fmt.Sprintf("Take(%q, %q)", names[0], names[1]), err, fault.Invalid)
	}
}

func leaseAtOnce(t *testing.T, s LeaseStore) {
	_, errs := together(atOnce, func(i int) (lock.Lease, error) {
		return s.Leases.Take(t.Context(), "job", fmt.Sprint("holder", i), term)
	})
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
		} else {
			wantCode(t, "one who was late", err, fault.Conflict)
		}
	}
	want(t, "how many have taken it", taken, 1)
}
