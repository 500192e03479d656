package servicetest_test

import (
	"slices"
	"testing"
	"time"

	"fanli/core/servicetest"
)

type leafy struct {
	Name  string
	At    time.Time
	Hash  [2]byte
	Pair  [2]int
	Parts []struct{ A, B int }
	More  *struct{ C bool }
	Lists []struct{ In []struct{ D int } }
}

// What makes the suites notice a new field is tried itself.
func TestFieldsWithoutAValueAreFound(t *testing.T) {
	t.Parallel()
	good := leafy{
		Name: "a", At: time.Unix(1, 0), Hash: [2]byte{0, 1}, Pair: [2]int{1, 2}, Parts: []struct{ A, B int }{{A: 1}, {B: 1}}, More: &struct{ C bool }{true},
		Lists: []struct{ In []struct{ D int } }{{}, {In: []struct{ D int }{{1}}}, {}},
	}
	for _, c := range []struct {
		name   string
		spoil  func(l *leafy)
		except []string
		wrong  []string
	}{
		{"nothing", func(*leafy) {}, nil, nil},
		{"a text", func(l *leafy) { l.Name = "" }, nil, []string{"Name is zero: give it a value"}},
		{"an exception", func(l *leafy) { l.Name = "" }, []string{"Name"}, nil},
		{"no exception", func(*leafy) {}, []string{"Name"}, []string{"Name is not zero: it is no exception"}},
		{"an exception of nothing", func(*leafy) {}, []string{"Nam"}, []string{"Nam does not exist"}},
		{"a time", func(l *leafy) { l.At = time.Time{} }, nil, []string{"At is zero: give it a value"}},
		{"bytes", func(l *leafy) { l.Hash = [2]byte{} }, nil, []string{"Hash is zero: give it a value"}},
		{"one of two", func(l *leafy) { l.Pair[1] = 0 }, nil, []string{"Pair[1] is zero: give it a value"}},
		{"in no part", func(l *leafy) { l.Parts = l.Parts[:1] }, nil, []string{"Parts.B is zero: give it a value"}},
		{"no parts", func(l *leafy) { l.Parts = nil }, nil, []string{"Parts is zero: give it a value"}},
		{"no list in any", func(l *leafy) { l.Lists = l.Lists[:1] }, nil, []string{"Lists.In is zero: give it a value"}},
		{"a pointer", func(l *leafy) { l.More = nil }, nil, []string{"More is zero: give it a value"}},
		{"behind a pointer", func(l *leafy) { l.More = &struct{ C bool }{} }, nil, []string{"More.C is zero: give it a value"}},
	} {
		l := good
		c.spoil(&l)
		if got := servicetest.ZeroFields(l, c.except...); !slices.Equal(got, c.wrong) {
			t.Errorf("%s: %q, want %q", c.name, got, c.wrong)
		}
	}
}
