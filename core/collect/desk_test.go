package collect_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

func TestTill(t *testing.T) {
	t.Parallel()
	for _, lazy := range []bool{false, true} {
		collecttest.Run(t, func(*testing.T) collecttest.Subject {
			till := collecttest.NewTill(start)
			till.Lazy = lazy
			return collecttest.Subject{Collector: till, Provider: till, Now: start()}
		})
	}
}

func start() time.Time { return time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC) }

// A story is a desk with its till and books.
type story struct {
	*collect.Desk
	t      *testing.T
	till   *collecttest.Till
	mem    *collecttest.Memory
	now    time.Time
	alarms []collect.Concern
}

func begin(t *testing.T) *story {
	t.Helper()
	s := &story{t: t, mem: collecttest.NewMemory(), now: start()}
	s.till = collecttest.NewTill(func() time.Time { return s.now })
	s.Desk = &collect.Desk{
		Store: s.mem, Collectors: []collect.Collector{s.till}, Prefix: "T", Lasts: 30 * time.Minute, Now: func() time.Time { return s.now },
		Alarm: func(_ context.Context, c collect.Concern, _ collect.Due) { s.alarms = append(s.alarms, c) },
	}
	return s
}

// vip asks user 7 for a month of level 1.
func vip(key string) collect.Request {
	return collect.Request{Key: key, Purpose: collect.Membership, User: 7, What: "level/1/30", Amount: 19_90, Subject: "会员 30 天"}
}

func (s *story) ask(r collect.Request) collect.Due {
	s.t.Helper()
	d, err := s.Ask(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// live lets time go by, with the job running all the while.
func (s *story) live(d time.Duration) {
	s.t.Helper()
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(5 * time.Second) {
		if _, err := s.Run(s.t.Context()); err != nil && !fault.Is(err, fault.Unavailable) {
			s.t.Fatal(err)
		}
	}
}

// want judges a due and the money of the house.
func (s *story) want(id int64, stage collect.Stage, sums map[ledger.Account]money.Fen) {
	s.t.Helper()
	d, err := s.mem.Due(s.t.Context(), id)
	if err != nil || d.Stage != stage {
		s.t.Errorf("charge %d is %s (%s), %v; want %s", id, d.Stage, d.Reason, err, stage)
	}
	got, err := s.mem.Reader().Accounts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	sum := money.Fen(0)
	for a, b := range got {
		if sum += b; b != sums[a] {
			s.t.Errorf("%s has %s, want %s", a, b, sums[a])
		}
	}
	for a, b := range sums {
		if got[a] != b {
			s.t.Errorf("%s has %s, want %s", a, got[a], b)
		}
	}
	if sum != 0 {
		s.t.Errorf("the books add up to %s", sum)
	}
}

const collector ledger.Account = "collector/till"

func member(n money.Fen) map[ledger.Account]money.Fen {
	return map[ledger.Account]money.Fen{collector: -n, ledger.Membership: n}
}

func (s *story) stages() (out []collect.Stage) {
	for _, e := range s.mem.Heard() {
		var c collect.Changed
		if err := e.Decode(&c); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, c.Stage)
	}
	return out
}

func TestSomebodyPays(t *testing.T) {
	t.Parallel()
	s := begin(t)
	d := s.ask(vip("a"))
	if d.Stage != collect.Asked || d.Code == "" || d.Number != "TC1" {
		t.Fatalf("%+v", d)
	}
	s.live(10 * time.Minute)
	s.want(d.ID, collect.Asked, nil)
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	s.live(3 * time.Minute)
	s.want(d.ID, collect.Received, member(19_90))
	if got := s.stages(); !slices.Equal(got, []collect.Stage{collect.Asked, collect.Received}) {
		t.Errorf("said %v", got)
	}
	s.live(48 * time.Hour)
	s.want(d.ID, collect.Received, member(19_90))
	if len(s.alarms) > 0 {
		t.Errorf("alarms %v", s.alarms)
	}
}

// A callback is a hint: it is believed only after the collector was asked.
func TestACallbackMakesItFaster(t *testing.T) {
	t.Parallel()
	s := begin(t)
	d := s.ask(vip("a"))
	s.live(20 * time.Minute)
	if err := s.Heard(t.Context(), "till", d.Number); err != nil {
		t.Fatal(err)
	}
	s.live(5 * time.Second)
	s.want(d.ID, collect.Asked, nil)
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	for range 3 { // however often it comes
		if err := s.Heard(t.Context(), "till", d.Number); err != nil {
			t.Fatal(err)
		}
	}
	s.live(5 * time.Second)
	s.want(d.ID, collect.Received, member(19_90))
	if err := s.Heard(t.Context(), "till", d.Number); err != nil {
		t.Error(err)
	}
	for _, to := range [][2]string{{"alipay", d.Number}, {"till", "TC404"}} {
		if err := s.Heard(t.Context(), to[0], to[1]); !fault.Is(err, fault.NotFound) {
			t.Errorf("Heard(%v): %v", to, err)
		}
	}
}

func TestNobodyPays(t *testing.T) {
	t.Parallel()
	for _, lazy := range []bool{false, true} {
		s := begin(t)
		s.till.Lazy = lazy
		d := s.ask(vip("a"))
		s.live(29 * time.Minute)
		s.want(d.ID, collect.Asked, nil)
		s.live(5 * time.Minute)
		s.want(d.ID, collect.Lapsed, nil)
		s.live(48 * time.Hour)
		calls := s.till.Calls["Query"]
		s.live(48 * time.Hour)
		s.want(d.ID, collect.Lapsed, nil)
		if s.till.Calls["Query"] != calls {
			t.Error("what has lapsed is asked about for ever")
		}
	}
}

// Money that comes after all goes back by itself, and staff hears of it: also where
// no callback tells, within a day.
func TestMoneyComesTooLate(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		s := begin(t)
		d := s.ask(vip("a"))
		s.live(time.Hour)
		s.want(d.ID, collect.Lapsed, nil)
		s.till.PayLate(d.Number, d.Amount)
		if told {
			if err := s.Heard(t.Context(), "till", d.Number); err != nil {
				t.Fatal(err)
			}
			s.live(time.Minute)
		} else {
			s.live(24 * time.Hour)
		}
		s.want(d.ID, collect.Refunded, map[ledger.Account]money.Fen{collector: 0, ledger.Suspense: 0})
		if s.till.Balance(d.Number) != 0 || !slices.Equal(s.alarms, []collect.Concern{collect.Late}) {
			t.Errorf("%s are there; alarms %v", s.till.Balance(d.Number), s.alarms)
		}
		if slices.Contains(s.stages(), collect.Received) {
			t.Error("it counts as bought")
		}
	}
}

func TestAnotherAmountWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		s := begin(t)
		d := s.ask(vip("a"))
		if late {
			s.live(time.Hour)
		}
		s.payOther(d.Number, 1, late)
		if err := s.Heard(t.Context(), "till", d.Number); err != nil {
			t.Fatal(err)
		}
		s.live(10 * time.Minute)
		s.want(d.ID, collect.Held, map[ledger.Account]money.Fen{collector: -1, ledger.Suspense: 1})
		if !slices.Equal(s.alarms, []collect.Concern{collect.WrongAmount}) {
			t.Errorf("alarms %v", s.alarms)
		}
		if _, err := s.Refund(t.Context(), d.ID, "cli:anna", "wrong amount"); err != nil {
			t.Fatal(err)
		}
		s.live(time.Minute)
		s.want(d.ID, collect.Refunded, map[ledger.Account]money.Fen{collector: 0, ledger.Suspense: 0})
	}
}

func (s *story) payOther(number string, amount money.Fen, late bool) {
	s.t.Helper()
	if late {
		s.till.PayLate(number, amount)
		return
	}
	if err := s.till.PayOther(number, amount); err != nil {
		s.t.Fatal(err)
	}
}

func TestStaffGivesItBack(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.till.Slow = true
	d := s.ask(vip("a"))
	if _, err := s.Refund(t.Context(), d.ID, "cli", "why not"); !fault.Is(err, fault.Conflict) {
		t.Errorf("Refund of what nobody paid: %v", err)
	}
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	s.live(time.Minute)
	if _, err := s.Refund(t.Context(), d.ID, "cli", " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("Refund without a reason: %v", err)
	}
	for range 2 {
		if _, err := s.Refund(t.Context(), d.ID, "cli:anna", "goodwill"); err != nil {
			t.Fatal(err)
		}
	}
	s.live(10 * time.Minute)
	s.want(d.ID, collect.Refunding, member(19_90)) // it is ours until it has left
	s.till.Settle()
	s.live(20 * time.Minute)
	s.want(d.ID, collect.Refunded, map[ledger.Account]money.Fen{collector: 0, ledger.Membership: 0})
	if acts := s.mem.Acts(); len(acts) != 1 || acts[0].Actor != "cli:anna" || acts[0].On != "charge/1" {
		t.Errorf("acts %+v", acts)
	}
	if got := s.till.Balance(d.Number); got != 0 || s.till.Calls["Refund"] == 0 {
		t.Errorf("%s are there", got)
	}
	if _, err := s.Refund(t.Context(), d.ID, "cli", "again"); err != nil {
		t.Errorf("Refund of what is back: %v", err)
	}
}

