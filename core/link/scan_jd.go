package link

import "bytes"

// Lengths of JD's ids.
const (
	jdPageSkuMin         = 1      // on the page of an item
	jdSkuMin, jdSkuMax   = 5, 18  // elsewhere
	jdItemMin, jdItemMax = 20, 80 // an item id since 2024: two parts joined by _
	jdShortMin           = 4      // the code of a short link
	jdShortMax           = 20
	jdTokenChars         = 14 // of most 口令
)

// readJD says what a link of JD points at.
func readJD(f form, path, query []byte) hit {
	switch f {
	case jdShort:
		return jdShortLink(path, query)
	case jdClick:
		return unlessHome(hitClick, path)
	case jdItem:
		if id := jdPathID(path, jdPageSkuMin); id != nil {
			return hit{kind: hitItem, id: id}
		}
		return jdAnyPage(path, query, hitOther)
	case jdCoupon:
		h := jdAnyPage(path, query, hitCoupon)
		if !isHome(path) {
			h.kind = hitCoupon
		}
		return h
	case jdPage:
		return jdAnyPage(path, query, hitActivity)
	case jdApp:
		return jdAppLink(query)
	default:
		return jdAnyPage(path, query, hitOther)
	}
}

// jdAppLink reads a link into the app. Its parameters are JSON, escaped or not; if
// not, they go on where a query would end.
func jdAppLink(query []byte) hit {
	p := readParams(query)
	if isSku(p.get(paramSku)) {
		return hit{kind: hitItem, id: p.get(paramSku), page: pageOfJD}
	}
	h := hit{kind: hitOther, wrapped: p.get(paramParams)}
	if i := bytes.IndexByte(query, '{'); i >= 0 {
		h.wrapped = query[i:]
	}
	return h
}

// jdShortLink reads a short link, of sharing or of the union.
func jdShortLink(path, query []byte) hit {
	if isHome(path) {
		return hit{}
	}
	id, tail, _ := bytes.Cut(path[1:], []byte("/"))
	switch {
	case isID(id, jdShortMin, jdShortMax, "-_") && len(tail) == 0:
		h := hit{kind: hitShort, id: id}
		if len(query) > 0 {
			p := readParams(query)
			h.token = jdShareCode(p.get(paramJkl))
		}
		return h
	case len(query) > 0 || len(tail) > 0:
		return hit{kind: hitClick} // the long form of a union link, u.jd.com/jda?e=
	}
	return hit{}
}

// jdShareCode returns the code in @…@, the form that it has in a link.
func jdShareCode(t []byte) []byte {
	for _, at := range [...]string{"@", "%40"} {
		t = bytes.TrimPrefix(t, []byte(at))
		t = bytes.TrimSuffix(t, []byte(at))
	}
	if !isID(t, codeCharsMin, codeCharsMax, "") {
		return nil
	}
	return t
}

// jdAnyPage reads a page that may be one of an item; else it is fallback.
func jdAnyPage(path, query []byte, fallback hitKind) hit {
	p := readParams(query)
	switch {
	case isSku(p.get(paramSku)):
		return hit{kind: hitItem, id: p.get(paramSku)}
	case isHome(path):
		return hit{wrapped: p.get(paramLink)}
	}
	if i := bytes.LastIndexByte(path, '/'); hasSegment(path[:max(i, 0)], "product", "item", "detail") {
		if id := jdPathID(path, jdSkuMin); id != nil {
			return hit{kind: hitItem, id: id}
		}
	}
	return hit{kind: fallback, wrapped: p.get(paramLink)}
}

// readJDJSON reads the parameters of a link into JD's app.
func readJDJSON(json []byte) hit {
	for _, key := range [...]string{`"skuId"`, `"sku"`, `"wareId"`} {
		if id := jsonValue(json, key); isSku(id) {
			return hit{kind: hitItem, id: id, page: pageOfJD}
		}
	}
	return hit{wrapped: jsonValue(json, `"url"`)}
}

// jsonValue returns the first value of key, which is in quotes, in a flat JSON
// object; nil if there is none.
func jsonValue(json []byte, key string) []byte {
	i := bytes.Index(json, []byte(key))
	if i < 0 {
		return nil
	}
	v := bytes.TrimLeft(json[i+len(key):], " :")
	if len(v) > 0 && v[0] == '"' {
		v = v[1:]
	}
	if end := bytes.IndexAny(v, `",}`); end >= 0 {
		v = v[:end]
	}
	return v
}

// isSku says whether t can be a sku outside the path of an item's page.
func isSku(t []byte) bool { return isDigits(t, jdSkuMin, jdSkuMax) }

// jdPathID returns the sku or item id in the last part of paths such as
// /100012043978.html, /detail/100012043978_0_0_item.html and
// /detail/y84p6pobjclPUGaTWkuGPUGVieiJ84_3yuxuQBhb1pRF8f6RY.html, nil if there is
// none. A sku has at least skuMin digits.
func jdPathID(path []byte, skuMin int) []byte {
	last := path[bytes.LastIndexByte(path, '/')+1:]
	name := last
	if dot := bytes.IndexByte(last, '.'); dot >= 0 {
		if !equalFold(last[dot:min(dot+4, len(last))], ".htm") {
			return nil
		}
		name = last[:dot]
	} else {
		skuMin = jdSkuMin // cut off when it was copied: be stricter
	}
	head, _, split := bytes.Cut(name, []byte("_"))
	switch {
	case isDigits(head, skuMin, jdSkuMax):
		return head
	case split && isID(name, jdItemMin, jdItemMax, "_"):
		return name
	}
	return nil
}

// hasSegment says whether the last part of path is one of names, in any case.
func hasSegment(path []byte, names ...string) bool {
	last := path[bytes.LastIndexByte(path, '/')+1:]
	for _, name := range names {
		if equalFold(last, name) {
			return true
		}
	}
	return false
}
