package link

import "bytes"

// Lengths of Vipshop's ids.
const (
	vipGoodsMin, vipGoodsMax = 6, 20 // digits of goods
	vipShortMin, vipShortMax = 4, 16 // letters of a short link
)

// readVip says what a link of Vipshop points at. There is no network for it yet,
// so the kind is other; the id is there for the day when there is one.
func readVip(f form, path, query []byte) hit {
	p := readParams(query)
	goods := isDigits(p.get(paramPid), vipGoodsMin, vipGoodsMax)
	switch last := path[bytes.LastIndexByte(path, '/')+1:]; {
	case f == vipApp && goods:
		return hit{kind: hitOther, id: p.get(paramPid), page: noPage}
	case f == vipApp || isHome(path):
		return hit{}
	case vipGoods(last) != nil:
		return hit{kind: hitOther, id: vipGoods(last)}
	case goods && equalFold(last, "showgoodsdetail"):
		return hit{kind: hitOther, id: p.get(paramPid)}
	case len(p.get(paramLink)) > 0:
		return hit{kind: hitOther, wrapped: p.get(paramLink)}
	case f == vipShort && isID(last, vipShortMin, vipShortMax, ""):
		return hit{kind: hitOther, id: last}
	}
	return hit{kind: hitOther}
}

// vipGoods returns the goods id in detail-1710614067-6917924644994118739.html and
// product-1710614067-6917924644994118739.html, nil if there is none.
func vipGoods(name []byte) []byte {
	kind, ids, _ := bytes.Cut(name, []byte("-"))
	if !equalFold(kind, "detail") && !equalFold(kind, "product") {
		return nil
	}
	_, goods, _ := bytes.Cut(ids, []byte("-"))
	goods, _, ok := bytes.Cut(goods, []byte("."))
	if !ok || !isDigits(goods, vipGoodsMin, vipGoodsMax) {
		return nil
	}
	return goods
}
