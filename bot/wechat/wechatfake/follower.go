package wechatfake

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// openIDLen is how long WeChat's openids are.
const openIDLen = 28

// OpenID makes up an openid, as long as WeChat's are: a shorter one would not be found in a
// log.
func OpenID(name string, number int) string {
	return fmt.Sprintf("o%s%0*d", name, openIDLen-1-len(name), number)
}

// A follower is somebody who reads the account, or has read it.
type follower struct {
	openid    string
	unionid   string
	following bool
	since     time.Time
	scene     string // by which code they came
	blocks    bool   // takes no notices
	typing    bool
	tags      []int64
	platform  string          // 1 iOS, 2 Android, 3 other
	consents  map[string]int  // how many notices of a template they have agreed to
	once      map[string]bool // template and scene of one-time consents
	message   allowance       // of what they wrote
	action    allowance       // of what they pressed
	seen      []Seen
	newest    pushed
}

// What a follower's own act allows us to send.
const (
	messageCount  = 5
	messageWindow = 48 * time.Hour
	actionCount   = 3
	actionWindow  = time.Minute
)

// An allowance is how much may still be sent unasked, and until when.
type allowance struct {
	left  int
	until time.Time
}

// Seen is one thing that a follower sees in the chat.
type Seen struct {
	At     time.Time
	By     string // how it came: "reply", "custom", "template", "once", "subscription", or "notice" of the platform itself
	Kind   string // text, image, voice, video, music, news, msgmenu, …
	Text   string
	Media  string // media id
	Title  string // of an article
	URL    string
	Items  []Item // of a msgmenu
	Scheme string // template id
}

// An Item is a line that can be tapped.
type Item struct{ ID, Text string }

// String is what it looks like.
func (n Seen) String() string {
	switch n.Kind {
	case "text":
		return n.Text
	case "news":
		return fmt.Sprintf("[%s | %s | %s]", n.Title, n.Text, n.URL)
	case "msgmenu":
		var items []string
		for _, i := range n.Items {
			items = append(items, i.ID+":"+i.Text)
		}
		return strings.TrimSpace(n.Text + " {" + strings.Join(items, " ") + "}")
	case "template", "once", "subscription":
		return fmt.Sprintf("(%s) %s", n.Scheme, n.Text)
	default:
		return "<" + n.Kind + " " + n.Media + ">"
	}
}

// Notice is what people read when an answer could not be shown.
const Notice = "该公众号提供的服务出现故障，请稍后再试"

// Seen returns everything that a follower has seen, in order.
func (s *Server) Seen(openid string) []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.person(openid).seen)
}

// Lines is Seen as people would read it to each other.
func (s *Server) Lines(openid string) []string {
	var out []string
	for _, n := range s.Seen(openid) {
		out = append(out, n.String())
	}
	return out
}

// person returns a follower; nobody knew of those who are new.
func (s *Server) person(openid string) *follower {
	p := s.people[openid]
	if p == nil {
		p = &follower{openid: openid, unionid: "un_" + openid, platform: "3", consents: map[string]int{}, once: map[string]bool{}}
		s.people[openid] = p
	}
	return p
}

// show lets a follower see something.
func (s *Server) show(p *follower, n Seen) {
	n.At = s.cfg.Now()
	p.typing = false
	p.seen = append(p.seen, n)
}

// Left is how many customer messages a follower may still be sent, and until when the
// last of them may come.
func (s *Server) Left(openid string) (count int, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, now := s.person(openid), s.cfg.Now()
	for _, a := range []allowance{p.message, p.action} {
		if now.Before(a.until) && a.left >= count {
			count, until = a.left, a.until
		}
	}
	return count, until
}

// Typing reports whether a follower sees that we are typing.
func (s *Server) Typing(openid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.person(openid).typing
}

// Block makes a follower take no notices any more, or take them again.
func (s *Server) Block(openid string, blocks bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(openid).blocks = blocks
}

// SetPlatform says what a follower's client runs on: 1 iOS, 2 Android, 3 anything else.
func (s *Server) SetPlatform(openid, platform string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(openid).platform = platform
}

// Consent is a follower who agrees on a page to one notice of a template, within a
// scene of one-time subscriptions. Agreeing twice is agreeing once.
func (s *Server) Consent(openid, template, scene string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(openid).once[template+"/"+scene] = true
}

// spend takes one customer message of what a follower's acts allow.
func (s *Server) spend(p *follower) *refusal {
	now := s.cfg.Now()
	open, left := false, false
	for _, a := range []*allowance{&p.message, &p.action} {
		if !now.Before(a.until) {
			continue
		}
		open, left = true, left || a.left > 0
	}
	switch {
	case !p.following || !open:
		return refuse(45015, "response out of time limit or subscription is canceled")
	case !left:
		return refuse(45047, "out of response count limit")
	}
	for _, a := range []*allowance{&p.message, &p.action} { // they don't add up
		a.left = max(0, a.left-1)
	}
	return nil
}
