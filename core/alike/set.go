package alike

import "strings"

// A set is words or numbers of a title.
type set[T comparable] map[T]bool

func (s set[T]) equal(o set[T]) bool { return len(s) == len(o) && s.within(o) }

// within reports whether o has all of s.
func (s set[T]) within(o set[T]) bool {
	for e := range s {
		if !o[e] {
			return false
		}
	}
	return true
}

// disjoint reports whether both have something, and nothing in common.
func disjoint[T comparable](a, b set[T]) bool {
	for e := range a {
		if b[e] {
			return false
		}
	}
	return len(a) > 0 && len(b) > 0
}

// overlap is how much of the smaller set the other one has, in percent.
func overlap[T comparable](a, b set[T]) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	n := 0
	for e := range a {
		if b[e] {
			n++
		}
	}
	return n * 100 / len(a)
}

// models are the words with digits that are no amounts: 15, k380, wh1000xm5.
type models set[string]

// without returns the models that o does not have. Letters in front may be missing:
// WH-1000XM5 is also written 1000XM5.
func (m models) without(o models) models {
	out := models{}
	for one := range m {
		if !o.have(one) {
			out[one] = true
		}
	}
	return out
}

func (m models) have(one string) bool {
	for other := range m {
		long, short := one, other
		if len(long) < len(short) {
			long, short = short, long
		}
		head, ok := strings.CutSuffix(long, short)
		if ok && (head == "" || len(short) >= modelRunesMin && strings.Trim(head, "abcdefghijklmnopqrstuvwxyz") == "") {
			return true
		}
	}
	return false
}

// numbers are values of one measure.
type numbers = set[int64]

// one reports whether there is nothing but a single piece.
func (s set[T]) one() bool {
	for e := range s {
		if n, ok := any(e).(int64); !ok || n != unitary {
			return false
		}
	}
	return true
}
