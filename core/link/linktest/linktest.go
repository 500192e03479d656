// Package linktest holds the promises of link.Network as tests. A network is
// done when [Run] passes.
//
// The suite needs the network's fake and the book behind it: it asks the book
// for the truth and compares it with what comes out of the real client. It never
// sleeps; a server that stalls is met with a short deadline.
//
// It does not check what only one network promises (its signature, its odd
// answers): that belongs beside the adapter.
package linktest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
)

// The ways in which a fake can be told to fail. The empty mode is health.
const (
	Stall   = "stall"   // takes the request and never answers
	Limited = "limited" // says that there were too many requests
	Down    = "down"    // answers with a server error and no document
	Garbage = "garbage" // answers with something that is not a document
	Denied  = "denied"  // refuses our credentials
)

// deadline is how long a caller waits for a server that stalls.
const deadline = 50 * time.Millisecond

// patience is when a call that ignores its deadline is called hung. It is far
// above deadline so that a busy machine fails no test.
const patience = 10 * time.Second

// A Subject is a network under test with the fake that it talks to.
type Subject struct {
	Network link.Network
	Market  *market.Market // the fake's book

	// Known has one ref for each kind that the network opens, all of goods with
	// a commission. The market finds the goods of each by its ID, else by its
	// Token, else by its URL, so these are ids or aliases of goods.
	Known    []link.Ref
	Unlisted link.Ref // goods that exist but are not in the programme
	Foreign  link.Ref // of a kind that the network cannot open

	// Click returns what the fake finds behind a link that it made. Its Tag is
	// the mark's tag where the network carries tags, its Slot the mark's slot
	// where it has a pool; at least one of them came through.
	Click func(made link.Made) (market.Click, bool)

	// Words finds at least two goods, for a network that is a link.Searcher;
	// empty means the title of the first known goods.
	Words string

	Fail   func(mode string) // makes the fake fail in one of the modes above until it is called with ""
	Secret string            // appears in no error
}

// Run checks every promise of link.Network. open returns a new subject that
// shares nothing with others; subtests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"NameIsShortAndStable", nameIsStable},
		{"OfferSaysWhatTheBookSays", offerTells},
		{"OfferAgainIsTheSameGoods", offerIsStable},
		{"GoodsOutsideTheProgrammeAreNotFound", unlistedIsNotFound},
		{"ForeignKindIsInvalid", foreignIsInvalid},
		{"LinkCarriesItsMark", linkCarriesMark},
		{"LinksOfTwoMarksDiffer", linksDiffer},
		{"LinkAgainIsEqual", linkAgain},
		{"SlotsAreFixed", slotsAreFixed},
		{"ManyAtOnce", manyAtOnce},
		{"SearchFindsOffers", searchFinds},
		{"SearchPages", searchPages},
		{"SearchForNothingFindsNone", searchFindsNone},
		{"DeadlineIsHonoured", deadlineHonoured},
		{"CancelledCallReturns", cancelReturns},
		{"FailuresAreClassified", failuresClassified},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if len(s.Known) == 0 {
				t.Fatal("the subject knows no goods")
			}
			tt.run(t, s)
		})
	}
}

func nameIsStable(t *testing.T, s Subject) {
	name := s.Network.Name()
	if name == "" || len(name) > 16 || name != strings.ToLower(name) || strings.ContainsAny(name, " /|") {
		t.Errorf("Name() = %q, want a short lower-case word", name)
	}
	if again := s.Network.Name(); again != name {
		t.Errorf("Name() = %q, then %q", name, again)
	}
}

// goods returns what the book has for ref.
func (s Subject) goods(t *testing.T, ref link.Ref) market.Goods {
	t.Helper()
	id := ref.ID
	if id == "" {
		id = ref.Token
	}
	if id == "" {
		id = ref.URL
	}
	g, ok := s.Market.Goods(id)
	if !ok {
		t.Fatalf("the market does not know %q: make it an alias of the goods", id)
	}
	return g
}

// owed returns what the network will owe for one piece of g, after its fee.
func (s Subject) owed(g market.Goods) money.Fen {
	gross := g.Final().Share(g.Rate)
	return gross - gross.Share(s.Market.Fee())
}

// mark returns the nth mark for s, with a slot where the network has a pool.
func (s Subject) mark(n int) link.Mark {
	m := link.Mark{Tag: fmt.Sprintf("Lt_%04d", n)}
	if p, ok := s.Network.(link.Pooled); ok {
		slots := p.Slots()
		m.Slot = slots[n%len(slots)]
	}
	return m
}

// offer asks for ref and expects an answer.
func (s Subject) offer(t *testing.T, ref link.Ref) link.Offer {
	t.Helper()
	o, err := s.Network.Offer(t.Context(), ref)
	if err != nil {
		t.Fatalf("Offer(%s %s): %v", ref.Kind, ref.Key(), err)
	}
	return o
}

// wantCode judges an error: its code, and that it keeps the secret.
func (s Subject) wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%s failed with code %q, want %q: %v", what, got, want, err)
	}
	s.wantSecret(t, what, err)
}

func (s Subject) wantSecret(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil && s.Secret != "" && strings.Contains(err.Error(), s.Secret) {
		t.Errorf("%s: the error tells the secret", what)
	}
}

// wantLink judges the outside of a made link.
func wantLink(t *testing.T, made link.Made) {
	t.Helper()
	u, err := url.Parse(made.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		t.Errorf("made link %q does not open in a browser", made.URL)
	}
}

// promptly runs call and fails the test if it does not return.
func promptly(ctx context.Context, t *testing.T, what string, call func(ctx context.Context) error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		t.Fatalf("%s still hangs %s after its deadline", what, patience)
		return nil
	}
}
