package callback_test

import (
	"context"
	"testing"
	"time"

	memory "fanli/adapters/cache"
	"fanli/bot/callback"
	"fanli/core/cache"
)

// garbled is a cache in which something else wrote.
type garbled struct{ cache.Cache }

func (garbled) Get(context.Context, string) ([]byte, bool) { return []byte("1"), true }

// TestWhatWasHereBefore: a request that comes again is a redelivery for a moment, if it is
// the same to the letter, and a replay otherwise; at another process, too, if they share a
// cache.
func TestWhatWasHereBefore(t *testing.T) {
	t.Parallel()
	const late = callback.Redelivery + time.Millisecond
	for name, tt := range map[string]struct {
		elsewhere bool
		alone     bool // the other process shares nothing
		after     time.Duration
		nonce     string
		body      string
		want      callback.Verdict
	}{
		"the same":                     {nonce: "1", body: "a", after: callback.Redelivery, want: callback.Redelivered},
		"the same, too late":           {nonce: "1", body: "a", after: late, want: callback.Replayed},
		"the same, as long as known":   {nonce: "1", body: "a", after: 2 * callback.Freshness, want: callback.Replayed},
		"another body":                 {nonce: "1", body: "b", want: callback.Replayed},
		"signed anew":                  {nonce: "2", body: "a", want: callback.New},
		"elsewhere":                    {elsewhere: true, nonce: "1", body: "a", after: callback.Redelivery, want: callback.Redelivered},
		"elsewhere, too late":          {elsewhere: true, nonce: "1", body: "a", after: late, want: callback.Replayed},
		"elsewhere, with another body": {elsewhere: true, nonce: "1", body: "b", want: callback.Replayed},
		"elsewhere, unknown":           {elsewhere: true, alone: true, nonce: "1", body: "b", want: callback.New},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Unix(1_700_000_000, 0)
			shared := memory.NewMemory(func() time.Time { return now })
			both := []cache.Cache{shared, shared}
			if tt.alone {
				both[1] = nil
			}
			var processes [2]callback.Memory
			judge := func(i int, nonce, body string) callback.Verdict {
				return processes[i].Judge(t.Context(), "wechat", callback.Signed{Timestamp: "1", Nonce: nonce}, []byte(body), both[i], now)
			}
			if got := judge(0, "1", "a"); got != callback.New {
				t.Fatalf("the first is judged %d", got)
			}
			now = now.Add(tt.after)
			at := map[bool]int{true: 1}[tt.elsewhere]
			if got := judge(at, tt.nonce, tt.body); got != tt.want {
				t.Errorf("judged %d, want %d", got, tt.want)
			}
			if tt.want == callback.New {
				return
			}
			now = now.Add(late)
			if got := judge(at, tt.nonce, tt.body); got != callback.Replayed {
				t.Errorf("after that it is judged %d: the time begins with the first", got)
			}
		})
	}
	var m callback.Memory
	if got := m.Judge(t.Context(), "wechat", callback.Signed{Nonce: "1"}, nil, garbled{}, time.Unix(1, 0)); got != callback.Replayed {
		t.Errorf("what nobody can read is judged %d", got)
	}
}
