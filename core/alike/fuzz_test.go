package alike_test

import (
	"slices"
	"testing"

	"fanli/core/alike"
)

// FuzzCompare holds two texts against each other: nothing breaks, and the order of the
// two says nothing.
func FuzzCompare(f *testing.F) {
	for _, s := range []string{"美的电热水壶 1.7L", "8+128g/3-5*12瓶 iphone15promax", "送二十3支 x12 500mlx12", "<http://适用 a", "十二双瓶2024年316l"} {
		f.Add(s, "Midea 500ml*12")
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		a, b := alike.Read(x), alike.Read(y)
		there, back := alike.Compare(a, b), alike.Compare(b, a)
		if there.Verdict != back.Verdict || !slices.Equal(there.Because, back.Because) || len(there.Because) == 0 {
			t.Errorf("%q and %q are %v, and the other way round %v", x, y, there, back)
		}
		if len(a.Queries()) > 2 {
			t.Errorf("%q is searched for by %q", x, a.Queries())
		}
	})
}
