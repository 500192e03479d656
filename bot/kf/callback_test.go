package kf_test

import (
	"testing"

	"fanli/bot/kf/kffake"
)

// TestConsole: the console's test of our address is answered, and only that; what else is
// forged channeltest has.
func TestConsole(t *testing.T) {
	t.Parallel()
	if err := open(t, kffake.Config{}, nil).fake.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
