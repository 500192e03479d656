package collect_test

import (
	"testing"
	"time"
)

func TestCodesLastAsLongAsIsSetNow(t *testing.T) {
	t.Parallel()
	s := begin(t)
	before := s.ask(vip("a"))
	s.Change(10 * time.Minute)
	r := vip("b")
	r.User = 8
	after := s.ask(r)
	if got, want := after.Expires.Sub(s.now), 10*time.Minute; got != want || before.Expires.Sub(s.now) != 30*time.Minute {
		t.Errorf("they last %v and %v", before.Expires.Sub(s.now), got)
	}
}
