package guard_test

import (
	"context"
	"testing"

	"fanli/adapters/guard"
	"fanli/core/fault"
	"fanli/core/link"
)

// hall is a script that makes links to pages.
type hall struct{ *script }

func (h hall) Promote(ctx context.Context, p link.Page, m link.Mark) (link.Made, error) {
	return link.Made{URL: "https://x.test/" + p.Address + m.Tag}, h.run(ctx)
}

// TestPagesPassTheGate: a link to a page is tried again like any other, and a network
// without pages has none behind a guard either.
func TestPagesPassTheGate(t *testing.T) {
	t.Parallel()
	s := &script{next: failing(down, 2)}
	p, ok := guard.Network(hall{s}, guard.Options{Tries: 2, Backoff: 1}).(link.Promoter)
	if !ok {
		t.Fatal("behind a guard there are no pages")
	}
	made, err := p.Promote(t.Context(), link.Page{Address: "sale/"}, link.Mark{Tag: "t1"})
	if err != nil || made.URL != "https://x.test/sale/t1" {
		t.Errorf("%+v, %v", made, err)
	}
	wantCalls(t, s, 2)
	p, _ = guard.Network(&script{}, guard.Options{}).(link.Promoter)
	if _, err := p.Promote(t.Context(), link.Page{}, link.Mark{}); fault.ReasonOf(err) != link.NoPages {
		t.Errorf("a network without pages: %v", err)
	}
}
