package configs

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
	var c Config
	base, err := parse(Default)
	if err != nil {
		return c, fmt.Errorf("default.yaml: %w", err)
	}
	var own *yaml.Node
	if path != "" {
		text, err := readFile(path)
		if err != nil {
			return c, err
		}
		if own, err = parse(text); err != nil {
			return c, fmt.Errorf("%s: %w", path, err)
		}
	}
	lines := map[string]int{}
	if own != nil {
		clearLines(base)
		note(own, "", lines)
		overlay(base, own)
	}
	errs := fromEnvironment(base, "", lookup)
	errs = append(errs, decode(base, &c, lines)...)
	errs = append(errs, c.check(lines)...)
	return c, errors.Join(dedupe(errs)...)
}

func readFile(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > fileBytesMax {
		return nil, fmt.Errorf("%s: %d bytes are more than a configuration may have (%d)", path, st.Size(), fileBytesMax)
	}
	return os.ReadFile(path) //nolint:gosec // the operator names the file
}

// parse returns the root mapping of a document; nil for an empty one.
func parse(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, MistakeError{Line: root.Line, Text: "a configuration is a list of keys with values"}
	}
	return root, nil
}

// clearLines forgets the lines of the defaults, so that only the operator's are
// reported.
func clearLines(n *yaml.Node) {
	n.Line = 0
	for _, c := range n.Content {
		clearLines(c)
	}
}

// note records on which line each key of the operator's file stands.
func note(n *yaml.Node, path string, lines map[string]int) {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		p := join(path, n.Content[i].Value)
		lines[p] = n.Content[i].Line
		note(n.Content[i+1], p, lines)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// overlay puts the values of top over those of base. Mappings are merged, all
// else is replaced.
func overlay(base, top *yaml.Node) {
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], top.Content[i+1]
		at := find(base, k.Value)
		switch {
		case at < 0:
			base.Content = append(base.Content, k, v)
		case v.Kind == yaml.MappingNode && base.Content[at+1].Kind == yaml.MappingNode && len(base.Content[at+1].Content) > 0:
			base.Content[at].Line = k.Line
			overlay(base.Content[at+1], v)
		case v.Tag == "!!null": // a key without a value keeps its default
		default:
			base.Content[at], base.Content[at+1] = k, v
		}
	}
}

func find(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// fromEnvironment lays the environment over the leaves of n.
func fromEnvironment(n *yaml.Node, path string, lookup func(string) (string, bool)) (errs []error) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		p, v := join(path, n.Content[i].Value), n.Content[i+1]
		if v.Kind == yaml.MappingNode && len(v.Content) > 0 {
			errs = append(errs, fromEnvironment(v, p, lookup)...)
			continue
		}
		name := "FANLI_" + strings.ToUpper(strings.ReplaceAll(p, ".", "_"))
		text, ok := lookup(name)
		if file, isFile := lookup(name + "_FILE"); isFile && !ok {
			b, err := readFile(file)
			if err != nil {
				errs = append(errs, MistakeError{Path: p, Text: fmt.Sprintf("%s_FILE: %v", name, err)})
				continue
			}
			text, ok = strings.TrimRight(string(b), "\r\n"), true
		}
		if ok {
			setLeaf(v, text)
		}
	}
	return errs
}

// setLeaf gives a leaf a text; a list is written with commas.
func setLeaf(n *yaml.Node, text string) {
	if n.Kind != yaml.SequenceNode {
		*n = yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: n.Line}
		return
	}
	n.Content = nil
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: part})
		}
	}
}

// A shape is the keys that a group may have; nil for anything.
type shape map[string]shape

// shapeOf reads the keys off the yaml tags of a struct.
func shapeOf(t reflect.Type) shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" {
		return nil
	}
	s := shape{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case opts == "inline":
			maps.Copy(s, shapeOf(f.Type))
		case name != "" && name != "-":
			s[name] = shapeOf(f.Type)
		}
	}
	return s
}

// unknown returns a mistake for every key of n that s does not have.
func unknown(n *yaml.Node, path string, s shape, lines map[string]int) (errs []error) {
	if s == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p := join(path, n.Content[i].Value)
		sub, ok := s[n.Content[i].Value]
		if !ok {
			errs = append(errs, MistakeError{Path: p, Line: lines[p], Text: "there is no such key" + nearest(n.Content[i].Value, s)})
			continue
		}
		errs = append(errs, unknown(n.Content[i+1], p, sub, lines)...)
	}
	return errs
}

// nearest suggests the key that begins alike.
func nearest(key string, s shape) string {
	best, most := "", 2
	for k := range s {
		n := 0
		for n < len(k) && n < len(key) && k[n] == key[n] {
			n++
		}
		if n > most || n == most && k < best {
			best, most = k, n
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

var (
	lineOf       = regexp.MustCompile(`^line (\d+): (.*)$`)
	cannotDecode = regexp.MustCompile("^cannot unmarshal !!(\\w+) `?(.*?)`? into (.*)$")
)

// decode reads the tree into c; unknown keys are mistakes.
func decode(root *yaml.Node, c *Config, lines map[string]int) (errs []error) {
	errs = unknown(root, "", shapeOf(reflect.TypeOf(*c)), lines)
	if err := root.Decode(c); err != nil {
		var te *yaml.TypeError
		if !errors.As(err, &te) {
			return append(errs, err)
		}
		for _, s := range te.Errors {
			errs = append(errs, friendly(s, lines))
		}
	}
	return errs
}

// friendly turns what the YAML library says into a mistake.
func friendly(s string, lines map[string]int) error {
	m := MistakeError{Text: s}
	if g := lineOf.FindStringSubmatch(s); g != nil {
		m.Line, _ = strconv.Atoi(g[1])
		m.Text = g[2]
		best := ""
		for p, l := range lines { // the deepest key of that line
			if l == m.Line && len(p) > len(best) {
				best = p
			}
		}
		m.Path = best
	}
	if g := cannotDecode.FindStringSubmatch(m.Text); g != nil {
		m.Text = fmt.Sprintf("%q is not %s", g[2], kinds(g[3]))
	}
	return m
}

func kinds(t string) string {
	switch {
	case t == "bool":
		return "true or false"
	case t == "time.Duration":
		return "a duration such as 30s, 5m or 24h"
	case strings.HasPrefix(t, "int"):
		return "a whole number"
	case strings.HasPrefix(t, "[]"):
		return "a list"
	case strings.HasPrefix(t, "map"), strings.Contains(t, "."):
		return "a group of keys"
	default:
		return "a " + t
	}
}

// typeError is what a value type says about a text that it cannot read, in the
// form of the YAML library, so that all mistakes are found in one pass.
func typeError(n *yaml.Node, want string) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q is not %s", n.Line, n.Value, want)}}
}

func dedupe(errs []error) []error {
	slices.SortStableFunc(errs, func(a, b error) int { return lineNumber(a) - lineNumber(b) })
	return slices.CompactFunc(errs, func(a, b error) bool { return a.Error() == b.Error() })
}

func lineNumber(err error) int {
	var m MistakeError
	if errors.As(err, &m) {
		return m.Line
	}
	return 0
}

// durations that make no sense are refused by name.
const (
	everyMin = 100 * time.Millisecond
	everyMax = time.Hour
)
