// Package money counts in whole fen (分, 1/100 yuan) and basis points
// (1/100 of a percent). There is no float here and none may come near: texts
// of numbers are read digit by digit.
package money

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"fanli/core/fault"
)

// Fen is an amount of money in fen. It may be negative where a package says so.
type Fen int64

// Bps is a rate in basis points: 10,000 is the whole.
type Bps int64

// Whole is 100 %.
const Whole Bps = 10_000

// FenMax bounds every amount that is read from outside: one trillion yuan.
// Sums of many such amounts still fit.
const FenMax Fen = 100_000_000_000_000

// Rounding says what happens to digits beyond the last one we keep.
type Rounding int

// The roundings.
const (
	Exact  Rounding = iota // more digits than we keep, unless zero, are an error
	Down                   // toward zero
	HalfUp                 // half away from zero, as networks print their sums
)

// ParseYuan reads a decimal number of yuan such as "12.3", "0.05", "-1" or
// "1,234.50". It refuses exponents, signs other than a leading minus, empty
// text and anything above FenMax with fault.Invalid.
func ParseYuan(s string, r Rounding) (Fen, error) {
	n, err := parseScaled(s, 2, r)
	return Fen(n), err
}

// ParsePercent reads a decimal number of percent: "5.25" is 525 basis points.
func ParsePercent(s string, r Rounding) (Bps, error) {
	n, err := parseScaled(s, 2, r)
	return Bps(n), err
}

// parseScaled reads s as a decimal and returns it times 10^scale.
func parseScaled(s string, scale int, r Rounding) (int64, error) {
	bad := func() (int64, error) {
		if len(s) > 40 {
			s = s[:40] + "…"
		}
		return 0, fault.Newf(fault.Invalid, "money.unreadable", "not an amount: %q", s)
	}
	t, neg := strings.CutPrefix(strings.TrimSpace(s), "-")
	whole, frac, dotted := strings.Cut(t, ".")
	if strings.Contains(whole, ",") {
		groups := strings.Split(whole, ",")
		for i, g := range groups {
			if len(g) > 3 || len(g) == 0 || i > 0 && len(g) != 3 {
				return bad()
			}
		}
		whole = strings.Join(groups, "")
	}
	if whole == "" && frac == "" || dotted && frac == "" || len(whole) > 15 || len(frac) > 30 {
		return bad()
	}
	var n int64
	for _, c := range []byte(whole) {
		if c < '0' || c > '9' {
			return bad()
		}
		n = n*10 + int64(c-'0')
	}
	up := false
	for i := range max(len(frac), scale) {
		d := byte('0')
		if i < len(frac) {
			d = frac[i]
		}
		if d < '0' || d > '9' {
			return bad()
		}
		switch {
		case i < scale:
			n = n*10 + int64(d-'0')
		case r == Exact && d != '0':
			return bad()
		case r == HalfUp && i == scale:
			up = d >= '5'
		}
	}
	if up {
		n++
	}
	if n > int64(FenMax) {
		return bad()
	}
	if neg {
		n = -n
	}
	return n, nil
}

// String writes the amount in yuan with two decimals: Fen(1230) is "12.30".
func (f Fen) String() string {
	sign := ""
	u := uint64(f)
	if f < 0 {
		sign, u = "-", -u
	}
	c := strconv.FormatUint(u%100, 10)
	if len(c) == 1 {
		c = "0" + c
	}
	return sign + strconv.FormatUint(u/100, 10) + "." + c
}

// Yuan writes the amount with the currency sign: "¥12.30", "-¥0.05".
func (f Fen) Yuan() string {
	if f < 0 {
		return "-¥" + strings.TrimPrefix(f.String(), "-")
	}
	return "¥" + f.String()
}

// String writes the rate in percent without needless zeros: "70%", "5.25%".
func (b Bps) String() string {
	s := strings.TrimRight(strings.TrimRight(Fen(b).String(), "0"), ".")
	return s + "%"
}

// Share returns the part b of f, rounded toward zero: users never get a fen
// that was not earned, and a claw-back never takes one that was not given. The
// product is formed in 128 bits, so it cannot overflow for |b| ≤ Whole.
func (f Fen) Share(b Bps) Fen { return f.Mul(int64(b), int64(Whole)) }

// Mul returns f × num ÷ den rounded toward zero; 0 where den is 0. A result
// outside int64 is clamped to FenMax.
func (f Fen) Mul(num, den int64) Fen {
	if den == 0 {
		return 0
	}
	hi, lo := bits.Mul64(abs(int64(f)), abs(num))
	d := abs(den)
	q := uint64(FenMax)
	if hi < d {
		q, _ = bits.Div64(hi, lo, d)
	}
	if q > math.MaxInt64 {
		q = uint64(FenMax)
	}
	if int64(f)^num^den < 0 { // an odd number of them is below zero
		return -Fen(q)
	}
	return Fen(q)
}

func abs(n int64) uint64 { return uint64(max(n, -n)) } // also for the least one, which is its own negative

// Add returns a+b, or fault.Invalid where the sum does not fit.
func Add(a, b Fen) (Fen, error) {
	s := a + b
	if (s < a) != (b < 0) {
		return 0, fault.Newf(fault.Invalid, "money.overflow", "%d + %d", a, b)
	}
	return s, nil
}
