package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store/mariadbtest"
)

// A search goes through all the states that crashes can leave.
//
// From each state a process is started once, and the tale told on without another
// crash: it must come to where the undisturbed tale was, or to its ledger. On its
// way the process passes fault points; dying there leaves a state, too. One that
// was not seen before is searched in its turn. So every crash at every point is
// played, and every second one: each leaves one of the states from which a process
// was started.
type search struct {
	legend legend
	want   play          // the undisturbed tale
	first  map[state]int // how many first points leave a state
	whole  int           // how many crashes in a row are searched without a gap
	every  int           // of the states that one more crash leaves, one in so many is searched

	mu     sync.Mutex
	more   *sync.Cond
	seen   map[state]bool
	queue  []found
	busy   int
	failed bool
	report tally
}

// found is a state, and a way to get there.
type found struct {
	crashes []int
	left    state
}

// A tally is what a search has counted.
type tally struct {
	points int         // at which the undisturbed process could die first
	pairs  int         // of a first and a second point
	states map[int]int // searched, by the number of crashes that led there
	apart  int         // searched states that never became those of the undisturbed tale, and were told to the end
	ledger int         // entries of the tale
	spent  time.Duration
}

func (r tally) String() string {
	return fmt.Sprintf("%d first points, %d pairs; states searched by crashes in a row: %v, %d of them told to the end; %d entries; %v",
		r.points, r.pairs, r.states, r.apart, r.ledger, r.spent.Round(time.Second))
}

// begin tells the undisturbed tale and puts its states into the queue.
func (s *search) begin(st *theatre) error {
	s.more = sync.NewCond(&s.mu)
	s.seen, s.first, s.report.states = map[state]bool{}, map[state]int{}, map[int]int{}
	err := st.in(s.legend, true, func(w *little, r *reading) (err error) {
		s.want, err = s.legend.play(w, r, nil, true)
		return err
	})
	if err != nil {
		return fmt.Errorf("the undisturbed tale: %w", err)
	}
	s.report.points, s.report.ledger = len(s.want.points), len(s.want.entries)
	for _, left := range s.want.states {
		s.first[left]++
	}
	s.add(nil, s.want.states)
	return nil
}

// add puts new states into the queue.
func (s *search) add(crashes []int, states []state) {
	for i, left := range states {
		if s.seen[left] {
			continue
		}
		s.seen[left] = true
		if len(crashes) >= s.whole && len(s.seen)%s.every != 0 {
			continue
		}
		s.queue = append(s.queue, found{append(slices.Clone(crashes), i+1), left})
	}
}

// next returns the next state to search, or that there will be none.
func (s *search) next() (f found, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && s.busy > 0 && !s.failed {
		s.more.Wait()
	}
	if len(s.queue) == 0 || s.failed {
		return f, false
	}
	f, s.queue = s.queue[0], s.queue[1:]
	s.busy++
	return f, true
}

// done takes what a search of a state has shown.
func (s *search) done(f found, p play, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.more.Broadcast()
	s.busy--
	if err != nil {
		s.failed = true
		return
	}
	s.report.states[len(f.crashes)]++
	if len(f.crashes) == 1 {
		s.report.pairs += s.first[f.left] * (len(p.points) + s.rest(p))
	}
	if p.joined == 0 {
		s.report.apart++
	}
	if len(f.crashes) <= s.whole {
		s.add(f.crashes, p.states)
	}
}

// one searches a state.
func (s *search) one(st *theatre, f found) (p play, err error) {
	err = st.in(s.legend, true, func(w *little, r *reading) (err error) {
		p, err = s.legend.play(w, r, s.want.begins, len(f.crashes) <= s.whole, f.crashes...)
		return err
	})
	if err == nil && p.left != f.left {
		err = fmt.Errorf("the same crash leaves another state the second time")
	}
	if err == nil {
		err = s.compare(p)
	}
	if err != nil {
		return p, fmt.Errorf("%s: crashes at %v, the last at %s: %w", s.legend.name, f.crashes, p.where, err)
	}
	return p, nil
}

// compare holds a play against the undisturbed one.
func (s *search) compare(p play) error {
	if p.joined > 0 {
		if want := s.want.begins[p.joined].told; !slices.Equal(p.told, want) {
			return fmt.Errorf("people were told other things:\n%s", diff(want, p.told))
		}
		return nil
	}
	if !slices.Equal(p.entries, s.want.entries) {
		return fmt.Errorf("another ledger:\n%s", diff(s.want.entries, p.entries))
	}
	if !slices.Equal(p.told, s.want.told) {
		return fmt.Errorf("people were told other things:\n%s", diff(s.want.told, p.told))
	}
	return nil
}

// rest is how many points the undisturbed tale has from where a play joined it.
func (s *search) rest(p play) int {
	if p.joined == 0 {
		return 0
	}
	return len(s.want.points) - s.want.begins[p.joined].points
}

// run searches with some theatres side by side.
func (s *search) run(t *testing.T, theatres []*theatre) tally {
	t.Helper()
	from := time.Now()
	if err := s.begin(theatres[0]); err != nil {
		t.Fatal(s.legend.name, ": ", err)
	}
	if s.report.points < 100 || s.report.ledger < s.legend.facts {
		t.Fatalf("%s: the undisturbed tale has %d fault points and %d entries", s.legend.name, s.report.points, s.report.ledger)
	}
	var wg sync.WaitGroup
	for _, st := range theatres {
		wg.Go(func() {
			for {
				f, ok := s.next()
				if !ok {
					return
				}
				p, err := s.one(st, f)
				if err != nil {
					t.Error(err)
				}
				s.done(f, p, err)
			}
		})
	}
	wg.Wait()
	s.report.spent = time.Since(from)
	return s.report
}

// sample plays pairs that are drawn, without asking which states they leave: on a
// server with the gaps in its numbers that crashes leave. The first crash is played
// alone before: it shows how many points the next process has. They may be fewer
// than the undisturbed one has from there, since what is done is not done again.
func (s *search) sample(t *testing.T, theatres []*theatre, pairs int) {
	t.Helper()
	var wg sync.WaitGroup
	for i, st := range theatres {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 3))
			for n := 0; n < pairs && !t.Failed(); n += len(theatres) {
				k := 1 + rng.IntN(len(s.want.points)*9/10)
				p := s.literally(t, st, k)
				if n := min(60, len(p.points)); n > 0 {
					s.literally(t, st, k, 1+rng.IntN(n))
				}
			}
		})
	}
	wg.Wait()
}

// literally plays crashes to the end of the tale.
func (s *search) literally(t *testing.T, st *theatre, crashes ...int) (p play) {
	err := st.in(s.legend, false, func(w *little, _ *reading) (err error) {
		if p, err = s.legend.play(w, nil, nil, false, crashes...); err == nil {
			err = s.compare(p)
		}
		return err
	})
	if err != nil {
		t.Errorf("%s: crashes %v (first at %s): %v", s.legend.name, crashes, s.want.points[crashes[0]-1], err)
	}
	return p
}

// theatres makes some, over files or on a server.
func theatres(t *testing.T, server *mariadbtest.Server, n int) []*theatre {
	t.Helper()
	out := make([]*theatre, n)
	for i := range out {
		out[i] = newTheatre(t, server)
	}
	return out
}
