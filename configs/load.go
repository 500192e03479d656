package configs

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Default is the embedded default.yaml: the defaults, and the reference.
//
//go:embed default.yaml
var Default []byte

// fileBytesMax limits how much of a configuration or secret file is read.
const fileBytesMax = 1 << 20

// A MistakeError is one thing that is wrong with a configuration.
type MistakeError struct {
	Path string // "networks.jd.app_key"; "" where only the line is known
	Line int    // in the operator's file; 0: it is not there
	Text string
}

// Error says where and what.
func (m MistakeError) Error() string {
	var where []string
	if m.Line > 0 {
		where = append(where, "line "+strconv.Itoa(m.Line))
	}
	if m.Path != "" {
		where = append(where, m.Path)
	}
	return strings.Join(append(where, m.Text), ": ")
}

// Load reads the configuration file at path ("" for none), lays it and the
// environment over the defaults, and checks all of it. The error joins every
// [MistakeError]. lookup reads the environment, as os.LookupEnv does.
func Load(path string, lookup func(string) (string, bool)) (Config, error) {
	l, err := Sources{Path: path, Lookup: lookup}.Load()
	return l.Config, err
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err == nil && len(b) > fileBytesMax {
		err = fmt.Errorf("%s: that is more than the %d bytes that a configuration may have", path, fileBytesMax)
	}
	return b, err
}

// parse returns the root mapping of a document; nil for an empty one.
func parse(text []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	root := doc.Content[0]
	if root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, MistakeError{Line: root.Line, Text: "a configuration is a list of keys with values"}
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, MistakeError{Line: more.Line, Text: "a second document begins here; a configuration is one"})
	}
	return root, nil
}

// mistakes returns what is wrong, in the order of the file. A value that cannot
// be read is one mistake, not also those that follow from its absence.
func (t *tree) mistakes() []error {
	unread := map[string]bool{}
	for _, m := range t.errs {
		if m.unread {
			unread[m.Path] = true
		}
	}
	var out []error
	for _, m := range t.errs {
		if !m.unread && covered(m.Path, unread) {
			continue
		}
		if name, ok := t.from[m.Path]; ok {
			m.Line, m.Text = 0, m.Text+" (from "+name+")"
		} else if m.source != "" {
			m.Text += " (in " + m.source + ")"
		}
		out = append(out, m.MistakeError)
	}
	slices.SortStableFunc(out, func(a, b error) int { return lineNumber(a) - lineNumber(b) })
	return slices.CompactFunc(out, func(a, b error) bool { return a.Error() == b.Error() })
}

// covered reports whether path or a group that it stands in is among paths.
func covered(path string, paths map[string]bool) bool {
	for {
		if paths[path] {
			return true
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

func lineNumber(err error) int {
	var m MistakeError
	if errors.As(err, &m) {
		return m.Line
	}
	return 0
}
