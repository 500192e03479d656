package audit_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
)

var at = time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)

func approve(id int64) audit.Act {
	return audit.Act{ID: id, At: at, Actor: "cli", Role: "operator", What: "withdrawal.approve", On: "withdrawal/7", Reason: "seen", Before: "reviewing", After: "approved", Trace: "t1"}
}

func TestAnActSaysWhoDidWhatToWhat(t *testing.T) {
	t.Parallel()
	if err := approve(1).Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*audit.Act){
		"nobody": func(a *audit.Act) { a.Actor = "" }, "nothing": func(a *audit.Act) { a.What = "" }, "on nothing": func(a *audit.Act) { a.On = "" },
		"a long name": func(a *audit.Act) { a.Trace = strings.Repeat("x", 192) }, "a novel": func(a *audit.Act) { a.Reason = strings.Repeat("x", 4001) },
	} {
		a := approve(1)
		spoil(&a)
		if err := a.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEachFieldIsInTheHash also moves letters between neighbouring fields, which a
// hash of the bare texts would not see.
func TestEachFieldIsInTheHash(t *testing.T) {
	t.Parallel()
	seen := map[string]string{approve(1).Sum("p"): "the act itself", approve(1).Sum("q"): "another before"}
	for name, change := range map[string]func(*audit.Act){
		"ID": func(a *audit.Act) { a.ID++ }, "At": func(a *audit.Act) { a.At = at.Add(time.Millisecond) },
		"Actor": func(a *audit.Act) { a.Actor += "o" }, "Role": func(a *audit.Act) { a.Role = "" }, "What": func(a *audit.Act) { a.What += "d" },
		"On": func(a *audit.Act) { a.On = "withdrawal/8" }, "Reason": func(a *audit.Act) { a.Reason = "" }, "Before": func(a *audit.Act) { a.Before = "" },
		"After": func(a *audit.Act) { a.After = "" }, "Trace": func(a *audit.Act) { a.Trace = "" },
		"a moved letter": func(a *audit.Act) { a.Actor, a.Role = a.Actor+a.Role[:1], a.Role[1:] },
	} {
		a := approve(1)
		change(&a)
		if other, ok := seen[a.Sum("p")]; ok {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[a.Sum("p")] = name
	}
}

// A log is a reader of a few acts.
type log struct {
	acts []audit.Act
	last int64
	hash string
}

func (l log) Acts(context.Context, audit.Filter) ([]audit.Act, error) { return nil, nil }
func (l log) ActsEnd(context.Context) (int64, string, error)          { return l.last, l.hash, nil }
func (l log) WalkActs(_ context.Context, fn func(audit.Act) error) error {
	for _, a := range l.acts {
		if err := fn(a); err != nil {
			return err
		}
	}
	return nil
}

func TestVerifyFindsWhatIsWrongWithAChain(t *testing.T) {
	t.Parallel()
	chain := func(n int64) (l log) {
		for id := int64(1); id <= n; id++ {
			a := approve(id)
			a.Hash = a.Sum(l.hash)
			l.acts, l.last, l.hash = append(l.acts, a), id, a.Hash
		}
		return l
	}
	for name, tt := range map[string]struct {
		spoil func(*log)
		says  string
	}{
		"sound":             {func(*log) {}, ""},
		"changed":           {func(l *log) { l.acts[1].Reason = "x" }, "act 2"},
		"changed with hash": {func(l *log) { l.acts[1].Reason = "x"; l.acts[1].Hash = l.acts[1].Sum(l.acts[0].Hash) }, "act 3"},
		"removed":           {func(l *log) { l.acts = append(l.acts[:1], l.acts[2:]...) }, "act 3 follows act 1"},
		"cut off":           {func(l *log) { l.acts = l.acts[:2] }, "the newest act is 2"},
		"end changed":       {func(l *log) { l.hash = "x" }, "the end was changed"},
	} {
		l := chain(3)
		tt.spoil(&l)
		_, d, err := audit.Verify(t.Context(), l)
		if err != nil || (d == "") != (tt.says == "") || !strings.Contains(d, tt.says) {
			t.Errorf("%s: it says %q, %v, not %q", name, d, err, tt.says)
		}
	}
	if n, d, err := audit.Verify(t.Context(), log{}); n != 0 || d != "" || err != nil {
		t.Errorf("no acts: %d, %q, %v", n, d, err)
	}
}
