package mail_test

import (
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/post"
)

// TestNoCrashLosesOrRepeats lets the process die at each point, from the first letter to
// the last parcel: before and after each transaction, before and after each message of
// the platform. The next one takes over. On a platform that takes keys, people see
// everything once and in order; on one that does not, everything, and twice only what
// was under way, of which the carrier is told.
func TestNoCrashLosesOrRepeats(t *testing.T) {
	t.Parallel()
	for _, keyed := range []bool{true, false} {
		points := 0
		for at := 1; at == 1 || points >= at-1; at++ {
			points = dieAt(t, at, keyed)
			if points < at {
				break
			}
			if at > 500 {
				t.Fatal("the story has no end")
			}
		}
		if points < 40 {
			t.Errorf("only %d points", points)
		}
	}
}

// dieAt plays the story and lets the process die at the n-th point. It returns how many
// points there were until then.
func dieAt(t *testing.T, n int, keyed bool) (points int) {
	t.Helper()
	w := open(t)
	if w.chats.parts = 2; keyed {
		w.chats.keys = map[string]bool{}
	}
	dead := false
	die := func(string) error {
		if points++; points >= n {
			dead = true
		}
		if dead {
			return errStopped
		}
		return nil
	}
	w.store.Hook, w.chats.died = die, die
	confirmed := w.play()
	w.store.Hook, w.chats.died = nil, nil
	w.restart("second")
	w.at = w.at.Add(16 * time.Second)
	for _, id := range []string{"a1", "a2", "b1"} { // the platform repeats what was not confirmed
		if !confirmed[id] {
			w.receive(id[:1], id)
		}
	}
	w.settle()
	again := w.chats.again
	for range 3 { // what waits after the death was seen as a failure
		w.at = w.at.Add(time.Minute)
		w.settle()
	}
	if keyed {
		w.want("a", "re:a1/0 re:a1/1 re:a2/0 re:a2/1")
		w.want("b", "re:b1/0 re:b1/1")
		return points
	}
	total := len(w.chats.shown["a"]) + len(w.chats.shown["b"])
	if total < 6 || total > 6+max(again, w.chats.again) {
		t.Errorf("after a death at point %d people see %v; the carrier was warned %d times", n, w.chats.shown, w.chats.again)
	}
	if got := once(w.chats.shown["a"]); got != "re:a1/0 re:a1/1 re:a2/0 re:a2/1" {
		t.Errorf("after a death at point %d people see %v", n, w.chats.shown)
	}
	return points
}

// once leaves out what comes twice in a row.
func once(texts []string) (out string) {
	for i, s := range texts {
		if i > 0 && texts[i-1] == s {
			continue
		}
		if out != "" {
			out += " "
		}
		out += s
	}
	return out
}

// play receives three letters and sees to them as long as the process lives. It returns
// which were confirmed to the platform.
func (w *world) play() map[string]bool {
	confirmed := map[string]bool{}
	for _, id := range []string{"a1", "b1", "a2"} {
		l := letterOf(id)
		if _, err := w.Receive(w.t.Context(), l); err == nil {
			confirmed[id] = true
		}
	}
	for range 8 {
		for _, s := range []post.Side{post.In, post.Out} {
			if _, err := w.Step(w.t.Context(), s, "c", w.service()); err != nil && !fault.Is(err, fault.Internal) {
				w.t.Fatal(err)
			}
		}
	}
	return confirmed
}
