// Package locale keeps the texts that people read, in every language.
//
// A text is found by a key. Keys that begin with "reason." belong to stable keys
// of core and the adapters (fault reasons, why an order is invalid, caveats of an
// offer), "fault." to fault codes; the others belong to package bot. Values are
// put in place of names in braces, once: a value that contains braces stays as it
// is, whoever wrote it.
//
// # Guarantees
//
//   - Every language has every key, with the same names in it.
//   - A key that does not exist reads as itself, so that a person sees something
//     and a test sees the mistake.
package locale

import (
	"embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed *.yaml
var files embed.FS

// The languages, first the one of people who did not say.
const (
	Chinese = "zh"
	English = "en"
)

// Tags returns the languages that we speak.
func Tags() []string { return []string{Chinese, English} }

// Words are the texts of one language.
type Words struct {
	tag   string
	texts map[string]string
}

// all reads the embedded files when they are first needed.
var all = sync.OnceValue(func() map[string]*Words {
	m := map[string]*Words{}
	for _, tag := range Tags() {
		b, err := files.ReadFile(tag + ".yaml")
		if err == nil {
			w := &Words{tag: tag}
			err = yaml.Unmarshal(b, &w.texts)
			m[tag] = w
		}
		if err != nil { // the files are part of the binary, and tested
			panic("locale " + tag + ": " + err.Error())
		}
	}
	return m
})

// For returns the words of a language, the Chinese ones for one we do not speak.
func For(tag string) *Words {
	if w, ok := all()[tag]; ok {
		return w
	}
	return all()[Chinese]
}

// Match returns the language for what a channel says about a person, as
// "zh-hans" or "en_US". Without a hint it is Chinese; whoever reads another
// language than Chinese is likelier to read English.
func Match(hint string) string {
	h := strings.ToLower(strings.TrimSpace(hint))
	if h == "" || strings.HasPrefix(h, "zh") {
		return Chinese
	}
	return English
}

// Tag is the language of the words.
func (w *Words) Tag() string { return w.tag }

// T returns the text of a key with values in place of names: T("order.paid",
// "amount", "¥3.00").
func (w *Words) T(key string, pairs ...string) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return text
	}
	named := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		named = append(named, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(named...).Replace(text)
}

// Has reports whether there is a text for a key.
func (w *Words) Has(key string) bool {
	_, ok := w.texts[key]
	return ok
}

// Keys returns all keys, sorted.
func (w *Words) Keys() []string { return slices.Sorted(maps.Keys(w.texts)) }
