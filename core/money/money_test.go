package money_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanli/core/fault"
	"fanli/core/money"
)

func TestParseYuan(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		r    money.Rounding
		want money.Fen
		bad  bool
	}{
		{text: "12.3", want: 1230},
		{text: "0.05", want: 5},
		{text: "-1", want: -100},
		{text: "1,234.50", want: 123450},
		{text: " 7 ", want: 700},
		{text: "12.30", want: 1230},
		{text: "12.300", want: 1230},
		{text: ".5", want: 50},
		{text: "12.345", bad: true},
		{text: "12.345", r: money.Down, want: 1234},
		{text: "12.345", r: money.HalfUp, want: 1235},
		{text: "-12.345", r: money.HalfUp, want: -1235},
		{text: "2.4300000001", r: money.HalfUp, want: 243},
		{text: "0.005", r: money.Down, want: 0},
		{text: "", bad: true},
		{text: ".", bad: true},
		{text: "12.", bad: true},
		{text: "1e2", bad: true},
		{text: "+1", bad: true},
		{text: "--1", bad: true},
		{text: "NaN", bad: true},
		{text: "1,23.00", bad: true},
		{text: "1234,567", bad: true},
		{text: "1,2345", bad: true},
		{text: "1,234,567", want: 123456700},
		{text: "1/2", bad: true},
		{text: "1:2", bad: true},
		{text: "1.0/", bad: true},
		{text: "1.0:", bad: true},
		{text: "1.000x", r: money.Down, bad: true},
		{text: "000000000000001", want: 100}, // fifteen digits
		{text: "0000000000000001", bad: true},
		{text: "0." + strings.Repeat("0", 30), want: 0},
		{text: "0." + strings.Repeat("0", 31), bad: true},
		{text: "0.004999", r: money.HalfUp, want: 0},
		{text: "0.005", r: money.HalfUp, want: 1},
		{text: ",123", bad: true},
		{text: "１２", bad: true},
		{text: "1000000000000", want: money.FenMax},
		{text: "1000000000000.01", bad: true},
		{text: strings.Repeat("9", 400), bad: true},
	}
	for _, tt := range tests {
		got, err := money.ParseYuan(tt.text, tt.r)
		if tt.bad != (err != nil) || got != tt.want {
			t.Errorf("ParseYuan(%.30q, %d) = %d, %v; want %d, bad %v", tt.text, tt.r, got, err, tt.want, tt.bad)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseYuan(%.30q) fails with %v", tt.text, fault.CodeOf(err))
		}
	}
}

func TestTextAndBackAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64Range(-int64(money.FenMax), int64(money.FenMax)).Draw(t, "fen"))
		back, err := money.ParseYuan(f.String(), money.Exact)
		if err != nil || back != f {
			t.Fatalf("%d → %q → %d, %v", f, f.String(), back, err)
		}
	})
}

func TestShareNeverGivesAFenTooMuch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64Range(0, int64(money.FenMax)).Draw(t, "fen"))
		b := money.Bps(rapid.Int64Range(0, int64(money.Whole)).Draw(t, "bps"))
		s := f.Share(b)
		if s < 0 || s > f {
			t.Fatalf("%d × %s = %d", f, b, s)
		}
		// s ≤ f·b/10000 < s+1, checked without overflow.
		if hi := f.Mul(int64(b), 1); hi < s*money.Fen(money.Whole) || hi >= (s+1)*money.Fen(money.Whole) {
			t.Fatalf("%d × %s = %d is not rounded down", f, b, s)
		}
		if (-f).Share(b) != -s {
			t.Fatalf("a share of a loss is not the mirror of a share of a gain: %d", f)
		}
	})
}

