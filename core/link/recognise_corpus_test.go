package link_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fanli/core/link"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata/corpus; review the difference")

// corpusCasesMin keeps the corpus from shrinking unnoticed.
const corpusCasesMin = 500

// A sample is one message of the corpus with what is to be recognised in it.
//
// In the file it is a comment that says what it shows, the lines of the message
// behind "> " (or one line behind "= ", quoted as in Go, for what one cannot
// see), and one JSON object a line for each ref.
type sample struct {
	comment []string
	raw     []string // the message as written in the file
	text    string
	want    []string
	line    int
}

// readCorpus reads a file of the corpus.
func readCorpus(t testing.TB, path string) []sample {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for _, block := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n\n") {
		s := sample{line: 1 + bytes.Count(data[:bytes.Index(data, []byte(block))], []byte("\n"))}
		var message []string
		for _, l := range strings.Split(block, "\n") {
			switch {
			case strings.HasPrefix(l, "# "):
				s.comment = append(s.comment, l)
			case strings.HasPrefix(l, "> "):
				s.raw = append(s.raw, l)
				message = append(message, l[2:])
			case strings.HasPrefix(l, "= "):
				s.raw = append(s.raw, l)
				quoted, err := strconv.Unquote(l[2:])
				if err != nil {
					t.Fatalf("%s:%d: %v", path, s.line, err)
				}
				message = append(message, quoted)
			case strings.HasPrefix(l, "{"):
				s.want = append(s.want, l)
			default:
				t.Fatalf("%s:%d: a line that is neither comment nor message nor ref: %q", path, s.line, l)
			}
		}
		if len(s.comment) == 0 || len(s.raw) == 0 {
			t.Fatalf("%s:%d: a sample needs a comment and a message", path, s.line)
		}
		s.text = strings.Join(message, "\n")
		all = append(all, s)
	}
	return all
}

// corpusFiles returns the paths of the files of the corpus.
func corpusFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return paths
}

// corpus returns the texts of all messages.
func corpus(t testing.TB) []string {
	t.Helper()
	var texts []string
	for _, path := range corpusFiles(t) {
		for _, s := range readCorpus(t, path) {
			texts = append(texts, s.text)
		}
	}
	return texts
}

// lines returns refs as the corpus writes them.
func lines(t testing.TB, refs []link.Ref) []string {
	t.Helper()
	var all []string
	for _, r := range refs {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.TrimSuffix(b.String(), "\n"))
	}
	return all
}

func TestRecogniseCorpus(t *testing.T) {
	t.Parallel()
	cases := 0
	for _, path := range corpusFiles(t) {
		samples := readCorpus(t, path)
		cases += len(samples)
		var b strings.Builder
		for i, s := range samples {
			got := lines(t, link.Recognise(s.text))
			if !*update && strings.Join(got, "\n") != strings.Join(s.want, "\n") {
				t.Errorf("%s:%d %s\n%q\n got %s\nwant %s", path, s.line, s.comment[0], s.text,
					strings.Join(got, "\n     "), strings.Join(s.want, "\n     "))
			}
			if i > 0 {
				b.WriteString("\n")
			}
			for _, part := range [][]string{s.comment, s.raw, got} {
				for _, l := range part {
					fmt.Fprintln(&b, l)
				}
			}
		}
		if !*update {
			continue
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if cases < corpusCasesMin {
		t.Errorf("the corpus has %d samples, want at least %d", cases, corpusCasesMin)
	}
}
