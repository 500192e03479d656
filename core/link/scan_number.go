package link

import "bytes"

// Lengths of order numbers.
const (
	tbOrderMin, tbOrderMax = 18, 19
	tbOldOrderMin          = 16 // before about 2018; shared with bank cards
	jdOrderMin, jdOrderMax = 11, 12
	tbBareMin, tbBareMax   = 10, 13 // of an item's number that stands alone
	tbHalfMin, tbHalfMax   = 12, 40 // of either half of an item id that stands alone; 14 and 15 were seen
	jdHalfMin              = 15
)

// number looks at the digits t[start:end] and adds the order or item that they
// are the number of.
func (s *scanner) number(t []byte, start, end int) {
	if !standsAlone(t, start, end) || !s.look() {
		return
	}
	digits := t[start:end]
	n := len(digits)
	called := callOf(t, start)
	switch {
	case called == calledElse || isPhone(digits):
	case n >= tbOrderMin && (called == calledOrder || !isIdentity(digits) && !isCard(digits)):
		s.addOrder(t, shopTaobao, start, end, called)
	case n >= tbOldOrderMin && called == calledOrder:
		s.addOrder(t, shopTaobao, start, end, called)
	case jdOrderMin <= n && n <= jdOrderMax && (called == calledOrder || s.says(t, anOrder)):
		if s.says(t, ofJD) || !s.says(t, ofTaobao) {
			s.addOrder(t, shopJD, start, end, called)
		}
	case tbBareMin <= n && n <= tbBareMax && bare(t, start, end):
		s.addBare(t, digits)
	}
}

// addOrder adds the order number t[start:end] of a shop. If the text names a shop
// whose numbers are not known, it is nobody's. What nothing calls an order is none
// in a message with a link.
func (s *scanner) addOrder(t []byte, of shop, start, end int, called call) {
	if called != calledOrder && (s.links > 0 || s.linkFollows(t, end)) {
		return
	}
	if s.says(t, ofOthers) && !s.says(t, ofTaobao|ofJD|ofPDD) {
		of = shopOther
	}
	s.add(t, &Ref{Network: shopNames[of], Kind: Order, ID: string(t[start:end])})
}

// addBare adds what a message that is nothing but digits can mean: an item of
// Taobao, and an order of JD where the shapes overlap. Item numbers of 12 digits
// began with 5 and have grown since; order numbers of JD begin lower.
func (s *scanner) addBare(t, digits []byte) {
	if isClock(digits) || isHotline(digits) || isBarcode(digits) {
		return
	}
	s.add(t, &Ref{Network: Taobao, Kind: Item, ID: string(digits)})
	if n := len(digits); n == jdOrderMin || n == jdOrderMax && digits[0] < '5' {
		s.add(t, &Ref{Network: JD, Kind: Order, ID: string(digits)})
	}
}

// hyphenated looks at the word t[start:end], which has a hyphen: an order of
// Pinduoduo, or an item id of Taobao that stands alone.
func (s *scanner) hyphenated(t []byte, start, end int) {
	head, tail, _ := bytes.Cut(t[start:end], []byte("-"))
	switch {
	case isDigits(head, pddDateChars, pddDateChars) && isDigits(tail, pddTailChars, pddTailChars):
		if standsAlone(t, start, end) && s.look() {
			s.add(t, &Ref{Network: PDD, Kind: Order, ID: string(t[start:end])})
		}
	case isID(head, tbHalfMin, tbHalfMax, "") && isID(tail, tbHalfMin, tbHalfMax, ""):
		if isRandom(t[start:end]) && bare(t, start, end) && s.look() {
			s.add(t, &Ref{Network: Taobao, Kind: Item, ID: string(t[start:end])})
		}
	}
}

// bareItem adds the item id of JD that the message is, if it is one: two parts
// joined by _.
func (s *scanner) bareItem(t []byte, start int) {
	end := start
	for end < len(t) && end-start <= jdItemMax && (class[t[end]]&alnum != 0 || t[end] == '_') {
		end++
	}
	head, tail, _ := bytes.Cut(t[start:end], []byte("_"))
	if isID(head, jdHalfMin, jdItemMax, "") && isID(tail, jdHalfMin, jdItemMax, "") && isRandom(head) && bare(t, start, end) && s.look() {
		s.add(t, &Ref{Network: JD, Kind: Item, ID: string(t[start:end])})
	}
}

// standsAlone says whether the number t[start:end] is not a part of something
// longer: a decimal, a path, a mail address, a price, a foreign phone number.
func standsAlone(t []byte, start, end int) bool {
	if start > 0 {
		switch b := t[start-1]; b {
		case '-', '_', '@', '/', '=', '%', '+', '$', '*':
			return false
		case '.':
			if start == 1 || class[t[start-2]]&letter == 0 {
				return false
			}
		}
		if start >= 2 && hasMark(t, start-2, "¥") || start >= 3 && hasMark(t, start-3, "￥") {
			return false
		}
	}
	if end == len(t) {
		return true
	}
	switch t[end] {
	case '@', '_', '/', '=', '%', '*':
		return false
	case '.', ',':
		return end+1 == len(t) || class[t[end+1]]&alnum == 0
	}
	return true
}
