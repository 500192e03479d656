package wechatfake

import (
	"context"
	"strings"
	"time"
)

// A message is what is pushed: the same one however often it is delivered.
type message struct {
	from   string // openid
	nodes  []node // without the common ones
	kind   string // MsgType
	at     time.Time
	id     int64 // MsgId; 0 for events
	answer bool  // a person wrote it, so that an answer has one article at most
	aside  bool  // nobody did anything in the chat, and nobody sees an answer there
}

// all returns the message with the common nodes.
func (m message) all(account string) []node {
	out := append([]node{
		textNode("ToUserName", account), textNode("FromUserName", m.from), numberNode("CreateTime", m.at.Unix()), textNode("MsgType", m.kind),
	}, m.nodes...)
	if m.id != 0 {
		out = append(out, numberNode("MsgId", m.id))
	}
	return out
}

// wrote makes a message of a person, with what it allows us.
func (s *Server) wrote(openid, kind string, nodes ...node) message {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, now := s.person(openid), s.cfg.Now()
	p.follow(now)
	p.message = allowance{messageCount, now.Add(messageWindow)}
	s.lastMsg++
	return message{from: openid, kind: kind, nodes: nodes, at: now, id: s.lastMsg, answer: true}
}

// did makes an event of a person; allows says that it lets us write for a moment.
func (s *Server) did(openid, event string, allows bool, nodes ...node) message {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, now := s.person(openid), s.cfg.Now()
	if event != "unsubscribe" {
		p.follow(now)
	}
	if allows {
		p.action = allowance{actionCount, now.Add(actionWindow)}
	}
	return message{from: openid, kind: "event", nodes: append([]node{textNode("Event", event)}, nodes...), at: now}
}

func (p *follower) follow(now time.Time) {
	if !p.following {
		p.following, p.since = true, now
	}
}

// Say is a person who writes. Whoever writes is a follower, with no event of it.
func (s *Server) Say(ctx context.Context, openid, text string) Outcome {
	return s.push(ctx, s.wrote(openid, "text", textNode("Content", text)))
}

// Unsupported is somebody who sends what the platform does not pass on, as a sticker.
func (s *Server) Unsupported(ctx context.Context, openid string) Outcome {
	return s.Say(ctx, openid, "【收到不支持的消息类型，暂无法显示】")
}

// Show is a person who sends a picture.
func (s *Server) Show(ctx context.Context, openid, picURL string) Outcome {
	return s.push(ctx, s.wrote(openid, "image", textNode("PicUrl", picURL), textNode("MediaId", random(64))))
}

// Speak is a person who sends a voice message. recognised is what the platform made of
// it; "" where the account has no recognition.
func (s *Server) Speak(ctx context.Context, openid, recognised string) Outcome {
	nodes := []node{textNode("MediaId", random(64)), textNode("Format", "amr")}
	if recognised != "" {
		nodes = append(nodes, textNode("Recognition", recognised))
	}
	return s.push(ctx, s.wrote(openid, "voice", nodes...))
}

// Film is a person who sends a video, or a short one.
func (s *Server) Film(ctx context.Context, openid string, short bool) Outcome {
	kind := "video"
	if short {
		kind = "shortvideo"
	}
	return s.push(ctx, s.wrote(openid, kind, textNode("MediaId", random(64)), textNode("ThumbMediaId", random(64))))
}

// Share is a person who sends a link, as a shop's page or an article.
func (s *Server) Share(ctx context.Context, openid, title, description, address string) Outcome {
	return s.push(ctx, s.wrote(openid, "link", textNode("Title", title), textNode("Description", description), textNode("Url", address)))
}

// Locate is a person who sends where they are.
func (s *Server) Locate(ctx context.Context, openid, label string) Outcome {
	return s.push(ctx, s.wrote(openid, "location",
		node{name: "Location_X", text: "31.230416", number: true}, node{name: "Location_Y", text: "121.473701", number: true},
		numberNode("Scale", 16), textNode("Label", label)))
}

// Tap is a person who taps a line of the last menu that was sent to them, which
// counts as a click: it is a text, and allows us no more than one. The line is found
// by its id; the outcome of one that there is not is of no delivery.
func (s *Server) Tap(ctx context.Context, openid, id string) Outcome {
	text, ok := s.item(openid, id)
	if !ok {
		return Outcome{Why: "there is no line " + id}
	}
	return s.TapAny(ctx, openid, id, text)
}

