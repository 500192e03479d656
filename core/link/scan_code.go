package link

import (
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

// A frame is what stands around a word.
type frame struct {
	before, after rune // the marks, behind blanks
	opens, closes decoration
	from, to      int  // where the frame begins and ends
	routed        bool // a routing code stands before the word
}

// code looks at the word t[start:end], which consists of what seen says, and adds
// it if it is a 口令.
func (s *scanner) code(t []byte, start, end int, seen uint8) {
	f := frame{to: skip(t, end, blanksMax)}
	if f.to < len(t) {
		f.after, _ = utf8.DecodeRune(t[f.to:])
		f.closes = decorationOf(f.after)
	}
	if f.closes == decorNone {
		if end-start == tbTokenChars && seen&digit != 0 && isMixed(seen) && bare(t, start, end) && s.look() {
			s.addCode(t, shopTaobao, start, end)
		}
		return
	}
	f.to += utf8.RuneLen(f.after)
	if s.look() {
		s.opening(t, start, &f)
		if s.framed(t, start, end, seen, &f) {
			s.closed = f.to
			s.addCode(t, s.codeShop(t, end-start), start, end)
		}
	}
}

// opening fills in what stands before the word at start. A mark that closed the last
// code opens none.
func (s *scanner) opening(t []byte, start int, f *frame) {
	f.from = skipBack(t, start, blanksMax)
	if route := routeBefore(t, f.from); route < f.from && f.from < start {
		f.routed = true
		f.from = skipBack(t, route, blanksMax)
	}
	if f.from == 0 || f.from <= s.closed {
		return
	}
	mark, size := utf8.DecodeLastRune(t[:f.from])
	f.from -= size
	f.before, f.opens = mark, decorationOf(mark)
}

// framed says whether the word t[start:end] is a 口令 by what stands around it.
func (s *scanner) framed(t []byte, start, end int, seen uint8, f *frame) bool {
	word := t[start:end]
	switch n := len(word); {
	case f.opens == decorMoney && (f.closes == decorMoney || f.after == '%' && n == jdTokenChars):
		return !isPrice(word, seen)
	case f.routed && n == tbTokenChars && (f.closes == decorMoney || f.closes == decorSlash):
		return seen&letter != 0
	case f.opens == decorOpening && (f.closes == decorClosing || f.after == '《'):
		return s.bracketed(t, word, seen, f)
	case f.before == f.after && (f.closes == decorTwin || f.closes == decorSlash):
		return n <= jdTokenChars && isRandom(word) && s.says(t, aCode)
	}
	return false
}

// bracketed says whether a word in brackets is a 口令: those of Taobao have 11
// characters, those of JD 8. Titles have model numbers and names in brackets, so
// a word that nothing else speaks for counts only in a message without links.
func (s *scanner) bracketed(t, word []byte, seen uint8, f *frame) bool {
	switch len(word) {
	case tbTokenChars:
		if f.routed || hasMark(t, f.to, "/") || f.from > 0 && class[t[f.from-1]]&digit != 0 {
			return isMixed(seen)
		}
		return isRandom(word) && s.links == 0 && !s.linkFollows(t, f.to)
	case codeCharsMin:
		return isRandom(word) && s.says(t, ofJD)
	}
	return false
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

// isMixed says whether what was seen in a word has small and capital letters.
func isMixed(seen uint8) bool { return seen&letter == letter }

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

// addCode adds the 口令 t[start:end] of a shop. One of a shop that has no form for
// them is just something of that shop.
func (s *scanner) addCode(t []byte, of shop, start, end int) {
	kind := Token
	switch of {
	case shopOther:
		return
	case shopTaobao, shopJD, shopPDD:
	default:
		kind = Other
	}
	s.add(t, &Ref{Network: shopNames[of], Kind: kind, Token: string(t[start:end])})
}

// codeShop says whose a 口令 of n characters is: the label says it, else the
// words of the text, else the length.
func (s *scanner) codeShop(t []byte, n int) shop {
	switch {
	case s.shop != shopNone:
		return s.shop
	case s.says(t, ofTaobao):
		return shopTaobao
	case s.says(t, ofJD):
		return shopJD
	case s.says(t, ofPDD):
		return shopPDD
	case n == jdTokenChars:
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
