package bot_test

import (
	"testing"

	"fanli/bot/bottest"
)

// TestDialogues plays the conversations that are written down. -update writes
// their answers anew.
func TestDialogues(t *testing.T) {
	t.Parallel()
	bottest.PlayAll(t, "testdata/dialogues/*.txt", func(t *testing.T) bottest.World {
		t.Helper()
		return bottest.New(t).World()
	})
}