// A refund that does not get on is told to staff once.
func TestARefundIsStuck(t *testing.T) {
	t.Parallel()
	s := begin(t)
	d := s.ask(vip("a"))
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	s.live(time.Minute)
	if _, err := s.Refund(t.Context(), d.ID, "cli", "goodwill"); err != nil {
		t.Fatal(err)
	}
	s.till.Fail(collecttest.LostRequest)
	s.live(24 * time.Hour)
	if !slices.Equal(s.alarms, []collect.Concern{collect.Stuck}) {
		t.Errorf("alarms %v", s.alarms)
	}
	s.till.Fail("")
	s.live(20 * time.Minute)
	s.want(d.ID, collect.Refunded, map[ledger.Account]money.Fen{collector: 0, ledger.Membership: 0})
}

func TestTheOperatorPutsMoneyIn(t *testing.T) {
	t.Parallel()
	s := begin(t)
	d := s.ask(collect.Request{Key: "t", Purpose: collect.TopUp, Amount: 500_00, Subject: "充值", Staff: "cli:anna"})
	s.ask(collect.Request{Key: "t", Purpose: collect.TopUp, Amount: 500_00, Subject: "充值", Staff: "cli:anna"})
	if acts := s.mem.Acts(); len(acts) != 1 || acts[0].Actor != "cli:anna" || acts[0].What != "charge.topup" || acts[0].On != "charge/1" || acts[0].After != "500.00" {
		t.Errorf("the record of acts has %+v", acts)
	}
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	s.live(time.Minute)
	s.want(d.ID, collect.Received, map[ledger.Account]money.Fen{collector: 0, ledger.Bank: -500_00, ledger.Marketing: 500_00})
	if _, err := s.Refund(t.Context(), d.ID, "cli", "too much"); err != nil {
		t.Fatal(err)
	}
	s.live(time.Minute)
	s.want(d.ID, collect.Refunded, map[ledger.Account]money.Fen{collector: 0, ledger.Bank: 0, ledger.Marketing: 0})
}

