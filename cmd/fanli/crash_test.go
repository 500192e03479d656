package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store/mariadbtest"
	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// errCrash is what everything returns after the process has died.
var errCrash = errors.New("crash")

// A tale is the whole loop as steps that a user, a shop and time take. Each step
// may be taken again after a crash: a user who got no answer sends the same
// message once more, and what happened outside happened.
type tale struct {
	w     *little
	lines map[string]string // line ids by name
	ask   bot.Reply
	last  map[string]string // what people have been answered and will need
}

// A stepOf is one step.
type stepOf struct {
	name string
	do   func() error
}

// once makes what happens outside happen once, however often its step is taken.
func once(do func() error) func() error {
	done := false
	return func() error {
		if done {
			return nil
		}
		done = true
		return do()
	}
}

func (s *tale) steps() []stepOf {
	w := s.w
	jobs := s.jobs
	outside := func(network, name string, do func(line string) error) func() error {
		return once(func() error { return do(s.lines[name]) })
	}
	jd, pdd := w.markets[link.JD], w.markets[link.PDD]
	return []stepOf{
		{"hello", s.says("ann", "m1", "你好")},
		{"kettle", s.buys("ann", "m2", link.JD, 1, "kettle")},
		{"cup", s.buys("bob", "m3", link.PDD, 2, "cup")},
		{"seen", jobs(time.Hour)},
		{"received", outside(link.JD, "kettle", jd.Receive)},
		{"cup returned in part", outside(link.PDD, "cup", func(id string) error { return pdd.Refund(id, 1234) })},
		{"told", jobs(time.Hour)},
		{"settled", outside(link.JD, "kettle", jd.Settle)},
		{"available", jobs(time.Hour)},
		{"payee", s.says("ann", "m4", "收款 13800000000 张三")},
		{"withdraw", func() error { s.ask = w.say("ann", "m5", "提现"); return s.answered(s.ask) }},
		{"confirm", func() error { return s.answered(w.say("ann", "m6", confirmation(s.ask))) }},
		{"paid", jobs(time.Hour)},
		{"returned after payout", outside(link.JD, "kettle", func(id string) error {
			l, _ := jd.Line(id)
			return jd.Refund(id, l.Price)
		})},
		{"debt", jobs(time.Hour)},
		{"fan", s.buys("ann", "m7", link.JD, 3, "fan")},
		{"fan seen", jobs(time.Hour)},
		{"fan received", outside(link.JD, "fan", jd.Receive)},
		{"fan settled", outside(link.JD, "fan", jd.Settle)},
		{"repaid", jobs(time.Hour)},
		{"balance", s.says("ann", "m8", "余额")},
	}
}

// answered fails if the reply is that of a dead process.
func (s *tale) answered(bot.Reply) error { return s.w.point("answered") }

func (s *tale) says(who, id, text string) func() error {
	return func() error { return s.answered(s.w.say(who, id, text)) }
}

// buys pastes a link and, when the answer is there, orders.
func (s *tale) buys(who, id, network string, n int, name string) func() error {
	var order func() error
	return func() error {
		r := s.w.say(who, id, itemLink(network, n))
		if err := s.answered(r); err != nil {
			return err
		}
		if order == nil {
			order = once(func() error {
				l, err := s.w.follow(network, r, 1)
				s.lines[name] = l.ID
				return err
			})
		}
		return order()
	}
}

// lanes is how many tales are told side by side.
const lanes = 4