func TestAddRefusesToOverflow(t *testing.T) {
	t.Parallel()
	for _, p := range [][2]money.Fen{{math.MaxInt64, 1}, {math.MinInt64, -1}} {
		if s, err := money.Add(p[0], p[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d + %d = %d, %v", p[0], p[1], s, err)
		}
	}
	for _, p := range [][3]money.Fen{
		{5, -7, -2}, {-5, 7, 2}, {5, 0, 5}, {-5, 0, -5}, {0, 0, 0}, {math.MaxInt64, 0, math.MaxInt64}, {math.MaxInt64, math.MinInt64, -1},
	} {
		if s, err := money.Add(p[0], p[1]); s != p[2] || err != nil {
			t.Errorf("%d + %d = %d, %v; want %d", p[0], p[1], s, err, p[2])
		}
	}
}

func TestMul(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f        money.Fen
		num, den int64
		want     money.Fen
	}{
		{7, 2, 3, 4}, {-7, 2, 3, -4}, {7, -2, 3, -4}, {7, 2, -3, -4}, {-7, -2, 3, 4}, {-7, 2, -3, 4}, {7, -2, -3, 4}, {-7, -2, -3, -4},
		{3, 2, 1, 6}, {0, -5, 3, 0}, {5, 0, -3, 0},
		{5, 1, 0, 0}, {-5, 1, 0, 0}, // a part of nothing
		{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64}, {math.MinInt64, -1, 2, 1 << 62},
		{math.MaxInt64, 1, 1, math.MaxInt64}, {math.MinInt64, -1, 1, money.FenMax}, // the first that does not fit
		{1 << 62, 8, 2, money.FenMax}, {1 << 62, -8, 2, -money.FenMax}, {1 << 62, 8, 1, money.FenMax},
	}
	for _, tt := range tests {
		if got := tt.f.Mul(tt.num, tt.den); got != tt.want {
			t.Errorf("%d × %d ÷ %d = %d, want %d", tt.f, tt.num, tt.den, got, tt.want)
		}
	}
}

func TestNumbersWithoutAValueAreZero(t *testing.T) {
	t.Parallel()
	for n, want := range map[money.Number]int64{"": 0, "--": 0, "5.25": 525, "-1": -100} {
		yuan, err := n.Yuan(money.Exact)
		if int64(yuan) != want || err != nil {
			t.Errorf("%q is %d fen, %v", n, yuan, err)
		}
		percent, err := n.Percent(money.Exact)
		if int64(percent) != want || err != nil {
			t.Errorf("%q is %d basis points, %v", n, percent, err)
		}
	}
	for _, text := range []string{`"\x"`, `"`} {
		if err := new(money.Number).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}

// TestAMistakeIsQuotedInShort: what a network sends instead of a number may be long.
func TestAMistakeIsQuotedInShort(t *testing.T) {
	t.Parallel()
	for n, cut := range map[int]bool{39: false, 40: false, 41: true, 4000: true} {
		_, err := money.ParseYuan(strings.Repeat("x", n), money.Exact)
		if want := strings.Repeat("x", min(n, 40)); !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), want+"x") || strings.Contains(err.Error(), "…") != cut {
			t.Errorf("%d letters: %v", n, err)
		}
	}
}

func TestNumberReadsEveryFormThatNetworksSend(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]money.Fen{
		`{"n":12.30}`: 1230, `{"n":"12.30"}`: 1230, `{"n":" 8 "}`: 800, `{"n":null}`: 0, `{"n":"--"}`: 0, `{"n":""}`: 0, `{}`: 0,
		`{"n":2.4300000000000002}`: 243,
	} {
		var v struct{ N money.Number }
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got, err := v.N.Yuan(money.HalfUp); got != want || err != nil {
			t.Errorf("%s = %d, %v; want %d", text, got, err, want)
		}
	}
	var v struct{ N money.Number }
	if err := json.Unmarshal([]byte(`{"n":{"a":1}}`), &v); err != nil {
		t.Fatal(err)
	}
	if _, err := v.N.Yuan(money.Exact); !fault.Is(err, fault.Invalid) {
		t.Errorf("an object reads as an amount: %v", err)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		money.Fen(1230).Yuan():            "¥12.30",
		money.Fen(-5).Yuan():              "-¥0.05",
		money.Fen(0).Yuan():               "¥0.00",
		money.Fen(0).String():             "0.00",
		money.Bps(7000).String():          "70%",
		money.Bps(525).String():           "5.25%",
		money.Bps(0).String():             "0%",
		money.Bps(10000).String():         "100%",
		money.Fen(math.MinInt64).String(): "-92233720368547758.08",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
