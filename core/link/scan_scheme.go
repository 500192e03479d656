package link

// schemeBytesMax is the length of the longest scheme that is known.
const schemeBytesMax = len("openapp.jdmobile")

// apps are the schemes by which apps open themselves.
var apps = map[string]place{
	"tbopen":           {shopTaobao, tbApp},
	"taobao":           {shopTaobao, tbApp},
	"tmall":            {shopTaobao, tbApp},
	"openapp.jdmobile": {shopJD, jdApp},
	"openjd":           {shopJD, jdApp},
	"jdmobile":         {shopJD, jdApp},
	"pinduoduo":        {shopPDD, pddApp},
	"pddopen":          {shopPDD, pddApp},
	"vipshop":          {shopVip, vipApp},
}

// schemed reads the link with the scheme t[start:end], whose last label is
// t[label:end], and returns where to go on.
func (s *scanner) schemed(t []byte, start, label, end int) int {
	body := end + len("://")
	if body == len(t) {
		return body
	}
	if scheme := webScheme(t[label:end]); scheme != "" {
		return s.web(t, label, body, scheme)
	}
	if end-start > schemeBytesMax || !freeBefore(t, start) {
		return body
	}
	var low [schemeBytesMax]byte
	name := lowered(low[:], t[start:end])
	if at, ok := apps[string(name)]; ok {
		return s.app(t, start, body, name, at)
	}
	return body
}

// webScheme returns the scheme of the web that word is or ends with: a scheme is
// often glued to the word before it, or lost its first letter when copied.
func webScheme(word []byte) string {
	switch n := len(word); {
	case n >= 5 && equalFold(word[n-5:], "https"):
		return "https"
	case n >= 4 && equalFold(word[n-4:], "http"):
		return "http"
	case equalFold(word, "ttps"):
		return "https"
	case equalFold(word, "ttp"):
		return "http"
	}
	return ""
}

// web reads the web link that starts at start and whose host starts at body.
func (s *scanner) web(t []byte, start, body int, scheme string) int {
	end := body
	for end < len(t) && class[t[end]]&inWord != 0 {
		end++
	}
	h := dottedName(t, body, end)
	s.steps += h.end - body
	if h.end == end {
		return s.hiddenCode(t, body, end)
	}
	s.dotted = h.end
	if !isTop(t[h.top:h.end]) {
		return body
	}
	s.sight()
	if !freeBeforeScheme(t, start) {
		return s.past(t, h)
	}
	return s.link(t, start, h, scheme)
}

// freeBeforeScheme says whether a link with a scheme can start at i, rather than
// be part of another link. A hyphen or a dot before it, as in a list, is fine, and
// so is a second scheme.
func freeBeforeScheme(t []byte, i int) bool {
	if i == 0 {
		return true
	}
	switch t[i-1] {
	case '=', '@', '%':
		return false
	case '/':
		return i >= len("://") && hasMark(t, i-len("://"), "://")
	}
	return true
}

// app reads the link into an app whose scheme is name, at start, and whose body
// starts at body.
func (s *scanner) app(t []byte, start, body int, name []byte, at place) int {
	end := body
	for end < len(t) && (class[t[end]]&inURL != 0 || at.form == jdApp && isJSON(t[end])) {
		end++
	}
	s.steps += end - body
	if end == body || end-start > urlBytesMax {
		return end
	}
	if s.sight(); !s.look() {
		return end
	}
	if !s.cleaned && hasEscape(t[body:end]) {
		s.dirty = true
		return end
	}
	hostEnd := body
	for hostEnd < end && class[t[hostEnd]]&inWord != 0 || hostEnd < end && t[hostEnd] == '.' {
		hostEnd++
	}
	if hostEnd-body > hostBytesMax || !portFits(t[:end], hostEnd) || !pathFits(t[hostEnd:end]) {
		return end
	}
	var low [hostBytesMax]byte
	a := address{
		scheme: string(name),
		host:   lowered(low[:], t[body:hostEnd]),
		rest:   trimmed(t[hostEnd:end]),
	}
	h := openApp(at, &a)
	s.found(t, start, &a, &h)
	return end
}

// isJSON says whether b may stand in the parameters of JD's app links besides
// what may stand in any link.
func isJSON(b byte) bool { return b == '{' || b == '}' || b == '"' }