// TapAny is Tap for a line of a menu that somebody else may have sent, whose id need not be
// a number.
func (s *Server) TapAny(ctx context.Context, openid, id, text string) Outcome {
	s.mu.Lock()
	p, now := s.person(openid), s.cfg.Now()
	p.action = allowance{actionCount, now.Add(actionWindow)}
	s.lastMsg++
	m := message{
		from: openid, kind: "text", at: now, id: s.lastMsg, answer: true,
		nodes: []node{textNode("Content", text), {name: "bizmsgmenuid", text: id, number: true}},
	}
	s.mu.Unlock()
	return s.push(ctx, m)
}

// item returns the text of a line of the last menu.
func (s *Server) item(openid, id string) (string, bool) {
	seen := s.Seen(openid)
	for i := len(seen) - 1; i >= 0; i-- {
		if seen[i].Kind != "msgmenu" {
			continue
		}
		for _, it := range seen[i].Items {
			if it.ID == id {
				return it.Text, true
			}
		}
		break
	}
	return "", false
}

// Follow is a person who begins to follow; by a code if there is a scene.
func (s *Server) Follow(ctx context.Context, openid, scene string) Outcome {
	nodes := []node{textNode("EventKey", "")}
	if scene != "" {
		nodes = []node{textNode("EventKey", "qrscene_"+scene), textNode("Ticket", s.ticket(scene))}
	}
	m := s.did(openid, "subscribe", true, nodes...)
	s.mu.Lock()
	s.person(openid).scene = scene
	s.mu.Unlock()
	return s.push(ctx, m)
}

// Unfollow is a person who goes.
func (s *Server) Unfollow(ctx context.Context, openid string) Outcome {
	m := s.did(openid, "unsubscribe", false, textNode("EventKey", ""))
	s.mu.Lock()
	p := s.person(openid)
	p.following, p.message, p.action, p.tags = false, allowance{}, allowance{}, nil
	s.mu.Unlock()
	return s.push(ctx, m)
}

// Scan is somebody who scans a code: a follower, or one who becomes it by that.
func (s *Server) Scan(ctx context.Context, openid, scene string) Outcome {
	s.mu.Lock()
	follows := s.person(openid).following
	s.mu.Unlock()
	if !follows {
		return s.Follow(ctx, openid, scene)
	}
	return s.push(ctx, s.did(openid, "SCAN", true, textNode("EventKey", scene), textNode("Ticket", s.ticket(scene))))
}

// Click is a person who presses a button of the menu.
func (s *Server) Click(ctx context.Context, openid, key string) Outcome {
	return s.push(ctx, s.did(openid, "CLICK", true, textNode("EventKey", key)))
}

// View is a person who opens a page by the menu.
func (s *Server) View(ctx context.Context, openid, address string) Outcome {
	return s.push(ctx, s.did(openid, "VIEW", false, textNode("EventKey", address), numberNode("MenuId", 400_000_001)))
}

// Subscribe is a person who answers on a page whether they want notices of a template.
func (s *Server) Subscribe(ctx context.Context, openid, template string, accepts bool) Outcome {
	status := "reject"
	s.mu.Lock()
	if p := s.person(openid); accepts {
		status = "accept"
		p.consents[template]++
	}
	s.mu.Unlock()
	return s.push(ctx, s.did(openid, "subscribe_msg_popup_event", false, list("SubscribeMsgPopupEvent",
		textNode("TemplateId", template), textNode("SubscribeStatusString", status), numberNode("PopupScene", 2))))
}

// Withdraw is a person who does not want a template's notices any more, and says so in
// the chat's settings.
func (s *Server) Withdraw(ctx context.Context, openid, template string) Outcome {
	s.mu.Lock()
	delete(s.person(openid).consents, template)
	s.mu.Unlock()
	return s.push(ctx, s.did(openid, "subscribe_msg_change_event", false, list("SubscribeMsgChangeEvent",
		textNode("TemplateId", template), textNode("SubscribeStatusString", "reject"))))
}

// list is a node with one List of others.
func list(name string, nodes ...node) node {
	return node{name: name, children: []node{{name: "List", children: nodes}}}
}

// Event is any other event, with texts as its nodes: name and text in turns.
func (s *Server) Event(ctx context.Context, openid, event string, nodes ...string) Outcome {
	var out []node
	for i := 0; i+1 < len(nodes); i += 2 {
		out = append(out, textNode(nodes[i], nodes[i+1]))
	}
	allows := strings.HasPrefix(event, "scancode_")
	return s.push(ctx, s.did(openid, event, allows, out...))
}
