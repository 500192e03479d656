package configs

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sources are what a configuration is read from, beside the defaults.
type Sources struct {
	Path    string                      // of the operator's file; "" for none
	Text    *string                     // what stands in it, instead of what does; nil: what does
	Central *Layer                      // nil for none
	Targets []string                    // whose parts of Central count; nil: those that the process runs
	Lookup  func(string) (string, bool) // reads the environment, as os.LookupEnv does
}

// A Loaded is a configuration that knows where each of its values is from.
type Loaded struct {
	Config
	root   *yaml.Node
	from   map[string]string // environment variables, by path
	origin map[string]string // layers, by path
}

// Load lays the layers over each other, each over those before: the defaults, the
// operator's file, the central document, the environment; and checks the whole. The
// error joins every [MistakeError]; what could be read is there all the same.
func (s Sources) Load() (*Loaded, error) {
	t, err := s.tree()
	if err != nil {
		return &Loaded{}, err
	}
	l := &Loaded{from: t.from, origin: t.origin, root: t.root}
	t.read(&l.Config)
	t.errs = append(t.errs, l.check(t)...)
	return l, errors.Join(t.mistakes()...)
}

// tree lays the layers over each other.
func (s Sources) tree() (*tree, error) {
	base, err := parse(Default)
	if err != nil {
		return nil, fmt.Errorf("default.yaml: %w", err)
	}
	t := newTree(base)
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	t.lay(own)
	if s.Central != nil {
		targets := s.Targets
		if targets == nil {
			own := s
			own.Central = nil
			first, _ := own.Load() // its mistakes are found again
			targets = first.Targets
		}
		t.layCentral(*s.Central, targets)
	}
	t.environment(s.Lookup)
	return t, nil
}

// own reads the operator's file.
func (s Sources) own() (*yaml.Node, error) {
	var text []byte
	var err error
	switch {
	case s.Text != nil:
		text = []byte(*s.Text)
	case s.Path == "":
		return nil, nil
	default:
		if text, err = readFile(s.Path); err != nil {
			return nil, err
		}
	}
	n, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(s.Path, "the file"), err)
	}
	return n, nil
}

// DefaultLayer and FileLayer are how [Loaded.Layer] calls the two.
const (
	DefaultLayer = "default"
	FileLayer    = "file"
)

// Keys are all keys, as default.yaml has them. A map or a list is one.
func Keys() (out []string) {
	leaves(reflect.ValueOf(Config{}), "", func(path string, _ reflect.Value) { out = append(out, path) })
	return out
}

// leaves calls fn for every key.
func leaves(v reflect.Value, path string, fn func(path string, v reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "" || name == "-":
		case f.Type.Kind() == reflect.Struct && !reflect.PointerTo(f.Type).Implements(unmarshalerType):
			leaves(v.Field(i), join(path, name), fn)
		default:
			fn(join(path, name), v.Field(i))
		}
	}
}

// Value is what a key is set to, on one line of YAML; a secret is masked.
func (l *Loaded) Value(path string) string {
	n := l.root
	for name := range strings.SplitSeq(path, ".") {
		if n == nil {
			return ""
		}
		i := find(n, name)
		if i < 0 {
			return ""
		}
		n = n.Content[i+1]
	}
	if Secret(path) {
		if n.Value == "" {
			return `""`
		}
		return "(secret)"
	}
	return line(n)
}

// line writes a node on one line.
func line(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		var parts []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+line(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		var parts []string
		for _, e := range n.Content {
			parts = append(parts, line(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		if n.Value == "" || strings.ContainsAny(n.Value, "\n\"'#{}[],") || strings.HasSuffix(n.Value, " ") || strings.HasPrefix(n.Value, " ") {
			return strconv.Quote(n.Value)
		}
		return n.Value
	}
}

// Layer says where the value of a key is from: "default", "file", the name of a
// central document, or a variable of the environment. A map can be from several.
func (l *Loaded) Layer(path string) string {
	var all []string
	for _, layers := range []map[string]string{l.origin, l.from} {
		for p, name := range layers {
			if (p == path || strings.HasPrefix(p, path+".")) && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	if name, ok := l.from[path]; ok {
		return name
	}
	if len(all) == 0 {
		return DefaultLayer
	}
	slices.Sort(all)
	return strings.Join(all, " + ")
}

// A Difference is a key that means something else in two configurations.
type Difference struct {
	Key      string
	Old, New string // secrets are masked
}

// String says it in one line.
func (d Difference) String() string { return d.Key + ": " + d.Old + " → " + d.New }

// Differences are the keys that differ between two configurations, in the order of
// default.yaml. What is only written in another way does not differ.
func Differences(old, now *Loaded) (out []Difference) {
	was := map[string]reflect.Value{}
	leaves(reflect.ValueOf(old.Config), "", func(path string, v reflect.Value) { was[path] = v })
	leaves(reflect.ValueOf(now.Config), "", func(path string, v reflect.Value) {
		if same(was[path], v) {
			return
		}
		d := Difference{path, old.Value(path), now.Value(path)}
		if d.Old == d.New && Secret(path) {
			d.New = "(another secret)"
		}
		out = append(out, d)
	})
	return out
}

// same reports whether two values mean the same.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Map, reflect.Slice:
		if a.Len() == 0 && b.Len() == 0 {
			return true
		}
	default: // compared as they are
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
