package link

import "strings"

// Limits of a link.
const (
	urlBytesMax  = 4 << 10 // of a link; the longest seen, deep links into an app, have about 2,500
	hostBytesMax = 64      // of a host; the longest known one has 27
	portCharsMax = 5
	blanksMax    = 8 // blanks that may stand between things that belong together
)

// A host is a dotted name in the text.
type host struct {
	start, end int
	domain     int // where its last two labels start
	top        int // where its last label starts
}

// An address is a link taken apart.
type address struct {
	scheme string
	host   []byte // in lower case, without port
	rest   []byte // port, path, query and fragment, as written
}

// name reads the dotted name whose first word is t[start:end], and the link that
// it may begin. It returns where to go on, or false if the word is to be read
// as if it stood alone.
func (s *scanner) name(t []byte, start, end int) (next int, ok bool) {
	h := dottedName(t, start, end)
	s.steps += h.end - end
	if h.end == end {
		return 0, false
	}
	s.dotted = h.end
	if hasMark(t, h.end, "://") {
		return s.schemed(t, start, h.top, h.end), true
	}
	if !isTop(t[h.top:h.end]) {
		return 0, false
	}
	if !freeBefore(t, start) {
		return s.past(t, h), true
	}
	if (h.end == len(t) || class[t[h.end]]&inURL == 0) && !hasShops(t[h.domain:h.end]) {
		return h.end, true // a site is named, not a page
	}
	return s.link(t, start, h, "https"), true
}

// dottedName reads further labels behind the word t[start:end].
func dottedName(t []byte, start, end int) host {
	h := host{start: start, end: end, domain: start, top: start}
	for h.end+1 < len(t) && t[h.end] == '.' && class[t[h.end+1]]&inWord != 0 {
		h.domain, h.top = h.top, h.end+1
		for h.end = h.top; h.end < len(t) && class[t[h.end]]&inWord != 0; h.end++ {
		}
	}
	return h
}

// isTop says whether label can be the last one of a host.
func isTop(label []byte) bool {
	if len(label) < 2 || len(label) > 10 {
		return false
	}
	for _, b := range label {
		if class[b]&letter == 0 {
			return false
		}
	}
	return true
}

// hasShops says whether the hosts of domain can be shops, so that a host alone
// means something.
func hasShops(domain []byte) bool {
	return equalFold(domain, "taobao.com") || equalFold(domain, "tmall.com") || equalFold(domain, "tmall.hk")
}

// freeBefore says whether a host can start at i: it is not part of a mail
// address, of a path or of another link. Two slashes without a scheme are fine.
func freeBefore(t []byte, i int) bool {
	if i == 0 {
		return true
	}
	switch b := t[i-1]; b {
	case '/':
		return i >= 2 && t[i-2] == '/' && (i == 2 || t[i-3] >= 0x80 || class[t[i-3]]&inURL == 0)
	case '.', '-', '@', '=', '_', '%':
		return false
	default:
		return class[b]&alnum == 0
	}
}

// link reads the link whose host is h and that begins at from, and returns where
// to go on.
func (s *scanner) link(t []byte, from int, h host, scheme string) int {
	next := s.past(t, h)
	var low [hostBytesMax]byte
	a, at, ok := addressOf(t, h, next, &low)
	if !ok {
		return next
	}
	if s.sight(); !s.look() {
		return next
	}
	if !s.cleaned && hasEscape(t[h.end:next]) {
		s.dirty = true
		return next
	}
	a.scheme = scheme
	s.steps += len(a.rest)
	what := classify(at, &a)
	s.found(t, from, &a, &what)
	return next
}

// addressOf takes the link with host h and end next apart and says whose it is.
func addressOf(t []byte, h host, next int, low *[hostBytesMax]byte) (a address, at place, ok bool) {
	if h.end-h.start > hostBytesMax || next-h.start > urlBytesMax {
		return a, at, false
	}
	at, a.host, ok = placeOf(lowered(low[:], t[h.start:h.end]), h.domain-h.start)
	if !ok || !portFits(t, h.end) {
		return a, at, false
	}
	a.rest = trimmed(t[h.end:next])
	return a, at, true
}

// past returns where the link with host h ends. A second link that is glued to it
// without a space begins a link of its own.
func (s *scanner) past(t []byte, h host) int {
	end := h.end
	if end < len(t) && t[end] == ':' {
		end = portEnd(t, end)
	}
	if end == len(t) || t[end] != '/' && t[end] != '?' && t[end] != '#' {
		return end
	}
	start := end
	for end < len(t) && class[t[end]]&inURL != 0 {
		if t[end] == ':' && hasMark(t, end, "://") {
			if glued := gluedScheme(t, start, end); glued > 0 {
				end = glued
				break
			}
		}
		end++
	}
	s.steps += end - start
	return end
}

// gluedScheme returns where the scheme that ends at i starts if it is http or
// https and behind the end of another link rather than inside it, else 0.
func gluedScheme(t []byte, start, i int) int {
	for _, scheme := range [...]string{"https", "http"} {
		g := i - len(scheme)
		if g <= start || !equalFold(t[g:i], scheme) {
			continue
		}
		switch t[g-1] {
		case '=', '/', '?', '&', '#', ':', '@', '%', '|', '-', '_', '~':
			return 0
		}
		return g
	}
	return 0
}

// portEnd returns where the port that may start at i ends; i if there is none.
func portEnd(t []byte, i int) int {
	end := i + 1
	for end < len(t) && end-i <= portCharsMax && class[t[end]]&digit != 0 {
		end++
	}
	if end == i+1 {
		return i
	}
	return end
}

// portFits says whether what follows the host at i leaves it the host: no user
// name, and no port but those of the web.
func portFits(t []byte, i int) bool {
	if i < len(t) && t[i] == ':' {
		end := portEnd(t, i)
		if port := string(t[i:end]); port != "" && port != ":443" && port != ":80" {
			return false
		}
		i = end
	}
	if i == len(t) {
		return true
	}
	switch b := t[i]; b {
	case '@', '-', '_', '%', '\\', ':':
		return b == ':' && (i+1 == len(t) || class[t[i+1]]&inURL == 0)
	default:
		return class[b]&alnum == 0
	}
}

// pathFits says whether rest, what follows a host in a link that stands for itself,
// is what can follow one: a port, a path, a query, a fragment, or nothing.
func pathFits(rest []byte) bool {
	if len(rest) > 0 && rest[0] == ':' {
		rest = rest[portEnd(rest, 0):]
	}
	return len(rest) == 0 || rest[0] == '/' || rest[0] == '?' || rest[0] == '#'
}

// trimmed is rest without the punctuation that ends a sentence, closes what the
// link stood in, or marks it bold.
func trimmed(rest []byte) []byte {
	n := len(rest)
	for n > 0 && strings.IndexByte(".,;:!?()[]'*~|", rest[n-1]) >= 0 {
		n--
	}
	return rest[:n]
}

// lowered writes t to buf in lower case and returns that part of buf.
func lowered(buf, t []byte) []byte {
	for i, b := range t {
		if class[b]&upper != 0 {
			b += 'a' - 'A'
		}
		buf[i] = b
	}
	return buf[:len(t)]
}

// equalFold says whether t is low, which is in lower case, in any case.
func equalFold(t []byte, low string) bool {
	if len(t) != len(low) {
		return false
	}
	for i, b := range t {
		if class[b]&upper != 0 {
			b += 'a' - 'A'
		}
		if b != low[i] {
			return false
		}
	}
	return true
}
