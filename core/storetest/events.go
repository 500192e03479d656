package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
)

// An emitting store can be tried through its events alone.
func emitting[T event.Emitter](inTx func(context.Context, func(T) error) error, heard Heard) atomic[T] {
	return atomic[T]{
		inTx:  inTx,
		write: func(tx T, n int) error { return tx.Emit(numbered(n)) },
		there: func(t *testing.T) []int {
			var out []int
			for _, e := range heard(t) {
				n, err := strconv.Atoi(strings.TrimPrefix(e.ID, "test/"))
				must(t, err)
				out = append(out, n)
			}
			return out
		},
	}
}

func numbered(n int) event.Event {
	return event.Event{ID: fmt.Sprint("test/", n), Name: "test.happened", At: start(), Data: []byte(`{"n":1}`)}
}

// emits are the promises of event.Emitter.
func emits[S any, T event.Emitter](of func(s S) (inTx func(context.Context, func(T) error) error, heard Heard)) []check[S] {
	return []check[S]{
		{"EventsComeBackAsTheyWere", func(t *testing.T, s S) {
			inTx, heard := of(s)
			e := event.Event{ID: "test/好/1", Name: "test.happened", At: start().Add(1234 * time.Millisecond), Data: []byte(`{"title":"保温杯"}`)}
			must(t, inTx(t.Context(), func(tx T) error { return tx.Emit(e) }))
			want(t, "events", heard(t), []event.Event{e})
		}},
		{"SameEventTwiceIsConflict", func(t *testing.T, s S) {
			inTx, heard := of(s)
			once := func() error {
				return inTx(t.Context(), func(tx T) error { return tx.Emit(numbered(1)) })
			}
			must(t, once())
			wantCode(t, "the same event again", once(), fault.Conflict)
			want(t, "number of events", len(heard(t)), 1)
		}},
	}
}

// handles are the promises of event.Inbox.
func handles[S any, T event.Inbox](of func(s S) func(context.Context, func(T) error) error) []check[S] {
	handled := func(t *testing.T, s S, id string, then error) (before bool, err error) {
		err = of(s)(t.Context(), func(tx T) error {
			var err error
			before, err = tx.Handled(id)
			return errors.Join(err, then)
		})
		return before, err
	}
	return []check[S]{
		{"HandledIsRememberedByID", func(t *testing.T, s S) {
			for i, id := range []string{"a", "b", "a", "b"} {
				before, err := handled(t, s, id, nil)
				must(t, err)
				want(t, fmt.Sprintf("Handled(%q), call %d", id, i), before, i >= 2)
			}
		}},
		{"HandledIsForgottenWithItsTransaction", func(t *testing.T, s S) {
			_, err := handled(t, s, "a", errNo)
			if !errors.Is(err, errNo) {
				t.Fatal(err)
			}
			before, err := handled(t, s, "a", nil)
			must(t, err)
			want(t, "Handled after a rollback", before, false)
		}},
		{"HandledAtOnceIsHandledOnce", func(t *testing.T, s S) {
			befores, errs := together(atOnce, func(int) (bool, error) { return handled(t, s, "a", nil) })
			must(t, errors.Join(errs...))
			first := 0
			for _, before := range befores {
				if !before {
					first++
				}
			}
			want(t, "how many were first", first, 1)
		}},
	}
}
