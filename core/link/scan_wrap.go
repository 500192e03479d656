package link

import "bytes"

// Limits of links inside links.
const (
	wrapsMax          = 3       // how deep a link is looked for in others
	wrapBytesMax      = 2 << 10 // of a wrapped link, escaped
	shortWrapBytesMax = 256     // of one that is unwrapped on a small piece of the stack
)

// follow adds what the link wrapped in h points at, or h itself if that is
// nothing.
func (s *scanner) follow(t []byte, from int, a *address, h *hit) {
	if len(h.wrapped) > shortWrapBytesMax {
		s.followLong(t, from, a, h)
		return
	}
	var buf [2 * shortWrapBytesMax]byte
	s.unwrap(t, from, a, h, buf[:])
}

// followLong is follow for a long link.
//
//go:noinline
func (s *scanner) followLong(t []byte, from int, a *address, h *hit) {
	var buf [2 * wrapBytesMax]byte
	s.unwrap(t, from, a, h, buf[:])
}

// unwrap adds what the link wrapped in h points at, or h itself if that is
// nothing or too long for free. A coupon stays a coupon and learns whose it is.
func (s *scanner) unwrap(t []byte, from int, a *address, h *hit, free []byte) {
	in, inside := *a, *h
	wrapped := h.wrapped
	for range wrapsMax {
		if len(wrapped) > len(free) {
			break
		}
		s.steps += len(wrapped)
		text := free[:decode(free, wrapped)]
		free = free[len(text):]
		next, at, ok := innerLink(text, h.shop)
		if !ok {
			if bytes.IndexByte(text, '%') < 0 {
				break
			}
			wrapped = text
			continue
		}
		found := classify(at, &next)
		if found.kind != hitNone {
			in, inside = next, found
		}
		if wrapped = found.wrapped; len(wrapped) == 0 {
			break
		}
	}
	if h.kind != hitCoupon {
		s.keep(t, from, &in, &inside)
		return
	}
	whole := *h
	if inside.kind == hitItem {
		whole.id = inside.id
	}
	s.keep(t, from, a, &whole)
}

// innerLink takes apart the link that text is, if it is one of a shop. The host
// in text becomes lower case. A page without a host is one of the shop around it.
func innerLink(text []byte, around shop) (a address, at place, ok bool) {
	switch {
	case len(text) > 0 && text[0] == '{':
		return address{rest: text}, place{shopJD, jdJSON}, around == shopJD
	case around == shopPDD && isRelative(text):
		a = address{scheme: "https", host: pddFolder, rest: trimmed(text[:linkEnd(text, 0)])}
		if text[0] == '/' {
			a.host = pddHost
		}
		return a, place{shopPDD, pddSite}, true
	}
	a.scheme = "https"
	if k := bytes.Index(text, []byte("://")); 0 <= k && k <= schemeBytesMax {
		if a.scheme = webScheme(text[:k]); a.scheme == "" {
			return a, at, false
		}
		text = text[k+len("://"):]
	} else if hasMark(text, 0, "//") {
		text = text[2:]
	}
	end := 0
	for end < len(text) && class[text[end]]&inWord != 0 {
		end++
	}
	h := dottedName(text, 0, end)
	if h.end > hostBytesMax || h.end == end {
		return a, at, false
	}
	lowered(text, text[:h.end])
	at, a.host, ok = placeOf(text[:h.end], h.domain)
	rest := text[h.end:linkEnd(text, h.end)]
	if !ok || !portFits(text, h.end) || !pathFits(rest) {
		return a, at, false
	}
	a.rest = trimmed(rest)
	return a, at, true
}

// isRelative says whether text is a page of Pinduoduo without its host:
// "goods.html?goods_id=1".
func isRelative(text []byte) bool {
	for i, b := range text {
		if b == '.' {
			end := i + len(".html")
			return i > 0 && hasMark(text, i, ".html") && (end == len(text) || text[end] == '?' || text[end] == '#')
		}
		if class[b]&alnum == 0 && b != '_' && (b != '/' || i > 0) {
			return false
		}
	}
	return false
}

// linkEnd returns where the bytes end that may stand in a link.
func linkEnd(t []byte, i int) int {
	for i < len(t) && class[t[i]]&inURL != 0 {
		i++
	}
	return i
}

// decode writes src to dst, with what is escaped by % as what it stands for, and
// returns the length. Dst is not shorter than src.
func decode(dst, src []byte) int {
	n := 0
	for i := 0; i < len(src); i++ {
		b := src[i]
		if b == '%' && i+2 < len(src) {
			hi, lo := hexValue(src[i+1]), hexValue(src[i+2])
			if hi < 16 && lo < 16 {
				b, i = hi<<4|lo, i+2
			}
		}
		dst[n] = b
		n++
	}
	return n
}

// hexValue returns the value of a hexadecimal digit, 16 or more for other bytes.
func hexValue(b byte) byte {
	switch {
	case '0' <= b && b <= '9':
		return b - '0'
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return (b | 0x20) - 'a' + 10
	}
	return 16
}
