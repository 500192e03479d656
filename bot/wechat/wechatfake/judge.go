package wechatfake

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The limits of an answer.
const (
	textBytesMax = 2048
	articlesMax  = 8
)

// judge says what a person sees of an answer, and why.
func (s *Server) judge(m message, body []byte) (Verdict, string, Seen) {
	s.mu.Lock()
	mode := s.mode
	s.mu.Unlock()
	if silent(body) {
		return Silent, "", Seen{}
	}
	root, err := parse(body)
	if err != nil {
		return Faulted, err.Error(), Seen{}
	}
	sealed := root.child("Encrypt") != nil
	switch {
	case sealed && mode == Plain:
		return Faulted, "encrypted, in plain mode", Seen{}
	case !sealed && mode == Safe:
		return Faulted, "not encrypted, in safe mode", Seen{}
	}
	if sealed {
		inner, why := s.unwrap(root)
		if why != "" {
			return Faulted, why, Seen{}
		}
		if silent(inner) { // not the documented form, and borne
			return Silent, "an encrypted silence", Seen{}
		}
		if root, err = parse(inner); err != nil {
			return Faulted, err.Error(), Seen{}
		}
	}
	seen, why := s.read(m, root)
	if why != "" {
		return Faulted, why, Seen{}
	}
	return Shown, "", seen
}

func silent(body []byte) bool {
	body = bytes.TrimSpace(body)
	return len(body) == 0 || string(body) == "success"
}

// unwrap decrypts an answer; why says what is wrong with it.
func (s *Server) unwrap(root *element) (inner []byte, why string) {
	sealed := root.find("Encrypt")
	at, nonce := root.find("TimeStamp"), root.find("Nonce")
	if _, err := strconv.ParseInt(at, 10, 64); err != nil {
		return nil, "no TimeStamp"
	}
	if root.find("MsgSignature") != s.crypt.Sign(at, nonce, sealed) {
		return nil, "a wrong MsgSignature"
	}
	inner, app, err := s.crypt.Open(sealed)
	switch {
	case err != nil:
		return nil, err.Error()
	case app != s.cfg.AppID:
		return nil, fmt.Sprintf("encrypted for %q", app)
	}
	return inner, ""
}

// read says what an answer shows; why says what is wrong with it.
func (s *Server) read(m message, root *element) (n Seen, why string) {
	seen := map[string]bool{}
	for _, c := range root.children {
		if seen[c.name] {
			return n, c.name + " is there twice"
		}
		seen[c.name] = true
	}
	if root.name != "xml" {
		return n, "the root is " + root.name
	}
	if from, to := root.find("FromUserName"), root.find("ToUserName"); from != s.cfg.Account || to != m.from {
		return n, fmt.Sprintf("from %q to %q, not from %q to %q", from, to, s.cfg.Account, m.from)
	}
	if _, err := strconv.ParseInt(root.find("CreateTime"), 10, 64); err != nil {
		return n, "no CreateTime"
	}
	n = Seen{By: "reply", Kind: root.find("MsgType")}
	switch n.Kind {
	case "text":
		if c := root.child("Content"); c != nil {
			n.Text = c.text
		}
		if strings.TrimSpace(n.Text) == "" {
			return n, "an empty Content"
		}
		if len(n.Text) > textBytesMax {
			return n, fmt.Sprintf("a Content of %d bytes", len(n.Text))
		}
	case "image", "voice", "video":
		return s.readMedia(root, n)
	case "music":
		if root.child("Music") == nil {
			return n, "no Music"
		}
	case "news":
		return readNews(m, root, n)
	case "transfer_customer_service":
	default:
		return n, "a MsgType of " + strconv.Quote(n.Kind)
	}
	return n, ""
}

func (s *Server) readMedia(root *element, n Seen) (Seen, string) {
	name := strings.ToUpper(n.Kind[:1]) + n.Kind[1:]
	in := root.child(name)
	if in == nil {
		return n, "no " + name
	}
	n.Media, n.Title, n.Text = in.find("MediaId"), in.find("Title"), in.find("Description")
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.media[n.Media]; !ok || !s.cfg.Now().Before(m.until) {
		return n, "no such MediaId"
	}
	return n, ""
}

func readNews(m message, root *element, n Seen) (Seen, string) {
	in := root.child("Articles")
	if in == nil || len(in.children) == 0 {
		return n, "no Articles"
	}
	items := in.children
	if c := root.find("ArticleCount"); c != strconv.Itoa(len(items)) {
		return n, fmt.Sprintf("an ArticleCount of %q for %d", c, len(items))
	}
	if limit := map[bool]int{true: 1, false: articlesMax}[m.answer]; len(items) > limit {
		return n, fmt.Sprintf("%d articles", len(items))
	}
	n.Title, n.Text, n.URL, n.Media = items[0].find("Title"), items[0].find("Description"), items[0].find("Url"), items[0].find("PicUrl")
	if n.Title == "" || n.URL == "" {
		return n, "an article without Title or Url"
	}
	return n, ""
}
