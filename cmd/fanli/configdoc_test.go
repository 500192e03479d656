package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fanli/configs"
)

// TestTheConfigurationDocument keeps docs/configuration.md true: the table of what can
// change is the one by which it is done.
func TestTheConfigurationDocument(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "configuration.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(doc)
	for name, text := range map[string]string{"own": ownTable(), "settings": settingsTable()} {
		before, rest, found := strings.Cut(want, "<!-- "+name+": begin -->\n")
		_, after, ended := strings.Cut(rest, "<!-- "+name+": end -->")
		if !found || !ended {
			t.Fatalf("there is no place for %s", name)
		}
		want = before + "<!-- " + name + ": begin -->\n" + text + "<!-- " + name + ": end -->" + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(doc) {
		t.Errorf("docs/configuration.md is not what the program does; -update writes it anew")
	}
}

// ownTable is what does not belong in a central document.
func ownTable() string {
	own := configs.OwnGroups()
	keys := make([]string, 0, len(own))
	for k := range own {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := "| key or group | why |\n|---|---|\n"
	for _, k := range keys {
		out += fmt.Sprintf("| `%s` | %s |\n", k, own[k])
	}
	return out
}

// settingsTable is what can change while fanli runs.
func settingsTable() string {
	out := "| keys | in processes of | counts |\n|---|---|---|\n"
	for _, s := range settings() {
		of := "all"
		if len(s.targets) > 0 {
			of = strings.Join(s.targets, ", ")
		}
		out += fmt.Sprintf("| `%s` | %s | %s |\n", strings.Join(s.keys, "`, `"), of, s.says)
	}
	return out
}
