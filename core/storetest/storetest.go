// Package storetest holds the promises of core's stores as tests. A store is
// done when its suite passes.
//
// Each suite opens a store of its own for every subtest; subtests run in
// parallel. The suites ask for what the interfaces promise and, where a promise
// is about several at the same time, let many try at once and judge every single
// outcome. They know nothing of databases: what only one kind of store promises
// is tested beside it.
package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
)

// atOnce is how many try the same thing at the same time.
const atOnce = 100

// start is when the stories of the suites begin.
func start() time.Time { return time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC) }

// Heard returns what was emitted and committed, oldest first.
type Heard func(t *testing.T) []event.Event

// A check is one promise about a store.
type check[S any] struct {
	name string
	run  func(t *testing.T, s S)
}

// run makes each check a subtest with a store of its own.
func run[S any](t *testing.T, open func(t *testing.T) S, checks ...[]check[S]) {
	t.Helper()
	for _, part := range checks {
		for _, c := range part {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t, open(t))
			})
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode judges an error by its code; "" wants none.
func wantCode(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("%s: %v (code %q), want code %q", what, err, got, code)
	}
}

// want compares what came back with what was expected.
func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// together runs try n times at once and returns all outcomes.
func together[R any](n int, try func(i int) (R, error)) (results []R, errs []error) {
	results, errs = make([]R, n), make([]error, n)
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-gate
			results[i], errs[i] = try(i)
		})
	}
	close(gate)
	wg.Wait()
	return results, errs
}

// errNo is why a transaction of a test does not want to be committed.
var errNo = errors.New("changed my mind")

// An atomic is what the suites need to know of a store to try its transactions.
type atomic[T any] struct {
	inTx  func(ctx context.Context, fn func(T) error) error
	write func(tx T, n int) error  // writes the n-th of many things
	there func(t *testing.T) []int // says which are there, in order
}

// transactions are the promises of every InTx.
func transactions[S, T any](of func(s S) atomic[T]) []check[S] {
	try := func(f func(t *testing.T, a atomic[T])) func(*testing.T, S) {
		return func(t *testing.T, s S) { f(t, of(s)) }
	}
	return []check[S]{
		{"CommitKeeps", try(commitKeeps[T])},
		{"ErrorRollsBack", try(errorRollsBack[T])},
		{"PanicRollsBack", try(panicRollsBack[T])},
		{"EndedContextStoresNothing", try(endedStoresNothing[T])},
		{"ManyTransactionsAtOnceAllHappen", try(allHappen[T])},
	}
}

func commitKeeps[T any](t *testing.T, a atomic[T]) {
	must(t, a.inTx(t.Context(), func(tx T) error { return errors.Join(a.write(tx, 1), a.write(tx, 2)) }))
	want(t, "stored", a.there(t), []int{1, 2})
}

func errorRollsBack[T any](t *testing.T, a atomic[T]) {
	err := a.inTx(t.Context(), func(tx T) error {
		must(t, a.write(tx, 1))
		return errNo
	})
	if !errors.Is(err, errNo) {
		t.Errorf("InTx: %v, want the function's own error", err)
	}
	refused := fault.New(fault.Denied, "test.refused")
	wantCode(t, "InTx", a.inTx(t.Context(), func(T) error { return refused }), fault.Denied)
	must(t, a.inTx(t.Context(), func(tx T) error { return a.write(tx, 2) }))
	want(t, "stored", a.there(t), []int{2})
}

func panicRollsBack[T any](t *testing.T, a atomic[T]) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("InTx has swallowed a panic")
			}
		}()
		_ = a.inTx(t.Context(), func(tx T) error {
			must(t, a.write(tx, 1))
			panic("a defect")
		})
	}()
	must(t, a.inTx(t.Context(), func(tx T) error { return a.write(tx, 2) }))
	want(t, "stored", a.there(t), []int{2})
}

func endedStoresNothing[T any](t *testing.T, a atomic[T]) {
	ctx, cancel := context.WithCancel(t.Context())
	wantCode(t, "InTx that is cancelled on its way", a.inTx(ctx, func(tx T) error {
		err := a.write(tx, 1)
		cancel()
		return err
	}), fault.Unavailable)
	wantCode(t, "InTx that is cancelled before", a.inTx(ctx, func(tx T) error { return a.write(tx, 2) }), fault.Unavailable)
	must(t, a.inTx(t.Context(), func(tx T) error { return a.write(tx, 3) }))
	want(t, "stored", a.there(t), []int{3})
}

func allHappen[T any](t *testing.T, a atomic[T]) {
	_, errs := together(atOnce, func(i int) (struct{}, error) {
		return struct{}{}, a.inTx(t.Context(), func(tx T) error { return a.write(tx, i+1) })
	})
	must(t, errors.Join(errs...))
	seen := map[int]bool{}
	for _, n := range a.there(t) {
		seen[n] = true
	}
	want(t, "number of things stored", len(seen), atOnce)
}
