package link_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fanli/core/link"
)

func TestRecogniseNothingIsAList(t *testing.T) {
	t.Parallel()
	if got := link.Recognise("你好"); got == nil || len(got) != 0 {
		t.Errorf("got %#v, want an empty list that is not nil", got)
	}
}

func TestAppendRefsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	mine := link.Ref{Network: link.JD, Kind: link.Item, ID: "100012043978"}
	for _, text := range []string{
		"https://item.jd.com/100012043978.html",
		"1707359271433894971 https://item.jd.com/100012043978.html", // drops a number
		"\u200bhttps://item.jd.com/100012043978.html",               // reads twice
	} {
		got := link.AppendRefs([]link.Ref{mine}, text)
		if len(got) != 2 || got[0] != mine || got[1].Key() != mine.Key() {
			t.Errorf("%q: got %v, want what was there and the item", text, got)
		}
	}
}

func TestRecogniseLimits(t *testing.T) {
	t.Parallel()
	link1 := "https://item.jd.com/100012043978.html"

	t.Run("TheRestOfALongMessageIsNotRead", func(t *testing.T) {
		t.Parallel()
		padding := strings.Repeat("字", link.TextBytesMax/len("字"))
		if got := link.Recognise(padding + link1); len(got) != 0 {
			t.Errorf("got %v, want nothing", got)
		}
		if got := link.Recognise(padding[:link.TextBytesMax-3*len(link1)] + link1); len(got) != 1 {
			t.Errorf("got %v, want the link before the limit", got)
		}
	})

	t.Run("ALinkIsNeverCutInTwo", func(t *testing.T) {
		t.Parallel()
		for n := range len(link1) + 2 {
			padding := strings.Repeat(" ", link.TextBytesMax-n)
			for _, r := range link.Recognise(padding + link1 + " 1") {
				if r.ID != "100012043978" || n < len(link1) {
					t.Fatalf("with %d bytes before the limit: got %v", n, r)
				}
			}
		}
	})

	t.Run("RefsAreBounded", func(t *testing.T) {
		t.Parallel()
		if got := link.Recognise(distinct(link.TextBytesMax)); len(got) != link.RefsMax {
			t.Errorf("got %d refs, want %d", len(got), link.RefsMax)
		}
	})

	t.Run("LooksAreBounded", func(t *testing.T) {
		t.Parallel()
		vain := strings.Repeat("https://www.jd.com/ ", link.LooksMax)
		if got := link.Recognise(vain + link1); len(got) != 0 {
			t.Errorf("got %v, want nothing behind so many links", got)
		}
		if got := link.Recognise(vain[:len(vain)/2] + link1); len(got) != 1 {
			t.Errorf("got %v, want the link", got)
		}
	})

	t.Run("WrappingIsBounded", func(t *testing.T) {
		t.Parallel()
		wrapped := link1
		for depth := 1; depth <= link.WrapsMax+1; depth++ {
			wrapped = "https://plogin.m.jd.com/a?returnurl=" + escape(wrapped)
			got := link.Recognise(wrapped)
			if found := len(got) == 1 && got[0].Kind == link.Item; found != (depth <= link.WrapsMax) {
				t.Errorf("depth %d: got %v", depth, got)
			}
		}
	})
}

// escape escapes what a link escapes in a parameter.
func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if strings.IndexByte(":/?=&%", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func TestRecogniseAllocatesNothingForNothing(t *testing.T) {
	for _, path := range corpusFiles(t) {
		for _, s := range readCorpus(t, path) {
			if len(s.want) == 0 {
				wantNoAllocs(t, s.text)
			}
		}
	}
	for _, s := range shapes {
		text := s.text(link.TextBytesMax)
		if len(link.Recognise(text)) == 0 {
			wantNoAllocs(t, text)
		}
	}
}

func wantNoAllocs(t *testing.T, text string) {
	t.Helper()
	if n := testing.AllocsPerRun(10, func() { link.Recognise(text) }); n != 0 {
		t.Fatalf("%v allocations for %.80q", n, text)
	}
}

// TestRecogniseIsLinear counts bytes read instead of time, so that it fails for
// what the scanner does and not for what the machine does.
func TestRecogniseIsLinear(t *testing.T) {
	t.Parallel()
	const (
		readsMax = 8  // of a byte, at most, on the average
		slack    = 64 // bytes, for what is read once a message
	)
	for _, s := range shapes {
		for n := 256; n <= link.TextBytesMax; n *= 2 {
			text := s.text(n)
			steps := link.Steps(text)
			if most := readsMax*len(text) + slack; steps > most {
				t.Errorf("%s: %d bytes take %d steps, want at most %d", s.name, len(text), steps, most)
			}
			if double := link.Steps(s.text(2 * n)); n < link.TextBytesMax && double > 3*steps+slack {
				t.Errorf("%s: %d bytes take %d steps, twice as many bytes take %d", s.name, len(text), steps, double)
			}
		}
	}
}

func TestRecogniseIsTheSameFromWherever(t *testing.T) {
	t.Parallel()
	for _, text := range corpus(t) {
		want := link.Recognise(text)
		if got := link.Recognise(strings.Clone(text)); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, then %v", text, want, got)
		}
		long := text + "\n" + strings.Repeat(" ", 2000)
		if got := link.Recognise(long); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, and %v with blanks behind", text, want, got)
		}
	}
}
