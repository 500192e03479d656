package link

import "bytes"

// Lengths of Pinduoduo's ids.
const (
	pddGoodsMax  = 18  // digits of a goods_id
	pddSignMax   = 128 // bytes of a goods_sign
	pddShareMin  = 4   // letters of a share code (ps) or of a short link
	pddShareMax  = 32
	pddDateChars = 6 // of an order number, before the hyphen
	pddTailChars = 15
)

// readPDD says what a link of Pinduoduo points at.
func readPDD(f form, path, query []byte) hit {
	if isHome(path) {
		return hit{}
	}
	if f == pddShort {
		if id, _, _ := bytes.Cut(path[1:], []byte("/")); isID(id, pddShareMin, pddShareMax, "-_") {
			return hit{kind: hitShort, id: id}
		}
		return hit{}
	}
	p := readParams(query)
	switch {
	case isDigits(p.get(paramGoods), 1, pddGoodsMax):
		return hit{kind: hitItem, id: p.get(paramGoods)}
	case isID(p.get(paramSign), 1, pddSignMax, "-_"):
		return hit{kind: hitItem, id: p.get(paramSign)}
	case isID(p.get(paramPs), pddShareMin, pddShareMax, "-_"):
		return hit{kind: hitShort, id: p.get(paramPs)}
	}
	return hit{kind: hitActivity, wrapped: p.get(paramLink)}
}
