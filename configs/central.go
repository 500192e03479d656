package configs

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Central says whether the configuration in the registry counts.
type Central struct {
	Enabled bool `yaml:"enabled"`
}

// CentralBytesMax limits a document of the central configuration.
const CentralBytesMax = 256 << 10

// only is the key under which a central document says what is for some targets only.
const only = "only"

// ownKeys are those, or the groups of those, that each process must say itself, with
// the reason: they are refused in a central document.
var ownKeys = map[string]string{
	"data":     "each process has a folder of its own",
	"listen":   "each process has an address of its own",
	"targets":  "each process runs parts of its own",
	"peers":    "where a process answers and how it finds the others is known before it can be told anything",
	"database": "where the database is does not depend on what can be changed while money moves",
	"broker":   "processes that talk over different brokers lose each other",
	"registry": "it is where this document is found",
	"central":  "it is what makes this document count",
	"admin":    "each process has an address of its own",
}

// secretNames are the last words of keys that hold secrets, whatever group they are
// in. A new key that is called so is a secret without being listed.
var secretNames = []string{"secret", "password", "token", "private_key", "seal_key", "auth_key", "apiv3_key", "session", "dsn"}

// secretKeys are further keys that hold secrets.
var secretKeys = []string{"wechatpay.key", "peers.key", "broker.url", "registry.url", "registry.key", "redis.url", "telegram.proxy", "staff.robot.url", "trace.headers", "wechat.encoding_aes_key", "wecom.encoding_aes_key"}

// Secret reports whether the value of a key is a secret, or may contain one.
func Secret(path string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	return slices.Contains(secretKeys, path) || slices.ContainsFunc(secretNames, func(n string) bool { return last == n || strings.HasSuffix(last, "_"+n) })
}

// OwnReason says why a key cannot be in a central document; "" if it can.
func OwnReason(path string) string {
	if Secret(path) {
		return "secrets do not belong there: give it to each process, better from FANLI_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_")) + "_FILE"
	}
	for group, reason := range ownKeys {
		if path == group || strings.HasPrefix(path, group+".") {
			return reason + ": it stands in the file or the environment of each process"
		}
	}
	return ""
}

// OwnGroups are the keys and groups that each process must say itself, and why, for
// the documentation.
func OwnGroups() map[string]string { return maps.Clone(ownKeys) }

// A Layer is a document of the central configuration, which counts more than the
// operator's file and less than the environment. What it has under "only" is for the
// targets that are named there.
type Layer struct {
	Name string // for people: "central v7"
	Text string
}

// layCentral lays a central document over the tree: what is for all, and then what is
// for the targets of this process.
func (t *tree) layCentral(l Layer, targets []string) {
	t.source = l.Name
	defer func() { t.source = "" }()
	if len(l.Text) > CentralBytesMax {
		t.unreadable("", "that is more than "+strconv.Itoa(CentralBytesMax)+" bytes")
		return
	}
	doc, err := parse([]byte(l.Text))
	if err != nil {
		t.unreadable("", err.Error())
		return
	}
	if doc == nil {
		return
	}
	parts := take(doc, only)
	t.refuse(doc, "")
	t.lay(doc)
	if parts == nil {
		return
	}
	if parts.Kind != yaml.MappingNode {
		t.errs = append(t.errs, t.mistake(only, parts.Line, "name targets under it, and under each what is for it alone"))
		return
	}
	for i := 0; i+1 < len(parts.Content); i += 2 {
		name, part := parts.Content[i], parts.Content[i+1]
		switch {
		case !slices.Contains(Targets(), name.Value):
			t.errs = append(t.errs, t.mistake(join(only, name.Value), name.Line, "it is none of "+strings.Join(Targets(), ", ")))
		case part.Kind != yaml.MappingNode:
			t.errs = append(t.errs, t.mistake(join(only, name.Value), name.Line, "keys with values stand under it, as they would without it"))
		default:
			t.refuse(part, "")
			if runs(targets, name.Value) {
				t.lay(part)
			}
		}
	}
}

