package link_test

import (
	"slices"
	"strings"
	"testing"

	"fanli/core/link"
)

func FuzzRecognise(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	for _, s := range shapes {
		f.Add(s.text(200))
	}
	f.Fuzz(func(t *testing.T, text string) {
		before := strings.Clone(text)
		refs := link.Recognise(text)
		if text != before {
			t.Fatal("the text was changed")
		}
		if again := link.Recognise(text); !slices.Equal(refs, again) {
			t.Fatalf("%v, then %v", refs, again)
		}
		if len(refs) > link.RefsMax {
			t.Fatalf("%d refs", len(refs))
		}
		keys := map[string]bool{}
		decoded := forms(text)
		for _, r := range refs {
			if keys[r.Key()] {
				t.Fatalf("key %q twice", r.Key())
			}
			keys[r.Key()] = true
			checkRef(t, r, decoded)
		}
	})
}

// forms are the text as the scanner may see it: as it is, cleaned, and with
// escapes taken away up to the depth of wrapping.
func forms(text string) []string {
	all := []string{text, link.Clean(text)}
	for range link.WrapsMax {
		all = append(all, link.Decode(all[len(all)-1]))
	}
	return all
}

// checkRef checks what is true of every ref that was found in a text.
func checkRef(t *testing.T, r link.Ref, decoded []string) {
	t.Helper()
	in := func(part string) bool {
		return slices.ContainsFunc(decoded, func(text string) bool { return strings.Contains(text, part) })
	}
	switch {
	case r.Kind == "":
		t.Fatalf("%+v has no kind", r)
	case r.ID == "" && r.Token == "" && r.URL == "":
		t.Fatalf("%+v points at nothing", r)
	case r.Network == "" && r.Kind != link.Order:
		t.Fatalf("%+v is nobody's", r)
	case !in(r.ID) || !in(r.Token) || !in(r.Title):
		t.Fatalf("%+v is not in the text", r)
	case strings.ContainsFunc(r.ID+r.Token+r.URL, func(c rune) bool { return c <= ' ' || c > '~' }):
		t.Fatalf("%+v has a character that no link has", r)
	}
	if r.URL == "" || !slices.Contains([]link.Kind{link.Item, link.Short, link.Click, link.Coupon}, r.Kind) {
		return
	}
	again := link.Recognise(r.URL)
	if len(again) != 1 || again[0].URL != r.URL || again[0].ID != r.ID || again[0].Kind != r.Kind {
		t.Fatalf("the link of %+v gives %+v", r, again)
	}
}
