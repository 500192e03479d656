package channeltest_test

import (
	"os"
	"strings"
	"testing"

	"fanli/bot/channeltest"
)

// TestTheDocumentNamesEveryStory holds the table of docs/testing.md to the suite.
func TestTheDocumentNamesEveryStory(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "## The stories of every channel")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := 0
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| `") {
			rows++
		}
	}
	for _, name := range channeltest.Stories() {
		if !strings.Contains(table, "| `"+name+"` |") {
			t.Errorf("docs/testing.md has no row for %s", name)
		}
	}
	if want := len(channeltest.Stories()); rows != want {
		t.Errorf("docs/testing.md has %d stories, want %d", rows, want)
	}
}
