package configs

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// environment lays the environment over the tree.
func (t *tree) environment(lookup func(string) (string, bool)) {
	t.group(t.root, "", reflect.TypeFor[Config](), lookup)
}

// group does it for the keys of a group. The keys of a map are the operator's own:
// it can be given as a whole, as {a: 1, b: 2}, and entry by entry if it has them.
func (t *tree) group(n *yaml.Node, path string, in reflect.Type, lookup func(string) (string, bool)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i].Value, n.Content[i+1]
		p := join(path, key)
		f, ok := field(in, key)
		if !ok {
			continue // unknown, and said so
		}
		if f.Kind() != reflect.Struct {
			t.leaf(v, p, f, lookup)
		}
		if v.Kind == yaml.MappingNode {
			t.group(v, p, f, lookup)
		}
	}
}

// leaf gives a key what the environment says, in a variable or in a file that a
// variable names.
func (t *tree) leaf(v *yaml.Node, path string, in reflect.Type, lookup func(string) (string, bool)) {
	name := "FANLI_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
	text, ok := lookup(name)
	file, isFile := lookup(name + "_FILE")
	switch {
	case ok && isFile:
		t.unreadable(path, name+" and "+name+"_FILE are both set: which one counts?")
		return
	case isFile:
		b, err := readFile(file)
		if err != nil {
			t.from[path] = name + "_FILE"
			t.unreadable(path, err.Error())
			return
		}
		name, text = name+"_FILE", strings.TrimRight(string(b), "\r\n")
	case !ok:
		return
	}
	t.from[path] = name
	set(v, text, in)
}

// set gives a node a text: a list is written with commas, a map as in YAML. Text
// stays text, whatever YAML would make of it, and nothing is never zero.
func set(n *yaml.Node, text string, in reflect.Type) {
	scalar := yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if in.Kind() == reflect.String || strings.TrimSpace(text) == "" {
		scalar.Tag = "!!str"
	}
	switch in.Kind() {
	case reflect.Slice:
		n.Kind, n.Tag, n.Content = yaml.SequenceNode, "!!seq", nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				e := &yaml.Node{}
				set(e, part, in.Elem())
				n.Content = append(n.Content, e)
			}
		}
	case reflect.Map:
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
			*n = scalar
			return
		}
		if n.Kind != yaml.MappingNode {
			*n = *doc.Content[0]
			return
		}
		overlay(n, doc.Content[0])
	default:
		*n = scalar
	}
}
