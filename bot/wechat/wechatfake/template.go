package wechatfake

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A notice is a message by a template.
type notice struct {
	ToUser   string `json:"touser"`
	Template string `json:"template_id"`
	Client   string `json:"client_msg_id"`
	URL      string `json:"url"`
	Page     string `json:"page"`
	Scene    any    `json:"scene"`
	Title    string `json:"title"`
	Data     map[string]struct {
		Value string `json:"value"`
	} `json:"data"`
}

// The limits of a one-time notice.
const (
	onceTitleMax   = 15
	onceContentMax = 200
	sceneMax       = 10_000
)

// read reads a notice and finds who it is for.
func (s *Server) readNotice(r *request) (n notice, p *follower, f *refusal) {
	if f := r.decode(&n); f != nil {
		return n, nil, f
	}
	if n.Template == "" {
		return n, nil, refuse(40037, "invalid template_id")
	}
	p, f = s.to(n.ToUser)
	return n, p, f
}

// words is what a notice says, in the order of its names.
func (n notice) words() string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(n.Data)) {
		out = append(out, k+"="+n.Data[k].Value)
	}
	return strings.Join(out, " ")
}

// fieldLimits are how many characters a value may have, by the beginning of its name.
var fieldLimits = map[string]int{"thing": 20, "character_string": 32, "phrase": 5, "letter": 32, "short_thing": 5, "amount": 20}

// check says what is wrong with the values.
func (n notice) check() *refusal {
	for k, v := range n.Data {
		kind := strings.TrimRight(k, "0123456789")
		if limit := fieldLimits[kind]; kind != k && limit > 0 && utf8.RuneCountInString(v.Value) > limit {
			return refuse(47003, "argument invalid! data."+k+".value invalid")
		}
		if kind != k && v.Value == "" {
			return refuse(47003, "argument invalid! data."+k+".value is emtpy") //nolint:misspell // the platform's own spelling
		}
	}
	return nil
}

// sendTemplate takes a template message; what became of it is pushed afterwards.
func (s *Server) sendTemplate(r *request) (any, *refusal) {
	n, p, f := s.readNotice(r)
	if f == nil {
		f = n.check()
	}
	if f != nil {
		return nil, f
	}
	if id, ok := s.finished[n.Client]; ok && n.Client != "" { // sent before
		return well(map[string]any{"msgid": id}), nil
	}
	s.lastID++
	id, status := s.lastID, "success"
	if n.Client != "" {
		s.finished[n.Client] = id
	}
	if p.blocks {
		status = "failed:user block"
	} else {
		s.show(p, Seen{By: "template", Kind: "template", Scheme: n.Template, Text: n.words(), URL: n.URL})
	}
	s.later(r, p, textNode("Event", "TEMPLATESENDJOBFINISH"), numberNode("MsgID", id), textNode("Status", status))
	return well(map[string]any{"msgid": id}), nil
}

// sendOnce takes the one notice that somebody has agreed to.
func (s *Server) sendOnce(r *request) (any, *refusal) {
	var n notice
	if f := r.decode(&n); f != nil {
		return nil, f
	}
	scene := ""
	switch v := n.Scene.(type) {
	case string:
		scene = v
	case float64:
		scene = strconv.Itoa(int(v))
	}
	number, err := strconv.Atoi(scene)
	p := s.people[n.ToUser]
	switch {
	case n.Template == "":
		return nil, refuse(40037, "invalid template_id")
	case err != nil || number < 0 || number > sceneMax:
		return nil, refuse(40097, "invalid args")
	case utf8.RuneCountInString(n.Title) > onceTitleMax || utf8.RuneCountInString(n.Data["content"].Value) > onceContentMax:
		return nil, refuse(45002, "content size out of limit")
	case p == nil:
		return nil, refuse(40003, "invalid openid")
	case !p.once[n.Template+"/"+scene]:
		return nil, refuse(43101, "user refuse to accept the msg")
	}
	delete(p.once, n.Template+"/"+scene)
	s.show(p, Seen{By: "once", Kind: "once", Scheme: n.Template, Title: n.Title, Text: n.Title + ": " + n.Data["content"].Value, URL: n.URL})
	return nil, nil
}

// sendSubscription takes a subscription notice.
func (s *Server) sendSubscription(r *request) (any, *refusal) {
	n, p, f := s.readNotice(r)
	if p == nil || f != nil && f.code != 43004 { // one need not follow
		return nil, f
	}
	if f := n.check(); f != nil {
		return nil, f
	}
	if p.consents[n.Template] < 1 || p.blocks {
		return nil, refuse(43101, "user refuse to accept the msg")
	}
	p.consents[n.Template]--
	s.show(p, Seen{By: "subscription", Kind: "subscription", Scheme: n.Template, Text: n.words(), URL: n.Page})
	s.lastID++
	s.later(r, p, textNode("Event", "subscribe_msg_sent_event"), list("SubscribeMsgSentEvent",
		textNode("TemplateId", n.Template), numberNode("MsgID", s.lastID), numberNode("ErrorCode", 0), textNode("ErrorStatus", "success")))
	return nil, nil
}

// later pushes an event about a person that nobody waits for.
func (s *Server) later(r *request, p *follower, nodes ...node) {
	if s.callback == "" {
		return
	}
	m := message{from: p.openid, kind: "event", at: s.cfg.Now(), nodes: nodes, aside: true}
	s.following.Go(func() { s.push(context.WithoutCancel(r.http.Context()), m) })
}
