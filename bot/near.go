package bot

import (
	"strings"
	"unicode/utf8"
)

// nearRunesMin is the shortest word that is held for a slip: of two English
// letters one is too much of the word.
const (
	nearRunesMin      = 4
	nearRunesMinHan   = 2
	nearArgsDigitsMax = 9
)

// near finds the one command that s misses by a single slip: a letter too many,
// too few, wrong, or two swapped; or a missing space before a number. With more
// than one there is no telling.
func near(s string) (name, args string, ok bool) {
	if c, digits, ok := glued(s); ok {
		return c.name, digits, true
	}
	word := []rune(fold(s))
	least := nearRunesMin
	if len(word) > 0 && word[0] >= utf8.RuneSelf {
		least = nearRunesMinHan
	}
	if len(word) < least {
		return "", "", false
	}
	for _, c := range people() {
		if c.section == "" || !c.missed(word, least) {
			continue
		}
		if name != "" {
			return "", "", false
		}
		name = c.name
	}
	return name, "", name != ""
}

// missed reports whether one of the command's words is one slip away.
func (c command) missed(word []rune, least int) bool {
	for _, w := range c.words() {
		if other := []rune(fold(w)); len(other) >= least && oneSlip(word, other) {
			return true
		}
	}
	return false
}

// glued reads "提现100".
func glued(s string) (c command, digits string, ok bool) {
	head := strings.TrimRight(s, "0123456789.")
	digits = s[len(head):]
	if head == s || head == "" || len(digits) > nearArgsDigitsMax {
		return command{}, "", false
	}
	c, ok = exact(head)
	return c, digits, ok && c.section != ""
}

// oneSlip reports whether a becomes b by one insertion, deletion, substitution
// or swap of neighbours.
func oneSlip(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return string(a[i:]) == string(b[i+1:])
	}
	if i == len(a) {
		return false // the same word
	}
	if string(a[i+1:]) == string(b[i+1:]) {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && string(a[i+2:]) == string(b[i+2:])
}

// cutFold cuts the word w off the beginning of s, whatever its case and forms.
func cutFold(s, w string) (rest string, ok bool) {
	r, head := []rune(s), []rune(fold(w))
	if len(r) < len(head) || fold(string(r[:len(head)])) != string(head) {
		return s, false
	}
	return string(r[len(head):]), true
}

// containsFirst reports whether the first character of s is one of set.
func containsFirst(set, s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune(set, r)
}
