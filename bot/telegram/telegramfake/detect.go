package telegramfake

import (
	"regexp"
	"unicode/utf8"
)

// marked finds what the server marks without being told: commands at the start
// of a word, addresses, and names.
var marked = []struct {
	kind string
	form *regexp.Regexp // the first group is what is marked
}{
	{"bot_command", regexp.MustCompile(`(?:^|[\s(])(/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{3,32})?)`)},
	{"url", regexp.MustCompile(`(https?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9./?=&%_~#:+-]*)?)`)},
	{"mention", regexp.MustCompile(`(?:^|[\s(])(@[A-Za-z0-9_]{3,32})`)},
}

// detect returns the marks of a text.
func detect(text string) []Entity {
	var found []Entity
	for _, m := range marked {
		for _, at := range m.form.FindAllStringSubmatchIndex(text, -1) {
			found = append(found, Entity{Type: m.kind, Offset: units(text[:at[2]]), Length: units(text[at[2]:at[3]])})
		}
	}
	return found
}

// runes counts characters as the server's limits do.
func runes(s string) int { return utf8.RuneCountInString(s) }
