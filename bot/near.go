package bot

import (
	"strings"
	"unicode/utf8"
)

// nearArgsDigitsMax bounds a number that sticks to a word.
const nearArgsDigitsMax = 9

// near finds the one command that s misses by a single slip: a letter too many,
// too few, wrong, or two swapped. With more than one there is no telling. What repeats
// the last answer is never meant: that one is on the screen.
func near(s string, misses func(c command, word []rune) bool) (name, args string, ok bool) {
	word := []rune(fold(s))
	if len(word) == 0 {
		return "", "", false
	}
	for _, c := range people() {
		if c.section == "" || c.name == "last" || !misses(c, word) {
			continue
		}
		if name != "" {
			return "", "", false
		}
		name = c.name
	}
	return name, "", name != ""
}

// glued reads "提现100".
func glued(s string) (c command, digits string, ok bool) {
	head, digits := numbered(s)
	if digits == "" {
		return command{}, "", false
	}
	c, ok = exact(head)
	return c, digits, ok && c.section != ""
}

// numbered takes a number off the end of a text, if there is something before it.
func numbered(s string) (head, digits string) {
	head = strings.TrimRight(s, "0123456789.")
	digits = s[len(head):]
	head = strings.TrimRight(head, " ")
	if head == "" || len(digits) > nearArgsDigitsMax {
		return s, ""
	}
	return head, digits
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
