package kf_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/core/fault"
)

// TestReading: whatever becomes of hints, pages, tokens and calls, each message is answered
// once.
func TestReading(t *testing.T) {
	t.Parallel()
	const path = "/cgi-bin/kf/sync_msg"
	soon := func(o *kf.Options) { o.Every = 50 * time.Millisecond }
	for name, tt := range map[string]struct {
		cfg     kffake.Config
		change  func(o *kf.Options)
		trouble func(f *kffake.Server)
	}{
		"as it should be":          {},
		"hints are lost":           {change: soon, trouble: func(f *kffake.Server) { f.SetHints(kffake.Lost) }},
		"hints come twice":         {trouble: func(f *kffake.Server) { f.SetHints(kffake.Doubled) }},
		"and to the letter":        {trouble: func(f *kffake.Server) { f.SetHints(kffake.Alike) }},
		"pages are empty":          {cfg: kffake.Config{PageSize: 1}, trouble: func(f *kffake.Server) { f.EmptyPages(2) }},
		"a token is unknown":       {trouble: (*kffake.Server).DropTokens},
		"a token has run out":      {trouble: (*kffake.Server).ExpireTokens},
		"WeCom is busy":            {trouble: func(f *kffake.Server) { f.Fail(path, 1, kffake.Fault{Code: -1, Text: "system busy"}) }},
		"a page of a proxy":        {trouble: func(f *kffake.Server) { f.Fail(path, 1, kffake.Fault{Status: 502, Body: "<html>"}) }},
		"an answer is lost":        {trouble: func(f *kffake.Server) { f.Fail(path, 1, kffake.Fault{HangUp: true, Late: true}) }},
		"the cursor is forgotten":  {trouble: func(f *kffake.Server) { f.Fail(path, 1, kffake.Fault{Code: 40058, Text: "invalid cursor"}) }},
		"the hint's token is too":  {trouble: func(f *kffake.Server) { f.Fail(path, 1, kffake.Fault{Code: 95007, Text: "invalid msg token"}) }},
		"how far was read is lost": {change: func(o *kf.Options) { o.Marks = &forgetful{Marks: o.Marks} }},
		"a message is sent late": {trouble: func(f *kffake.Server) {
			f.Fail("/cgi-bin/kf/send_msg", 1, kffake.Fault{HangUp: true, Late: true})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, tt.cfg, tt.change)
			w.run(t, echo)
			w.fake.Say(t.Context(), ann, "first")
			until(t, "the first is answered", func() bool { return len(w.fake.Lines(ann)) == 1 })
			if tt.trouble != nil {
				tt.trouble(w.fake)
			}
			w.fake.Say(t.Context(), ann, "second")
			w.fake.Say(t.Context(), ann, "third")
			want := "[re first re second re third]"
			until(t, want, func() bool { return len(w.fake.Lines(ann)) >= 3 })
			if got := fmt.Sprint(w.fake.Lines(ann)); got != want {
				t.Errorf("told %s", got)
			}
		})
	}
}

// forgetful cannot keep the second mark, and the third.
type forgetful struct {
	kf.Marks
	calls atomic.Int64
}

func (f *forgetful) SetMark(ctx context.Context, name, value string, token int64) error {
	if n := f.calls.Add(1); n == 2 || n == 3 {
		return fault.New(fault.Unavailable, "")
	}
	return f.Marks.SetMark(ctx, name, value, token)
}

// TestStopsWhileReading: a call that WeCom does not answer holds up no stop, and what came
// meanwhile is answered by the next run.
func TestStopsWhileReading(t *testing.T) {
	t.Parallel()
	w := open(t, kffake.Config{}, nil)
	w.fake.Fail("/cgi-bin/kf/sync_msg", 1, kffake.Fault{Stall: true})
	stop := w.run(t, echo)
	w.fake.Say(t.Context(), ann, "hello")
	until(t, "a token is asked for", func() bool { return len(w.fake.Calls("/cgi-bin/gettoken")) == 1 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second { // the call itself would last ten
		t.Errorf("it stops after %v", took)
	}
	w.run(t, echo)
	until(t, "the message is answered", func() bool { return len(w.fake.Lines(ann)) == 1 })
}

// TestBeginning: what was written while nobody ran is answered, but not what was written
// before anybody ever read.
func TestBeginning(t *testing.T) {
	t.Parallel()
	back := time.Hour
	w := open(t, kffake.Config{PageSize: 3, Now: func() time.Time { return time.Now().Add(-back) }}, func(o *kf.Options) { o.Now = time.Now })
	w.fake.Say(t.Context(), bob, "yesterday's question")
	back = 0
	stop := w.run(t, echo)
	w.fake.Say(t.Context(), ann, "0")
	until(t, "the first is answered", func() bool { return len(w.fake.Lines(ann)) == 1 })
	stop()
	for i := 1; i < 5; i++ {
		w.fake.Say(t.Context(), ann, fmt.Sprint(i))
	}
	w.join(t, kffake.Config{}, nil)
	w.run(t, echo)
	until(t, "all are answered", func() bool { return len(w.fake.Lines(ann)) >= 5 })
	if got, want := fmt.Sprint(w.fake.Lines(ann)), "[re 0 re 1 re 2 re 3 re 4]"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	if got := w.fake.Lines(bob); len(got) != 0 {
		t.Errorf("what was asked before is answered %q", got)
	}
}
