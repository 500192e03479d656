package jd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// seed gives a fuzzer the answers and rows in testdata, the rows in a page.
func seed(f *testing.F) {
	f.Helper()
	for _, glob := range []string{"testdata/answers/*.json", "testdata/rows/*.txt"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %v", glob, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			row, _, isRow := strings.Cut(string(b), "---\n")
			if isRow {
				row = `{"METHOD":{"code":"0","queryResult":{"code":200,"data":[` + row + `]}}}`
			}
			f.Add(row)
		}
	}
	f.Add(`{"METHOD":{"code":"0","getResult":{"code":200,"data":{"shortURL":"https://u.jd.com/abc"}}}}`)
	f.Add(`{"METHOD":{"code":"0","queryResult":{"code":200,"data":{"goodsResp":{"itemId":"aaaaaaaa_1","priceInfo":{"price":"1.0E2"},` +
		`"commissionInfo":{"commissionShare":"5"},"couponInfo":{"couponList":{"coupon":{"discount":"9","quota":"1","isBest":"1"}}}}}}}}`)
}

// judged fails the test for an error that a caller cannot act on.
func judged(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return true
	}
	wantSecrets(t, err)
	if fault.CodeOf(err) == "" || len(err.Error()) > 2000 {
		t.Errorf("an error without a code, or a long one: %v", err)
	}
	return false
}

// FuzzPull: whatever comes, rows that are believed make sense.
func FuzzPull(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body string) {
		c := always(t, jd.Config{}, body)
		at := newClock().Now()
		p, err := c.Pull(t.Context(), order.Window{Scene: "update", From: at.Add(-time.Minute), To: at}, "")
		if !judged(t, err) {
			return
		}
		for _, r := range p.Revisions {
			if r.Key.ID == "" || r.Order == "" || r.State == "" || r.Modified.IsZero() || r.Created.IsZero() || len(r.Raw) == 0 {
				t.Errorf("a row without a name, a state or a time: %+v", r)
			}
			if r.Price < 0 || r.Estimated < 0 || r.Actual < 0 || r.Refunded < 0 || r.Refunded > r.Price {
				t.Errorf("a row with odd sums: %+v", r)
			}
			if r.State == order.Invalid && (r.Why == "" || r.Estimated != 0 || r.Actual != 0) {
				t.Errorf("an invalid row that promises something: %+v", r)
			}
		}
		for _, b := range p.Bad {
			if len(b.Raw) == 0 || b.Err == nil {
				t.Errorf("put aside without text or reason: %+v", b)
			}
		}
	})
}

// FuzzOffer: whatever comes, an offer that is made can be shown.
func FuzzOffer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body string) {
		c := always(t, jd.Config{SceneIDs: []int{2, 1}, CouponQuery: true}, body)
		for _, ref := range []link.Ref{{Kind: link.Short, URL: unionShort}, skuRef(kettle)} {
			o, err := c.Offer(t.Context(), ref)
			if !judged(t, err) {
				continue
			}
			if o.Item == "" || o.Price <= 0 || o.Final <= 0 || o.Final > o.Price || o.Rate <= 0 || o.Commission < 0 || o.Commission > o.Final {
				t.Errorf("an odd offer: %+v", o)
			}
		}
	})
}

// FuzzLink: whatever comes, a link that is made can be opened.
func FuzzLink(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body string) {
		c := always(t, jd.Config{}, body)
		made, err := c.Link(t.Context(), link.Offer{Network: "jd", Material: "https://jingfen.jd.com/detail/a_b.html"}, link.Mark{Tag: "a"})
		if judged(t, err) && !strings.HasPrefix(made.URL, "http") {
			t.Errorf("made %+v", made)
		}
	})
}