// Asking again for the same is one charge; asking for something else ends the first.
func TestAskingTwice(t *testing.T) {
	t.Parallel()
	s := begin(t)
	a := s.ask(vip("a"))
	if b := s.ask(vip("a")); b.ID != a.ID {
		t.Errorf("the same key made charge %d", b.ID)
	}
	if b := s.ask(vip("b")); b.ID != a.ID {
		t.Errorf("the same wish made charge %d", b.ID)
	}
	year := vip("c")
	year.What, year.Amount = "level/1/365", 199_00
	c := s.ask(year)
	if c.ID == a.ID {
		t.Fatal("another wish is the same charge")
	}
	s.want(a.ID, collect.Lapsed, nil)
	if err := s.till.Pay(a.Number); err == nil {
		t.Error("what was called off was paid")
	}
	if b, err := s.Ask(t.Context(), collect.Request{Key: "c", Purpose: collect.Membership, User: 7, What: "level/2/30", Amount: 1, Subject: "x"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a key for something else: %+v, %v", b, err)
	}
	if err := s.till.Pay(c.Number); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ask(t.Context(), vip("d")); fault.ReasonOf(err) != "charge.paid" {
		t.Errorf("something else while the first was being paid: %v", err)
	}
	s.want(c.ID, collect.Received, member(199_00))
	if d := s.ask(vip("e")); d.ID == c.ID || d.Stage != collect.Asked {
		t.Errorf("after it was paid: %+v", d)
	}
	s.live(time.Hour)
	if f := s.ask(vip("f")); f.Stage != collect.Asked || f.ID < 3 {
		t.Errorf("after it lapsed: %+v", f)
	}
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	s := begin(t)
	for name, change := range map[string]func(*collect.Request){
		"no key":        func(r *collect.Request) { r.Key = "" },
		"no subject":    func(r *collect.Request) { r.Subject = "" },
		"nothing":       func(r *collect.Request) { r.Amount = 0 },
		"below nothing": func(r *collect.Request) { r.Amount = -1 },
		"a fortune":     func(r *collect.Request) { r.Amount = 50_000_01 },
		"nobody":        func(r *collect.Request) { r.User = 0 },
		"a user's own":  func(r *collect.Request) { r.Purpose = collect.TopUp },
		"for nothing":   func(r *collect.Request) { r.Purpose = "gift" },
	} {
		r := vip("a")
		change(&r)
		if _, err := s.Ask(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Collectors = nil
	if _, err := s.Ask(t.Context(), vip("a")); fault.ReasonOf(err) != "charge.off" {
		t.Errorf("without a collector: %v", err)
	}
}

// Whatever the road does, there is one charge, paid once and in the books once.
func TestTheRoadFails(t *testing.T) {
	t.Parallel()
	for _, way := range []string{collecttest.LostRequest, collecttest.LostAnswer, collecttest.Stall} {
		s := begin(t)
		s.till.Fail(way)
		d, err := s.Ask(t.Context(), vip("a"))
		if !fault.Is(err, fault.Unavailable) || d.Stage != collect.Created {
			t.Fatalf("%s: %+v, %v", way, d, err)
		}
		s.live(time.Minute)
		s.till.Fail("")
		s.live(3 * time.Minute)
		s.want(d.ID, collect.Asked, nil)
		if again := s.ask(vip("b")); again.ID != d.ID || again.Code == "" {
			t.Errorf("%s: %+v", way, again)
		}
		if err := s.till.Pay(d.Number); err != nil {
			t.Fatal(err)
		}
		s.till.Fail(way)
		s.live(2 * time.Hour)
		s.want(d.ID, collect.Asked, nil) // not lapsed: nobody has said so
		s.till.Fail("")
		s.live(5 * time.Minute)
		s.want(d.ID, collect.Received, member(19_90))
	}
}

// It was paid before we heard of its code: the answer to the creation was lost.
func TestPaidBeforeItsCodeWasHeard(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.till.Fail(collecttest.LostAnswer)
	d, _ := s.Ask(t.Context(), vip("a"))
	s.till.Fail("")
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	s.live(time.Minute)
	s.want(d.ID, collect.Received, member(19_90))
}

// A collector that is not configured any more holds up nobody else.
func TestACollectorIsGone(t *testing.T) {
	t.Parallel()
	s := begin(t)
	d := s.ask(vip("a"))
	s.Collectors = nil
	s.now = s.now.Add(time.Minute)
	if n, err := s.Run(t.Context()); n != 0 || fault.ReasonOf(err) != "charge.collector_gone" {
		t.Errorf("Run = %d, %v", n, err)
	}
	s.want(d.ID, collect.Asked, nil)
}

// The process dies at every one of its steps, and again at the next; the end is
// that of a run in which nothing happened.
func TestEveryCrash(t *testing.T) {
	t.Parallel()
	dies := errors.New("the process dies")
	play := func(at, second int) (steps int) {
		s := begin(t)
		n, armed := 0, true
		s.mem.Before = func() error {
			if n++; armed && (n == at || n == second) {
				return dies
			}
			return nil
		}
		step := func(do func() error) {
			for range 4 {
				if err := do(); !errors.Is(err, dies) {
					return
				}
			}
		}
		var d collect.Due
		step(func() (err error) { d, err = s.Ask(t.Context(), vip("a")); return err })
		if err := s.till.Pay(d.Number); err != nil {
			t.Fatal(err)
		}
		run := func(howLong time.Duration) {
			for end := s.now.Add(howLong); s.now.Before(end); s.now = s.now.Add(5 * time.Second) {
				step(func() error { _, err := s.Run(t.Context()); return err })
			}
		}
		run(10 * time.Minute)
		step(func() error { _, err := s.Refund(t.Context(), d.ID, "cli", "goodwill"); return err })
		run(30 * time.Minute)
		armed = false
		s.want(d.ID, collect.Refunded, map[ledger.Account]money.Fen{collector: 0, ledger.Membership: 0})
		if len(s.mem.Acts()) != 1 || s.till.Balance(d.Number) != 0 {
			t.Errorf("died at %d and %d: acts %+v, %s at the till", at, second, s.mem.Acts(), s.till.Balance(d.Number))
		}
		if got := s.stages(); !slices.Equal(got, []collect.Stage{collect.Asked, collect.Received, collect.Refunding, collect.Refunded}) &&
			!slices.Equal(got, []collect.Stage{collect.Received, collect.Refunding, collect.Refunded}) {
			t.Errorf("died at %d and %d: said %v", at, second, got)
		}
		return n
	}
	total := play(0, 0)
	for at := 1; at <= total; at++ {
		for second := at + 1; second <= at+3; second++ {
			play(at, second)
		}
	}
}

// Two runs at the same time do everything once.
func TestRunsAtOnce(t *testing.T) {
	t.Parallel()
	s := begin(t)
	d := s.ask(vip("a"))
	if err := s.till.Pay(d.Number); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Hour)
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := s.Run(t.Context())
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s.want(d.ID, collect.Received, member(19_90))
}

// Every way between the stages is one that the drawing in the package comment has.
func TestStages(t *testing.T) {
	t.Parallel()
	for _, st := range collect.Stages() {
		if (len(st.Next()) == 0) != (st == collect.Refunded) {
			t.Errorf("%s leads to %v", st, st.Next())
		}
		if st.Open() && st.Taken() {
			t.Errorf("%s is open and taken", st)
		}
	}
}
