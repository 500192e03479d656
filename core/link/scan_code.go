package link

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// A 口令 is a word of letters and digits between two decorations. Apps change the
// decorations all the time, so they are known by kind rather than by form:
//
//	money    ￥p7lAbCdEfG1￥  $…$  €…€  ₤…₤  🔑…🔑, also unlike ones: ￥…$
//	bracket  (z94O3AbCdEf)  （…）  《…》
//	slash    / CZ0001 uR1bTAbCdEf/
//	twin     #…#  !…!  &…&, or the same symbol twice, if the text speaks of a 口令
//
// A routing code (CZ0001, MF5681, HU926) may stand before the word; it is not
// part of it and does not say whose it is.

// Limits of what stands around a code.
const (
	routeLettersMax = 3
	routeDigitsMin  = 2
	routeDigitsMax  = 5
)

// A decoration is what a mark next to a code can be.
type decoration uint8

const (
	decorNone decoration = iota
	decorMoney
	decorOpening
	decorClosing
	decorSlash
	decorTwin
)

// code looks at the word t[start:end], which consists of what seen says, and adds
// it if it is a 口令.
func (s *scanner) code(t []byte, start, end int, seen uint8) {
	n := end - start
	at := skip(t, end, blanksMax)
	after, kind := decorationAt(t, at)
	if kind == decorNone {
		if n == tbTokenChars && seen&digit != 0 && seen&letter == letter && bare(t, start, end) && s.look() {
			s.addCode(t, shopTaobao, start, end)
		}
		return
	}
	if !s.look() {
		return
	}
	from, before, opens, routed := s.before(t, start)
	word := t[start:end]
	switch {
	case opens == decorMoney && (kind == decorMoney || after == '%' && n == jdTokenChars):
		if !isPrice(word, seen) {
			break
		}
		return
	case routed && n == tbTokenChars && (kind == decorMoney || kind == decorSlash) && seen&letter != 0:
	case opens == decorOpening && (kind == decorClosing || after == '《'):
		if !s.bracketed(t, word, at+utf8.RuneLen(after), from, routed) {
			return
		}
	case before == after && (kind == decorTwin || kind == decorSlash) && from >= s.closed:
		if n > jdTokenChars || !isRandom(word) || !s.says(t, aCode) {
			return
		}
	default:
		return
	}
	s.closed = at + utf8.RuneLen(after)
	s.addCode(t, s.codeShop(t, n), start, end)
}

// before says what stands before the word at start: the mark, where it begins,
// what it can be, and whether a routing code is between. A mark that closed the
// last code is none.
func (s *scanner) before(t []byte, start int) (from int, mark rune, kind decoration, routed bool) {
	from = skipBack(t, start, blanksMax)
	if route := routeBefore(t, from); route < from && from < start {
		routed = true
		from = skipBack(t, route, blanksMax)
	}
	if from <= s.closed && s.closed > 0 {
		return from, 0, decorNone, routed
	}
	mark, size := utf8.DecodeLastRune(t[:from])
	from -= size
	return from, mark, decorationOf(mark), routed
}

// routeBefore returns where the routing code starts that ends at i; i if there is
// none.
func routeBefore(t []byte, i int) int {
	d := i
	for d > 0 && i-d <= routeDigitsMax && class[t[d-1]]&digit != 0 {
		d--
	}
	l := d
	for l > 0 && d-l <= routeLettersMax && class[t[l-1]]&upper != 0 {
		l--
	}
	if i-d < routeDigitsMin || i-d > routeDigitsMax || l == d || d-l > routeLettersMax ||
		l > 0 && class[t[l-1]]&inWord != 0 {
		return i
	}
	return l
}

// bracketed says whether a word in brackets is a 口令: those of Taobao have 11
// characters, those of JD 8, and neither looks like a word of a language or a
// model number.
func (s *scanner) bracketed(t, word []byte, after, from int, routed bool) bool {
	switch len(word) {
	case tbTokenChars:
		if isRandom(word) {
			return true
		}
		numbered := from > 0 && class[t[from-1]]&digit != 0
		return (routed || numbered || hasMark(t, after, "/")) && isMixed(word)
	case codeCharsMin:
		return isRandom(word) && s.says(t, ofJD)
	}
	return false
}