// runs reports whether a process with these targets runs the one called name.
func runs(targets []string, name string) bool {
	return slices.Contains(targets, AllTargets) || slices.Contains(targets, name)
}

// take takes a key out of a mapping and returns its value, or nil.
func take(n *yaml.Node, key string) *yaml.Node {
	i := find(n, key)
	if i < 0 {
		return nil
	}
	v := n.Content[i+1]
	n.Content = slices.Delete(slices.Clone(n.Content), i, i+2)
	return v
}

// refuse takes out of a central document what does not belong there, and says why.
func (t *tree) refuse(n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		p := join(path, k.Value)
		if why := OwnReason(p); why != "" {
			t.errs = append(t.errs, t.mistake(p, k.Line, why))
			continue
		}
		t.refuse(v, p)
		kept = append(kept, k, v)
	}
	n.Content = kept
}

// OnlyTargets are the targets for which a central document says something apart, in
// their usual order.
func OnlyTargets(text string) (out []string) {
	doc, err := parse([]byte(text))
	if err != nil || doc == nil {
		return nil
	}
	parts := take(doc, only)
	if parts == nil || parts.Kind != yaml.MappingNode {
		return nil
	}
	for _, t := range Targets() {
		if find(parts, t) >= 0 {
			out = append(out, t)
		}
	}
	return out
}

// SetCentral returns a central document in which a key has a value, written as in
// YAML; for a target alone where one is named. Comments stay. Whether there is such a
// key and what it may be is for [Sources.Load] to say.
func SetCentral(text, target, key, value string) (string, error) {
	var v yaml.Node
	if err := yaml.Unmarshal([]byte(value), &v); err != nil || len(v.Content) != 1 {
		v = yaml.Node{Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}}}
	}
	return editCentral(text, target, key, func(group *yaml.Node, last string) {
		if i := find(group, last); i >= 0 {
			v.Content[0].LineComment = group.Content[i+1].LineComment
			group.Content[i+1] = v.Content[0]
			return
		}
		group.Style = 0
		group.Content = append(group.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: last}, v.Content[0])
	})
}

// UnsetCentral returns a central document without a key; it then is what the
// operator's file or the defaults say.
func UnsetCentral(text, target, key string) (string, error) {
	return editCentral(text, target, key, func(group *yaml.Node, last string) { take(group, last) })
}

// editCentral finds or makes the group of a key and lets edit change it.
func editCentral(text, target, key string, edit func(group *yaml.Node, last string)) (string, error) {
	if _, err := parse([]byte(text)); err != nil {
		return "", err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return "", err
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	path := strings.Split(key, ".")
	if target != "" {
		path = append([]string{only, target}, path...)
	}
	group := doc.Content[0]
	for _, name := range path[:len(path)-1] {
		i := find(group, name)
		if i < 0 {
			group.Content = append(group.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{Kind: yaml.MappingNode})
			i = len(group.Content) - 2
		}
		if group.Content[i+1].Kind != yaml.MappingNode {
			group.Content[i+1] = &yaml.Node{Kind: yaml.MappingNode}
		}
		group = group.Content[i+1]
	}
	edit(group, path[len(path)-1])
	prune(doc.Content[0])
	if len(doc.Content[0].Content) == 0 {
		return "", nil
	}
	var b strings.Builder
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err := cmp.Or(e.Encode(&doc), e.Close())
	return b.String(), err
}

// prune takes groups out that have no keys any more, but leaves a map that somebody
// has emptied on purpose, which is written {}.
func prune(n *yaml.Node) {
	var kept []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := n.Content[i+1]
		if v.Kind == yaml.MappingNode {
			prune(v)
			if len(v.Content) == 0 && v.Style != yaml.FlowStyle {
				continue
			}
		}
		kept = append(kept, n.Content[i], v)
	}
	n.Content = kept
}

// checkCentral refuses what the central configuration cannot work with.
func (c Config) checkCentral(k *checker) {
	if c.Central.Enabled && c.Registry.URL == "" {
		k.bad("central.enabled", "the central configuration is in an etcd: say where in registry.url, as etcd://HOST:2379, or leave this off")
	}
}
