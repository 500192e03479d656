package link

import "bytes"

// A hitKind is what a link can point at. It is a number for the reason that a shop
// is one.
type hitKind uint8

const (
	hitNone hitKind = iota
	hitItem
	hitShort
	hitCoupon
	hitClick
	hitActivity
	hitOther
)

// kinds are the kinds of hits in refs.
var kinds = [...]Kind{
	hitNone: "", hitItem: Item, hitShort: Short, hitCoupon: Coupon,
	hitClick: Click, hitActivity: Activity, hitOther: Other,
}

// A page says what the URL of a ref is.
type page uint8

const (
	asWritten    page = iota // the link that was read
	noPage                   // none: the link opens in an app only
	pageOfJD                 // the item's page at JD
	pageOfTaobao             // the item's page at Taobao
)

// A hit is what a link points at. Its pieces are parts of the text that was read.
type hit struct {
	shop    shop
	kind    hitKind
	page    page
	id      []byte
	token   []byte
	wrapped []byte // a link in the link that is worth following, still escaped
}

// classify says what the link a, which is on a page of the kind at, points at.
func classify(at place, a *address) hit {
	path, query := a.split()
	h := hit{}
	switch f := at.form; {
	case f <= tbApp:
		h = readTaobao(f, a.host, path, query)
	case f == jdJSON:
		h = readJDJSON(a.rest)
	case f < jdJSON:
		h = readJD(f, path, query)
	case f <= pddApp:
		h = readPDD(f, path, query)
	case f <= vipApp:
		h = readVip(f, path, query)
	case !isHome(path):
		h.kind = hitOther
	}
	if h.shop == shopNone {
		h.shop = at.shop
	}
	return h
}

// openApp says what a link into an app points at, and makes it the link that is to
// be sent to the network.
func openApp(at place, a *address) hit {
	switch at.form {
	case pddApp:
		if len(a.rest) == 0 || a.rest[0] != '/' {
			return hit{}
		}
		a.scheme, a.host = "https", pddHost
		return classify(place{shopPDD, pddSite}, a)
	case tbApp:
		if web, _, _ := placeOf(a.host, domainOf(a.host)); web.shop == shopTaobao && web.form != tbSite {
			if h := classify(web, a); h.kind != hitNone && h.kind != hitActivity && h.kind != hitOther {
				a.scheme = "https"
				return h
			}
		}
		return classify(at, a)
	default:
		return classify(at, a)
	}
}

// domainOf returns where the last two labels of host start.
func domainOf(host []byte) int {
	top := max(bytes.LastIndexByte(host, '.'), 0)
	return bytes.LastIndexByte(host[:top], '.') + 1
}

// split returns the path of the link, and its query and fragment together: apps
// put what matters into either.
func (a *address) split() (path, query []byte) {
	path = a.rest
	if len(path) > 0 && path[0] == ':' {
		path = path[portEnd(path, 0):]
	}
	for i, b := range path {
		if b == '?' || b == '#' {
			return path[:i], path[i+1:]
		}
	}
	return path, nil
}

// isHome says whether path is that of a home page.
func isHome(path []byte) bool { return len(path) == 0 || len(path) == 1 && path[0] == '/' }

// A param is a parameter of links that means something to some shop.
type param uint8

const (
	paramNone   param = iota
	paramID           // id
	paramItem         // itemId, item_id, num_iid
	paramSku          // sku, skuId, wareId
	paramGoods        // goods_id
	paramSign         // goods_sign
	paramPs           // ps, the share code of Pinduoduo
	paramTk           // tk, the code in a short link of Taobao
	paramJkl          // jkl, hjk, the code in a short link of JD
	paramPid          // pid
	paramParams       // params
	paramLink         // a link, under one of many names
	paramCount
)

// params are the values of the parameters in a query: where they start and end.
type params struct {
	query []byte
	at    [paramCount]struct{ start, end uint16 } // a link is shorter than 64 KiB
}

// get returns the value of a parameter, empty if it has none.
func (p *params) get(k param) []byte { return p.query[p.at[k].start:p.at[k].end] }

// paramNameMax is the length of the longest name of a parameter that is known.
const paramNameMax = len("redirecturl")

// readParams reads a query. Of two values for one parameter the first counts.
func readParams(query []byte) params {
	p := params{query: query}
	for start := 0; start < len(query); {
		end, eq := start, 0
		for end < len(query) {
			b := query[end]
			if b == '&' || b == '?' || b == '#' {
				break
			}
			if b == '=' && eq == 0 {
				eq = end
			}
			end++
		}
		if start < eq && eq-start <= paramNameMax && eq+1 < end {
			k := paramOf(query[start:eq])
			if at := &p.at[k]; k != paramNone && at.end == 0 && (k != paramLink || canBeLink(query[eq+1:end])) {
				at.start, at.end = uint16(eq+1), uint16(end)
			}
		}
		start = end + 1
	}
	return p
}

// paramOf returns the parameter with a name, which is not longer than
// paramNameMax.
func paramOf(name []byte) param {
	var low [paramNameMax]byte
	switch string(lowered(low[:], name)) {
	case "id":
		return paramID
	case "itemid", "item_id", "num_iid":
		return paramItem
	case "sku", "skuid", "wareid":
		return paramSku
	case "goods_id":
		return paramGoods
	case "goods_sign":
		return paramSign
	case "ps":
		return paramPs
	case "tk":
		return paramTk
	case "jkl", "hjk":
		return paramJkl
	case "pid":
		return paramPid
	case "params":
		return paramParams
	case "to", "url", "returnurl", "launch_url", "from", "h5url", "desturl", "redirecturl":
		return paramLink
	}
	return paramNone
}

// canBeLink says whether a parameter's value can be a link: it has a slash or a
// page, or something escaped that may be one.
func canBeLink(value []byte) bool {
	for i, b := range value {
		if b == '/' || b == '.' && hasMark(value, i, ".htm") ||
			b == '%' && (hasMark(value, i, "%2F") || hasMark(value, i, "%2f") || hasMark(value, i, "%25")) {
			return true
		}
	}
	return false
}

// isDigits says whether t is a number of least to most digits.
func isDigits(t []byte, least, most int) bool {
	return least <= len(t) && len(t) <= most && digitsAt(t, 0) == len(t)
}

// digitsAt returns where the digits at i end.
func digitsAt(t []byte, i int) int {
	for i < len(t) && class[t[i]]&digit != 0 {
		i++
	}
	return i
}

// isID says whether t is made of letters, digits and the bytes of also.
func isID(t []byte, least, most int, also string) bool {
	if len(t) < least || len(t) > most {
		return false
	}
	for _, b := range t {
		if class[b]&alnum == 0 && (also == "" || also[0] != b && also[len(also)-1] != b) {
			return false
		}
	}
	return true
}