// decorationAt returns the mark at i and what it can be.
func decorationAt(t []byte, i int) (rune, decoration) {
	if i == len(t) {
		return 0, decorNone
	}
	r, _ := utf8.DecodeRune(t[i:])
	return r, decorationOf(r)
}

// decorationOf says what the mark r can be.
func decorationOf(r rune) decoration {
	switch r {
	case '￥', '¥', '$', '＄', '€', '₤', '£', '￡', '₳', '¢', '￠', '₴', '₰', '₵', '₽', '₩', '￦', '฿', '🔑', '🗝', '💲', '💰':
		return decorMoney
	case '(', '（', '《':
		return decorOpening
	case ')', '）', '》':
		return decorClosing
	case '/':
		return decorSlash
	case '#', '!', '&', '*', '~', '^', '@', '%':
		return decorTwin
	}
	if r >= 0x80 && r != utf8.RuneError && unicode.IsSymbol(r) {
		return decorTwin
	}
	return decorNone
}

// isRandom says whether word looks drawn by lot: it has small and capital
// letters, and a digit or a change of case that names do not have.
func isRandom(word []byte) bool {
	seen, humps := uint8(0), 0
	for i, b := range word {
		c := class[b] & alnum
		if i > 0 && c == upper && class[word[i-1]]&lower != 0 {
			humps++
		}
		seen |= c
	}
	return seen&letter == letter && (seen&digit != 0 || humps >= 2)
}

// isMixed says whether word has small and capital letters.
func isMixed(word []byte) bool {
	seen := uint8(0)
	for _, b := range word {
		seen |= class[b]
	}
	return seen&letter == letter
}

// isPrice says whether a word between money signs is no code but a price, a name,
// or a price with a word behind it: "$199today$".
func isPrice(word []byte, seen uint8) bool {
	switch seen & alnum {
	case digit, lower, upper:
		return true
	case digit | lower:
		n := digitsAt(word, 0)
		for _, b := range word[n:] {
			if class[b]&lower == 0 {
				return false
			}
		}
		return n > 0
	}
	return false
}

// addCode adds the 口令 t[start:end].
func (s *scanner) addCode(t []byte, of shop, start, end int) {
	kind := Token
	if of == shopTaobao && s.shop == shopXianyu {
		of, kind = shopXianyu, Other
	}
	s.add(t, &Ref{Network: shopNames[of], Kind: kind, Token: string(t[start:end])})
}

// codeShop says whose a 口令 of n characters is.
func (s *scanner) codeShop(t []byte, n int) shop {
	switch {
	case s.shop == shopTaobao || s.shop == shopJD || s.shop == shopXianyu:
		if s.shop == shopJD {
			return shopJD
		}
		return shopTaobao
	case s.says(t, ofJD) && !s.says(t, ofTaobao):
		return shopJD
	case n == jdTokenChars && !s.says(t, ofTaobao):
		return shopJD
	}
	return shopTaobao
}

// hiddenCode reads the 口令 that JD hides in what looks like a link without a dot:
// http://JhT7V5wlKygHDK京口令内容. It returns where to go on.
func (s *scanner) hiddenCode(t []byte, start, end int) int {
	if n := end - start; n < codeCharsMin || n > codeCharsMax || !hasMark(t, end, "京") || !isRandom(t[start:end]) {
		return start
	}
	if s.look() {
		s.addCode(t, shopJD, start, end)
	}
	return end
}

// bareItem adds the item id of JD that the message is, if it is one: two parts
// joined by _.
func (s *scanner) bareItem(t []byte, start int) {
	end := start
	for end < len(t) && end-start <= jdItemMax && (class[t[end]]&alnum != 0 || t[end] == '_') {
		end++
	}
	head, tail, _ := bytes.Cut(t[start:end], []byte("_"))
	if isID(head, jdHalfMin, jdItemMax, "") && isID(tail, jdHalfMin, jdItemMax, "") && isMixed(head) && bare(t, start, end) && s.look() {
		s.add(t, &Ref{Network: JD, Kind: Item, ID: string(t[start:end])})
	}
}
