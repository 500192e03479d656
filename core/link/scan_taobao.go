package link

import "bytes"

// Lengths of Taobao's ids.
const (
	tbNumberMin, tbNumberMax = 5, 14  // an item's number
	tbHeadMin, tbHeadMax     = 6, 40  // an item id since 2022, before the hyphen
	tbTailMin, tbTailMax     = 8, 40  // behind it
	tbPlainMin, tbPlainMax   = 20, 80 // one without a hyphen
	tbTokenChars             = 11     // of a 口令

	pathBytesMax = 128 // of a path that is searched for the kind of page
)

// readTaobao says what a link of Taobao or Tmall points at.
func readTaobao(f form, host, path, query []byte) hit {
	switch f {
	case tbItem, tbScreen:
		return taobaoItem(f, path, query)
	case tbShort:
		h := unlessHome(hitShort, path)
		if p := readParams(query); isID(p.get(paramTk), tbTokenChars, tbTokenChars, "") {
			h.token = p.get(paramTk)
		}
		return h
	case tbClick:
		return unlessHome(hitClick, path)
	case tbPage:
		return hit{kind: hitActivity}
	case tbUland:
		return ulandPage(path, query)
	case tbCoupon:
		return hit{kind: hitCoupon}
	case tbShop:
		return tmallPage(host, path, query)
	case tbApp:
		p := readParams(query)
		if isTaobaoID(p.get(paramItem)) {
			return hit{kind: hitItem, id: p.get(paramItem), page: pageOfTaobao}
		}
		return hit{kind: hitOther, wrapped: p.get(paramLink)}
	default:
		if isShopHost(host) {
			return hit{kind: hitActivity}
		}
		return taobaoPage(path, query, hitOther)
	}
}

// taobaoItem reads the page of an item, or a page of the mobile app that may be
// one.
func taobaoItem(f form, path, query []byte) hit {
	p := readParams(query)
	switch {
	case f == tbScreen && containsFold(path, "idlefish"):
		return hit{shop: shopXianyu, kind: hitOther}
	case isTaobaoID(p.get(paramID)) && (f == tbItem || len(p.get(paramID)) >= numberCharsMin || containsFold(path, "detail")):
		return hit{kind: hitItem, id: p.get(paramID)}
	case isTaobaoID(p.get(paramItem)):
		return hit{kind: hitItem, id: p.get(paramItem)}
	}
	if id := taobaoPathID(path); id != nil {
		return hit{kind: hitItem, id: id}
	}
	if f == tbScreen {
		return unlessHome(hitActivity, path)
	}
	return unlessHome(hitOther, path)
}

// taobaoPage reads a page that may be one of an item; else it is fallback.
func taobaoPage(path, query []byte, fallback hitKind) hit {
	if isHome(path) {
		return hit{}
	}
	p := readParams(query)
	switch {
	case isTaobaoID(p.get(paramItem)):
		return hit{kind: hitItem, id: p.get(paramItem)}
	case isTaobaoID(p.get(paramID)) && (containsFold(path, "item.htm") || containsFold(path, "detail")):
		return hit{kind: hitItem, id: p.get(paramID)}
	}
	if id := taobaoPathID(path); id != nil {
		return hit{kind: hitItem, id: id}
	}
	return hit{kind: fallback, wrapped: p.get(paramLink)}
}

// ulandPage reads the alliance's own pages: coupons, with the item or without,
// and others.
func ulandPage(path, query []byte) hit {
	if !containsFold(path, "/edetail") && !containsFold(path, "/quan/") {
		return unlessHome(hitActivity, path)
	}
	h := hit{kind: hitCoupon}
	if p := readParams(query); isTaobaoID(p.get(paramItem)) {
		h.id = p.get(paramItem)
	}
	return h
}

// tmallPage reads a page of a shop's own host, or of the shopping mall.
func tmallPage(host, path, query []byte) hit {
	switch {
	case containsFold(path, "/coupon"):
		return hit{kind: hitCoupon}
	case isMallHost(host):
		return taobaoPage(path, query, hitOther)
	case isHome(path):
		return hit{kind: hitActivity}
	}
	return taobaoPage(path, query, hitActivity)
}

// isMallHost says whether host is one of Tmall's own and no shop's.
func isMallHost(host []byte) bool {
	label, _, _ := bytes.Cut(host, []byte("."))
	switch string(label) {
	case "tmall", "www", "m", "list", "s", "login", "cart", "buy", "trade", "world":
		return true
	}
	return false
}

// isShopHost says whether host is that of a shop at Taobao: shop123.taobao.com.
func isShopHost(host []byte) bool {
	label, _, _ := bytes.Cut(host, []byte("."))
	return hasMark(label, 0, "shop") && isDigits(label[len("shop"):], 1, 20)
}

// isTaobaoID says whether id can be that of an item, old or new.
func isTaobaoID(id []byte) bool {
	if len(id) < tbNumberMin {
		return false
	}
	if isDigits(id, tbNumberMin, tbNumberMax) {
		return true
	}
	head, tail, ok := bytes.Cut(id, []byte("-"))
	if !ok {
		return isID(id, tbPlainMin, tbPlainMax, "") && digitsAt(id, 0) < len(id)
	}
	return isID(head, tbHeadMin, tbHeadMax, "") && isID(tail, tbTailMin, tbTailMax, "")
}

// taobaoPathID returns the id in paths such as /i123456.htm and
// /item/123456.htm, nil if there is none.
func taobaoPathID(path []byte) []byte {
	dot := bytes.LastIndexByte(path, '.')
	if dot < 0 || !equalFold(path[dot:min(dot+4, len(path))], ".htm") {
		return nil
	}
	start := dot
	for start > 0 && class[path[start-1]]&digit != 0 {
		start--
	}
	before := path[:start]
	if !isDigits(path[start:dot], tbNumberMin, tbNumberMax) ||
		!bytes.HasSuffix(before, []byte("/i")) && !bytes.HasSuffix(before, []byte("/item/")) {
		return nil
	}
	return path[start:dot]
}

// unlessHome is a hit of kind unless path is that of a home page.
func unlessHome(kind hitKind, path []byte) hit {
	if isHome(path) {
		return hit{}
	}
	return hit{kind: kind}
}

// containsFold says whether the beginning of path contains low, which is in lower
// case, in any case.
func containsFold(path []byte, low string) bool {
	path = path[:min(len(path), pathBytesMax)]
	for i := 0; i+len(low) <= len(path); i++ {
		if path[i]|0x20 == low[0]|0x20 && equalFold(path[i:i+len(low)], low) {
			return true
		}
	}
	return false
}
