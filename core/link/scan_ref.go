package link

import "strings"

// found adds the ref that h says, or what the link in it points at.
func (s *scanner) found(t []byte, from int, a *address, h *hit) {
	if len(h.wrapped) > 0 {
		s.follow(t, from, a, h)
		return
	}
	s.keep(t, from, a, h)
}

// keep adds the ref that h says of the link a, which stands at from.
func (s *scanner) keep(t []byte, from int, a *address, h *hit) {
	if h.kind == hitNone {
		return
	}
	if h.shop == shopTaobao && h.kind == hitShort && s.shop == shopXianyu {
		h.shop, h.kind = shopXianyu, hitOther
	}
	if s.knows(t, a, h) {
		return
	}
	r := Ref{Network: shopNames[h.shop], Kind: kinds[h.kind]}
	switch h.page {
	case asWritten:
		r.URL = a.String()
	case pageOfJD:
		r.URL = "https://item.jd.com/" + string(h.id) + ".html"
	case pageOfTaobao:
		r.URL = "https://item.taobao.com/item.htm?id=" + string(h.id)
	case noPage:
	}
	r.ID, r.Token = partOf(r.URL, h.id), partOf(r.URL, h.token)
	r.Title = s.cardTitle(t, from)
	if r.Token != "" {
		s.add(t, &r) // the code may have stood alone before
		return
	}
	s.put(t, &r)
}

// partOf returns part as a string, of the memory of url if it is in there: most
// ids are.
func partOf(url string, part []byte) string {
	if len(part) == 0 {
		return ""
	}
	if i := strings.Index(url, string(part)); i >= 0 {
		return url[i : i+len(part)]
	}
	return string(part)
}

// knows says whether there is a ref of the kind of h that asks for the same, and
// makes it the last one.
func (s *scanner) knows(t []byte, a *address, h *hit) bool {
	for i := s.base; i < len(s.refs); i++ {
		r := &s.refs[i]
		if len(r.ID) != len(h.id) || r.Kind != kinds[h.kind] || r.Network != shopNames[h.shop] {
			continue
		}
		known := a.is(r.URL)
		switch {
		case r.ID != "":
			known = r.ID == string(h.id)
		case len(h.token) > 0:
			known = r.Token == string(h.token)
		}
		if known {
			s.entitle(t, r)
			s.last = i
			return true
		}
	}
	return false
}

// is says whether url is the link.
func (a *address) is(url string) bool {
	host := len(a.scheme) + len("://")
	rest := host + len(a.host)
	return len(url) == rest+len(a.rest) && url[:len(a.scheme)] == a.scheme &&
		url[host:rest] == string(a.host) && url[rest:] == string(a.rest)
}

// String is the link in one piece.
func (a *address) String() string {
	var b strings.Builder
	b.Grow(len(a.scheme) + len("://") + len(a.host) + len(a.rest))
	b.WriteString(a.scheme)
	b.WriteString("://")
	b.Write(a.host)
	b.Write(a.rest)
	return b.String()
}

// add appends r, found in t, unless the message has pointed at the same thing
// before.
func (s *scanner) add(t []byte, r *Ref) {
	for i := s.base; i < len(s.refs); i++ {
		if old := &s.refs[i]; same(old, r) {
			s.entitle(t, old)
			s.last = i
			return
		}
	}
	s.put(t, r)
}

// put appends r, found in t, to which no ref is equal. A code and a link that
// follow each other become one.
func (s *scanner) put(t []byte, r *Ref) {
	s.entitle(t, r)
	if s.last < len(s.refs) && pair(&s.refs[s.last], r) {
		return
	}
	if len(s.refs)-s.base == refsMax {
		s.stop = true
		return
	}
	s.last = len(s.refs)
	s.refs = append(s.refs, *r)
}

// entitle gives r the title that waits for a ref, if r has none.
func (s *scanner) entitle(t []byte, r *Ref) {
	if w := s.waiting; w.open && r.Title == "" {
		r.Title = string(t[w.start:w.end])
	}
	s.waiting.open = false
}

// same says whether r asks for what old asks for. If r is the link to a code
// that stood alone, old becomes both.
func same(old, r *Ref) bool {
	switch {
	case old.Network != r.Network:
		return false
	case old.Kind == r.Kind:
		return subject(old) == subject(r)
	case old.Kind == Short && r.Kind == Token:
		return old.Token == r.Token
	case old.Kind == Token && r.Kind == Short && old.Token == r.Token:
		old.Kind, old.ID, old.URL = Short, r.ID, r.URL
		return true
	}
	return false
}

// pair makes one ref of a code and a short link of one network that follow each
// other: apps share them together. It says whether they are such a pair.
func pair(old, r *Ref) bool {
	switch {
	case old.Network != r.Network:
		return false
	case old.Kind == Short && old.Token == "" && r.Kind == Token:
		old.Token = r.Token
	case old.Kind == Token && r.Kind == Short && r.Token == "":
		old.Kind, old.ID, old.URL = Short, r.ID, r.URL
	default:
		return false
	}
	if old.Title == "" {
		old.Title = r.Title
	}
	return true
}

// subject is the part of [Ref.Key] that tells refs of one network and kind apart.
func subject(r *Ref) string {
	switch {
	case r.ID != "":
		return r.ID
	case r.Token != "":
		return r.Token
	}
	return r.URL
}
