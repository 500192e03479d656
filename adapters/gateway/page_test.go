package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"fanli/adapters/gateway"
)

// TestPagesGoOn reads lists to their end, page by page.
func TestPagesGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, tt := range []struct{ path, want string }{
		{"withdrawals?limit=2", "9 8 | 5"}, {"withdrawals?limit=3", "9 8 5"}, {"withdrawals?limit=1", "9 | 8 | 5"}, {"claims?limit=1", "2 | 1"}, {"claims", "2 1"},
	} {
		var pages []string
		for at := tt.path; ; {
			r := w.ask(http.MethodGet, gateway.Path+at, "", as("acme", "u-7")...)
			var page struct {
				Items []struct{ ID int64 }
				Next  string
			}
			if err := json.Unmarshal(r.Body.Bytes(), &page); err != nil || r.Code != 200 {
				t.Fatalf("%s: %d, %v", at, r.Code, err)
			}
			var ids []string
			for _, i := range page.Items {
				ids = append(ids, fmt.Sprint(i.ID))
			}
			pages = append(pages, strings.Join(ids, " "))
			if page.Next == "" {
				break
			}
			at = tt.path + "&cursor=" + page.Next
		}
		if got := strings.Join(pages, " | "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.path, got, tt.want)
		}
	}
}

func TestCursorsComeBackOrAreNone(t *testing.T) {
	t.Parallel()
	for _, id := range []int64{1, 42, 1 << 62} {
		if got, ok := gateway.CutCursor(gateway.Cursor(id)); !ok || got != id {
			t.Errorf("%d comes back as %d, %v", id, got, ok)
		}
	}
	for _, s := range []string{"", gateway.Cursor(0), gateway.Cursor(-1), gateway.Cursor(1) + "=", "djE6MDE", "djI6MQ", "💣"} {
		if _, ok := gateway.CutCursor(s); ok {
			t.Errorf("%q is a cursor", s)
		}
	}
}