// TestEveryCrashPoint kills the process at each durable step and external call of
// each tale, on the server at every third, and starts it again; in `make soak` it
// kills it at each on both databases, and that one, too, at each of its points.
// Every time it wants the ledger of the undisturbed tale, entry by entry, and sound
// books. Of the states that one crash more leaves it searches a part, and it plays
// some pairs that are drawn.
func TestEveryCrashPoint(t *testing.T) {
	t.Parallel()
	soak := os.Getenv("FANLI_SOAK") != ""
	for _, l := range legends() {
		for _, on := range []string{"SQLite", "MySQL"} {
			t.Run(l.name+" on "+on, func(t *testing.T) {
				if underRace && (on == "MySQL" || l.name != legends()[0].name) {
					t.Skip("skipped under the race detector, which sees the same goroutines in every tale: stage 2 plays it")
				}
				var server *mariadbtest.Server
				if on == "MySQL" {
					server = mariadbtest.Shared(t)
				}
				s := &search{legend: l, whole: 1, every: 100}
				pairs := 4
				if on == "MySQL" { // the same code runs on both, and a server costs more
					s.whole, s.every, pairs = 0, 3, 2
				}
				switch {
				case soak:
					s.whole, s.every, pairs = 2, 25, 40
				case underRace:
					s.whole, s.every, pairs = 0, 32, 2
				case testing.Short():
					s.whole, s.every, pairs = 0, 16, 2
				}
				st := theatres(t, server, lanes)
				r := s.run(t, st)
				if !t.Failed() {
					s.sample(t, st, pairs)
				}
				t.Log(r)
			})
		}
	}
}

// numbered finds the numbers that a database gives.
var numbered = regexp.MustCompile(`\b(user|withdrawal|merge)/(\d+)`)

// renumber gives users, withdrawals and merges the numbers 1, 2, 3 in their order: a
// server does not give a number again that it gave in a transaction that was
// rolled back.
func renumber(entries []string) []string {
	given := map[string][]int{}
	for _, e := range entries {
		for _, m := range numbered.FindAllStringSubmatch(e, -1) {
			if n, _ := strconv.Atoi(m[2]); !slices.Contains(given[m[1]], n) {
				given[m[1]] = append(given[m[1]], n)
			}
		}
	}
	for _, ns := range given {
		slices.Sort(ns)
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = numbered.ReplaceAllStringFunc(e, func(s string) string {
			what, number, _ := strings.Cut(s, "/")
			n, _ := strconv.Atoi(number)
			return fmt.Sprint(what, "/", 1+slices.Index(given[what], n))
		})
	}
	slices.Sort(out)
	return out
}

func diff(want, got []string) string {
	s := ""
	for _, e := range want {
		if !slices.Contains(got, e) {
			s += "  - " + e + "\n"
		}
	}
	for _, e := range got {
		if !slices.Contains(want, e) {
			s += "  + " + e + "\n"
		}
	}
	return s
}

// TestTwoHundredWithdrawals asks for the whole balance 200 times at once:
// exactly one wins, and every loser is told why.
func TestTwoHundredWithdrawals(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		race(t, newLittle(t).mustOpen())
	})
	t.Run("MySQL", func(t *testing.T) {
		t.Parallel()
		race(t, newLittle(t).onServer(mariadbtest.Shared(t)).mustOpen())
	})
}

// race is 200 requests at once in a world.
func race(t *testing.T, w *little) {
	t.Helper()
	s := &tale{w: w, lines: map[string]string{}}
	for _, step := range s.steps()[:10] {
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
	}
	u, _, err := w.app.users.Resolve(t.Context(), identityOf("ann"), "zh")
	if err != nil {
		t.Fatal(err)
	}
	have, err := w.app.purse.Wallet(t.Context(), u.ID)
	if err != nil || have.Available == 0 {
		t.Fatalf("%+v, %v", have, err)
	}
	const n = 200
	results := make(chan error, n)
	start := make(chan struct{})
	for i := range n {
		go func() {
			<-start
			_, err := w.app.payouts.Request(t.Context(), u.ID, have.Available, fmt.Sprint("race/", i))
			results <- err
		}()
	}
	close(start)
	won := 0
	for range n {
		switch err := <-results; fault.CodeOf(err) {
		case "":
			won++
		case fault.Conflict, fault.Insufficient:
		default:
			t.Errorf("a loser is told %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d requests won", won, n)
	}
	if got, _ := w.app.purse.Wallet(t.Context(), u.ID); got.Reserved != have.Available || got.Available != 0 {
		t.Errorf("%+v", got)
	}
	w.advance(time.Minute)
	w.mustSettle()
	w.wantSound()
	if got := w.bank.sum(); got != have.Available {
		t.Errorf("the bank has sent %s of %s", got, have.Available)
	}
	var zero money.Fen
	if got, _ := w.app.purse.Wallet(t.Context(), u.ID); got.Reserved != zero {
		t.Errorf("%+v", got)
	}
}
