package linktest

import (
	"testing"

	"fanli/core/link"
	"fanli/core/market"
)

// searcher returns the network as a searcher and words for it, or skips.
func (s Subject) searcher(t *testing.T) (link.Searcher, string) {
	t.Helper()
	n, ok := s.Network.(link.Searcher)
	if !ok {
		t.Skip("the network does not search")
	}
	if s.Words != "" {
		return n, s.Words
	}
	return n, s.goods(t, s.Known[0]).Title
}

// titled finds goods by their title: what an offer found by words is compared
// with.
func (s Subject) titled(t *testing.T, title string) market.Goods {
	t.Helper()
	for _, g := range s.Market.Shelf() {
		if g.Title == title {
			return g
		}
	}
	t.Fatalf("found %q, which is not on the shelf", title)
	return market.Goods{}
}

func searchFinds(t *testing.T, s Subject) {
	n, words := s.searcher(t)
	offers, err := n.Search(t.Context(), words, 1, 10)
	if err != nil {
		t.Fatalf("Search(%q): %v", words, err)
	}
	if len(offers) == 0 || len(offers) > 10 {
		t.Fatalf("Search(%q) found %d offers, want 1 to 10", words, len(offers))
	}
	for _, o := range offers {
		g := s.titled(t, o.Title)
		if g.Unlisted {
			t.Errorf("found %q, which is not in the programme", g.ID)
		}
		s.wantOffer(t, o, g)
	}
	made, err := s.Network.Link(t.Context(), offers[0], s.mark(1))
	if err != nil {
		t.Fatalf("Link to what was found: %v", err)
	}
	s.wantClick(t, made, s.mark(1), s.titled(t, offers[0].Title))
}

// searchPages reads one offer at a time and compares with a page of many.
func searchPages(t *testing.T, s Subject) {
	n, words := s.searcher(t)
	all, err := n.Search(t.Context(), words, 1, 10)
	if err != nil {
		t.Fatalf("Search(%q): %v", words, err)
	}
	for i, want := range all {
		got, err := n.Search(t.Context(), words, i+1, 1)
		if err != nil {
			t.Fatalf("Search(%q, page %d): %v", words, i+1, err)
		}
		if len(got) != 1 || got[0].ItemKey() != want.ItemKey() {
			t.Errorf("page %d has %d offers, want just %q", i+1, len(got), want.Title)
		}
	}
	if len(all) == 10 {
		return // there may be more
	}
	past, err := n.Search(t.Context(), words, len(all)+1, 1)
	if err != nil || len(past) != 0 {
		t.Errorf("past the last page: %d offers, %v; want none and no error", len(past), err)
	}
}

func searchFindsNone(t *testing.T, s Subject) {
	n, _ := s.searcher(t)
	offers, err := n.Search(t.Context(), "没有这样的东西zzqx", 1, 10)
	if err != nil || len(offers) != 0 {
		t.Errorf("Search = %d offers, %v; want none and no error", len(offers), err)
	}
}
