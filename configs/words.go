package configs

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	lineOf       = regexp.MustCompile(`^line (\d+): (.*)$`)
	cannotDecode = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `(.*?)`)? into (.*)$")
)

// read reads the tree into c.
func (t *tree) read(c *Config) {
	t.number(t.root, "", reflect.TypeFor[Config]())
	err := t.root.Decode(c)
	var te *yaml.TypeError
	switch {
	case err == nil:
	case errors.As(err, &te):
		for _, s := range te.Errors {
			t.friendly(s)
		}
	default:
		t.unreadable("", err.Error())
	}
}

// friendly takes what the YAML library says as a mistake, unless the same node was
// found wanting before.
func (t *tree) friendly(s string) {
	path, text := "", s
	if g := lineOf.FindStringSubmatch(s); g != nil {
		if n, err := strconv.Atoi(g[1]); err == nil && n < len(t.paths) {
			path, text = t.paths[n], g[2]
		}
	}
	if slices.ContainsFunc(t.errs, func(m mistake) bool { return m.unread && m.Path == path }) {
		return
	}
	if g := cannotDecode.FindStringSubmatch(text); g != nil {
		what := quoted(g[2])
		switch g[1] {
		case "seq":
			what = "a list"
		case "map":
			what = "a group of keys"
		}
		text = fmt.Sprintf("%s is not %s", what, kinds(g[3]))
	}
	t.unreadable(path, text)
}

// kinds says what a Go type is to an operator.
func kinds(t string) string {
	switch {
	case t == "bool":
		return "true or false"
	case t == "string":
		return "a text"
	case t == "time.Duration":
		return "a duration such as 30s, 5m or 24h"
	case strings.HasPrefix(t, "int"), t == "money.Bps":
		return "a whole number"
	case strings.HasPrefix(t, "[]"):
		return "a list"
	default:
		return "a group of keys"
	}
}

// textMax bounds how much of a value is shown, in bytes. It might be a secret in
// the wrong place.
const textMax = 24

// shown is a value as an operator wrote it.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	default:
		return quoted(n.Value)
	}
}

func quoted(s string) string {
	if len(s) > textMax {
		s = strings.ToValidUTF8(s[:textMax], "") + "…"
	}
	return strconv.Quote(s)
}

// typeError is what a value type says about a text that it cannot read, in the
// form of the YAML library, so that all mistakes are found in one pass.
func typeError(n *yaml.Node, text string) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, text)}}
}

// nearest suggests the key that a typing error away is.
func nearest(key string, in reflect.Type) string {
	best, least := "", 1+max(1, len(key)/3)
	for f := range in.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		d := distance(key, name)
		if strings.HasPrefix(key, name) || strings.HasPrefix(name, key) {
			d = min(d, 1)
		}
		if name != "" && d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance counts the letters that have to be put in, left out, replaced or
// exchanged with the next one to make b of a.
func distance(a, b string) int {
	var before, row []int
	for j := range len(b) + 1 {
		row = append(row, j)
	}
	for i := 1; i <= len(a); i++ {
		next := []int{i}
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			d := min(row[j]+1, next[j-1]+1, row[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			next = append(next, d)
		}
		before, row = row, next
	}
	return row[len(b)]
}
