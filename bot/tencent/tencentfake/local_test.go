package tencentfake_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"fanli/bot/tencent/tencentfake"
)

// TestWhoHasGoneAsksNothing: of a request whose context has ended the other side hears
// nothing, as over a connection.
func TestWhoHasGoneAsksNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var heard atomic.Int64
		c := tencentfake.Local(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard.Add(1) }))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://wechat.example", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone is told %v", err)
		}
		synctest.Wait()
		if n := heard.Load(); n != 0 {
			t.Errorf("it was heard %d times", n)
		}
	})
}
