package configs

import (
	"cmp"
	"reflect"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A tree is a configuration before it is read: the defaults with the operator's
// file and the environment laid over them.
type tree struct {
	root  *yaml.Node
	lines map[string]int    // of the operator's file, by path
	from  map[string]string // environment variables that count, by path
	errs  []mistake
	paths []string // of the nodes, by the number that they have while they are read

	source string            // of what is laid over it now; "" for the operator's file
	origin map[string]string // which layer each value is from, by path; nil for the defaults
}

func newTree(base *yaml.Node) *tree {
	return &tree{root: base, lines: map[string]int{}, from: map[string]string{}, origin: map[string]string{}}
}

// A mistake is one that may hide others.
type mistake struct {
	MistakeError
	unread bool   // the value cannot be read
	source string // the document in which its line is; "" for the operator's file
}

// mistake makes one that is in the document that is laid over the tree now, of a value
// that is not read.
func (t *tree) mistake(path string, line int, text string) mistake {
	return mistake{MistakeError{path, line, text}, true, t.source}
}

// found makes one that is found once the tree is whole: it is in the document that
// has the value.
func (t *tree) found(path, text string, unread bool) mistake {
	m := mistake{MistakeError{path, t.line(path), text}, unread, t.source}
	for p := path; m.source == "" && p != ""; {
		if name := t.origin[p]; name != "" {
			if name != FileLayer {
				m.source = name
			}
			break
		}
		p = p[:max(0, strings.LastIndexByte(p, '.'))]
	}
	return m
}

// line is that of a key, or of the group that it should stand in.
func (t *tree) line(path string) int {
	for {
		if l, ok := t.lines[path]; ok {
			return l
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
}

func (t *tree) bad(path, text string) {
	t.errs = append(t.errs, t.found(path, text, false))
}

func (t *tree) unreadable(path, text string) {
	t.errs = append(t.errs, t.found(path, text, true))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// lay lays the operator's file over the defaults.
func (t *tree) lay(own *yaml.Node) {
	if own == nil {
		return
	}
	t.note(own, "")
	t.unknown(own, "", reflect.TypeFor[Config]())
	overlay(t.root, own)
}

// note records on which line each key stands, and takes out what is there twice
// or only points elsewhere.
func (t *tree) note(n *yaml.Node, path string) {
	var kept []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		p := join(path, k.Value)
		switch {
		case seen[k.Value]:
			t.errs = append(t.errs, t.mistake(p, k.Line, "it is there twice"))
			continue
		case v.Kind == yaml.AliasNode:
			t.errs = append(t.errs, t.mistake(p, k.Line, "aliases are not followed: write the value itself"))
			continue
		}
		seen[k.Value] = true
		t.lines[p] = k.Line
		t.origin[p] = cmp.Or(t.source, FileLayer)
		t.note(v, p)
		kept = append(kept, k, v)
	}
	if n.Kind == yaml.MappingNode {
		n.Content = kept
	}
}

// overlay puts the values of top over those of base. Mappings are merged, all
// else is replaced; a key without a value keeps what it had.
func overlay(base, top *yaml.Node) {
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], top.Content[i+1]
		at := find(base, k.Value)
		switch {
		case at < 0:
			base.Content = append(base.Content, k, v)
		case v.Kind == yaml.MappingNode && base.Content[at+1].Kind == yaml.MappingNode:
			overlay(base.Content[at+1], v)
		case v.Tag == "!!null":
		default:
			base.Content[at+1] = v
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

// field returns the type of a key in a group of type t: ok is false if there is
// no such key.
func field(t reflect.Type, key string) (f reflect.Type, ok bool) {
	switch t.Kind() {
	case reflect.Map:
		return t.Elem(), true
	case reflect.Struct:
		for f := range t.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name == key && name != "-" && name != "" {
				return f.Type, true
			}
		}
	default: // a leaf has no keys
	}
	return nil, false
}

// unknown notes every key that there is not.
func (t *tree) unknown(n *yaml.Node, path string, in reflect.Type) {
	if n.Kind == yaml.SequenceNode && in.Kind() == reflect.Slice {
		for _, e := range n.Content {
			t.unknown(e, path, in.Elem())
		}
	}
	if n.Kind != yaml.MappingNode || in.Kind() != reflect.Struct && in.Kind() != reflect.Map {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		p := join(path, key)
		if f, ok := field(in, key); ok {
			t.unknown(n.Content[i+1], p, f)
			continue
		}
		t.bad(p, "there is no such key"+nearest(key, in))
	}
}

var (
	durationType    = reflect.TypeFor[time.Duration]()
	unmarshalerType = reflect.TypeFor[yaml.Unmarshaler]()
	wholeForm       = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
)

// isWhole reports whether values of type in are plain whole numbers.
func isWhole(in reflect.Type) bool {
	return in.Kind() >= reflect.Int && in.Kind() <= reflect.Uint64 && in != durationType &&
		!reflect.PointerTo(in).Implements(unmarshalerType)
}

// number gives every node a number of its own in the place of its line, so that
// what the YAML library says about a line is about one node; and notes what the
// library would read without a word: nothing as zero, and 1.5 as 1.
func (t *tree) number(n *yaml.Node, path string, in reflect.Type) {
	n.Line = len(t.paths)
	t.paths = append(t.paths, path)
	switch {
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			p := join(path, key.Value)
			key.Line = len(t.paths)
			t.paths = append(t.paths, p)
			f, _ := field(in, key.Value)
			t.number(n.Content[i+1], p, orAny(f))
		}
	case n.Kind == yaml.SequenceNode:
		elem := reflect.TypeFor[any]()
		if in.Kind() == reflect.Slice {
			elem = in.Elem()
		}
		for _, e := range n.Content {
			t.number(e, path, elem)
		}
	case n.Kind != yaml.ScalarNode:
	case n.ShortTag() == "!!null":
		t.unreadable(path, "it has no value")
	case isWhole(in) && !wholeForm.MatchString(n.Value):
		t.unreadable(path, quoted(n.Value)+" is not a whole number")
	}
}

func orAny(t reflect.Type) reflect.Type {
	if t == nil {
		return reflect.TypeFor[any]()
	}
	return t
}
