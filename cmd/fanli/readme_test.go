package main

import (
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// top is the folder of the repository, seen from here.
const top = "../.."

// readmes are what a stranger reads first, in both languages.
func readmes() []string { return []string{"README.md", "README.zh-CN.md"} }

// TestReadmesNameEveryCommand holds the tables of both READMEs to the commands that
// there are, and both to each other.
func TestReadmesNameEveryCommand(t *testing.T) {
	t.Parallel()
	root := rootCommand(stdio{strings.NewReader(""), io.Discard, io.Discard, lookupIn(nil)})
	var want []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "version" { // whose name says all
			want = append(want, c.Name())
		}
	}
	slices.Sort(want)
	row := regexp.MustCompile("(?m)^\\| `fanli .*$")
	name := regexp.MustCompile("`fanli ([a-z]+)")
	for _, file := range readmes() {
		var got []string
		for _, r := range row.FindAllString(docText(t, file), -1) {
			first, _, _ := strings.Cut(r[1:], " | ")
			for _, m := range name.FindAllStringSubmatch(first, -1) {
				got = append(got, m[1])
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has commands\n%v, want\n%v", file, got, want)
		}
	}
}

// TestReadmesLeadToEveryDocument: what is in docs can be found from both READMEs.
func TestReadmesLeadToEveryDocument(t *testing.T) {
	t.Parallel()
	for _, file := range readmes() {
		text := docText(t, file)
		for _, doc := range documents(t) {
			if strings.HasPrefix(doc, "docs/") && strings.Count(doc, "/") == 1 && !strings.Contains(text, "("+doc) {
				t.Errorf("%s does not lead to %s", file, doc)
			}
		}
	}
}

// TestLinksOfDocumentsLeadSomewhere follows every relative link of every document, to
// the heading.
func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	links := 0
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(docText(t, doc), -1) {
			to, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: %v", doc, err)
				continue
			}
			if to.Scheme != "" {
				continue
			}
			links++
			target := doc
			if to.Path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(doc), to.Path))
			}
			if _, err := os.Stat(filepath.Join(top, target)); err != nil {
				t.Errorf("%s leads to %s, which is not there", doc, m[1])
			} else if to.Fragment != "" && !slices.Contains(anchors(docText(t, target)), to.Fragment) {
				t.Errorf("%s leads to %s, and there is no such heading", doc, m[1])
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// TestTablesOfDocumentsHaveHeads: without one a table is shown as a heap of bars.
func TestTablesOfDocumentsHaveHeads(t *testing.T) {
	t.Parallel()
	for _, doc := range documents(t) {
		lines := strings.Split(docText(t, doc), "\n")
		for i, l := range lines {
			if !strings.HasPrefix(l, "|---") {
				continue
			}
			if i == 0 || !strings.HasPrefix(lines[i-1], "|") {
				t.Errorf("%s:%d: a table without a head", doc, i+1)
				continue
			}
			cells := strings.Count(l, "|")
			if strings.Count(lines[i-1], "|") != cells {
				t.Errorf("%s:%d: the head has other columns than its rule", doc, i)
			}
		}
	}
}

// documents are the repository's documents, by their paths from the top.
func documents(t *testing.T) []string {
	t.Helper()
	out := append(readmes(), "CHANGELOG.md")
	err := filepath.WalkDir(filepath.Join(top, "docs"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(p) == ".md" {
			out = append(out, filepath.ToSlash(strings.TrimPrefix(p, filepath.Clean(top)+string(filepath.Separator))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func docText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// anchors are the fragments that a document's headings have, as its readers' sites make
// them.
func anchors(text string) []string {
	var out []string
	fenced := false
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "```") {
			fenced = !fenced
		}
		heading := strings.TrimLeft(l, "#")
		if fenced || heading == l || !strings.HasPrefix(heading, " ") {
			continue
		}
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, strings.TrimSpace(heading)))
	}
	return out
}
