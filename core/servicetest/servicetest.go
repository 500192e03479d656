// Package servicetest holds the promises of what targets ask of each other as
// tests. A service passes its suite, and so does a client of it in another process:
// the suites are what makes the two the same.
//
// Each suite opens a world of its own for every subtest. What a service answers
// about is put there through the stores of core, which have suites of their own, so
// that every field of an answer can have a value.
//
// # Guarantees
//
//   - Answers are compared to the last field. No field of what is expected is zero
//     but those that the suite names, so a field that is new in core fails the suite
//     until the suite gives it a value, and from then on until it arrives.
//   - Errors are judged by code and reason.
package servicetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// A Clock is that of the services under test.
type Clock struct {
	// Now is in UTC and whole milliseconds.
	Now     func() time.Time
	Advance func(d time.Duration)
}

// A story is one promise about a service.
type story[W any] struct {
	name string
	run  func(t *testing.T, w W)
}

// run makes each story a subtest with a world of its own.
func run[W any](t *testing.T, open func(t *testing.T) W, stories ...story[W]) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, open(t))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want compares what came back with what was expected.
func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// wantPayee compares payees. Printing masks most of one, so it says which fields
// differ.
func wantPayee(t *testing.T, what string, got, want user.Payee) {
	t.Helper()
	if got.Method != want.Method || got.Account != want.Account || got.Name != want.Name || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v (changed %s), want %v (changed %s)", what, got, got.Changed, want, want.Changed)
	}
}

// A failure is how a call has to fail.
type failure struct {
	what   string
	err    error
	code   fault.Code
	reason string
}

func wantFailures(t *testing.T, all ...failure) {
	t.Helper()
	for _, f := range all {
		if fault.CodeOf(f.err) != f.code || fault.ReasonOf(f.err) != f.reason {
			t.Errorf("%s: %v (%q, %q), want %q, %q", f.what, f.err, fault.CodeOf(f.err), fault.ReasonOf(f.err), f.code, f.reason)
		}
	}
}

// errOf drops the answer of a call that fails.
func errOf[A any](_ A, err error) error { return err }

// full fails unless every field within v has a value, but for those named in
// except: the path to them, as in "Whole.Revision.Raw". A field of the elements of
// a list has one if it has one in any of them. An exception that is none fails, too.
func full(t *testing.T, v any, except ...string) {
	t.Helper()
	for _, f := range zeroFields(v, except...) {
		t.Errorf("%T: %s", v, f)
	}
}

func zeroFields(v any, except ...string) (wrong []string) {
	has := map[string]bool{}
	walk("", reflect.ValueOf(v), has)
	for path, set := range has {
		switch named := slices.Contains(except, path); {
		case !set && !named:
			wrong = append(wrong, path+" is zero: give it a value")
		case set && named:
			wrong = append(wrong, path+" is not zero: it is no exception")
		}
	}
	for _, path := range except {
		if _, ok := has[path]; !ok {
			wrong = append(wrong, path+" does not exist")
		}
	}
	slices.Sort(wrong)
	return wrong
}

// walk notes which leaves below v have a value.
func walk(path string, v reflect.Value, has map[string]bool) {
	leaf := func(set bool) { has[path] = has[path] || set }
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		leaf(!v.IsZero())
	case v.Kind() == reflect.Pointer && !v.IsNil():
		leaf(true) // in this element of a list, if not in others
		walk(path, v.Elem(), has)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			walk(strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), v.Field(i), has)
		}
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct:
		leaf(true)
		for i := range v.Len() {
			walk(path, v.Index(i), has)
		}
	case v.Kind() == reflect.Array && v.Type().Elem().Kind() != reflect.Uint8:
		for i := range v.Len() { // each stands for something of its own
			walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i), has)
		}
	default:
		leaf(!v.IsZero() && (v.Kind() != reflect.Slice && v.Kind() != reflect.Map || v.Len() > 0))
	}
}
