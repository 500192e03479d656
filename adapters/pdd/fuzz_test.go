package pdd_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanli/core/fault"
	"fanli/core/link"
)

// answer is a transport that always brings the same body.
type answer string

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

// FuzzAnswer feeds any bytes as an answer: there is a page, an offer or a
// classified error, every row of a page is either read or kept aside with its
// text, and nothing panics.
func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no answers to begin with", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := clientOf(t, "http://127.0.0.1/", &http.Client{Transport: answer(body)})
		p, err := c.Orders().Pull(t.Context(), lastHour(), "")
		wantSettled(t, err)
		for _, r := range p.Revisions {
			if r.Key.ID == "" || len(r.Raw) == 0 || r.Modified.IsZero() || r.Price < 0 || r.Estimated < 0 {
				t.Errorf("odd revision %+v", r)
			}
		}
		for _, b := range p.Bad {
			if b.Err == nil || len(b.Raw) == 0 {
				t.Errorf("odd bad row %+v", b)
			}
		}
		o, err := c.Links().Offer(t.Context(), link.Ref{Kind: link.Item, ID: "E9a_Ja"})
		wantSettled(t, err)
		if err == nil && (o.Final <= 0 || o.Final > o.Price || o.Commission < 0 || o.Commission > o.Final) {
			t.Errorf("odd offer %+v", o)
		}
	})
}

// wantSettled wants no error, or one that says what the caller can do.
func wantSettled(t *testing.T, err error) {
	t.Helper()
	wantCode(t, "call", err, fault.CodeOf(err))
}
