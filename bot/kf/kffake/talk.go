package kffake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// customerLen is how long WeCom's ids of customers are.
const customerLen = 32

// Customer makes up an id of a customer, as long as WeCom's are: a shorter one would not be
// found in a log.
func Customer(name string, number int) string {
	return fmt.Sprintf("wm%s%0*d", name, customerLen-2-len(name), number)
}

// What a customer's message allows us to send.
const (
	messageCount  = 5
	messageWindow = 48 * time.Hour
)

// history is how long messages can be read.
const history = 3 * 24 * time.Hour

// welcomeLife is how long an event can be answered.
const welcomeLife = 20 * time.Second

// An entry is one message that can be read.
type entry struct {
	at   time.Time
	body map[string]any
}

// A customer is somebody who writes to the account.
type customer struct {
	id    string
	left  int
	until time.Time
	wrote time.Time
	met   time.Time // when they were greeted
	led   bool      // by a person of the staff
	ended bool      // the conversation, until they write
	fails int       // FailType of the next message that is taken and does not arrive; 0: it does
	seen  []Seen
}

// A code answers an event.
type code struct {
	customer string
	until    time.Time
}

// Seen is one thing that a customer sees in the chat.
type Seen struct {
	At    time.Time
	By    string // "message", or "greeting" on an event
	Kind  string // text, msgmenu or link
	Text  string
	URL   string // of a link
	Items []Item
}

// An Item is a line of a menu.
type Item struct{ ID, URL, Text string }

// String is what it looks like.
func (n Seen) String() string {
	s := n.Text
	if n.URL != "" {
		s = "(picture) " + s + "\n[→ " + n.URL + "]"
	}
	for _, i := range n.Items {
		if i.URL != "" {
			s += "\n[" + i.Text + " → " + i.URL + "]"
			continue
		}
		s += "\n[" + i.Text + "]"
	}
	return s
}

// person returns a customer; nobody knew of those who are new.
func (s *Server) person(id string) *customer {
	p := s.people[id]
	if p == nil {
		p = &customer{id: id}
		s.people[id] = p
	}
	return p
}

// Seen returns everything that a customer has seen, in order.
func (s *Server) Seen(id string) []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.person(id).seen)
}

// Lines is Seen as people would read it to each other.
func (s *Server) Lines(id string) []string {
	var out []string
	for _, n := range s.Seen(id) {
		out = append(out, n.String())
	}
	return out
}

// Left is how many messages a customer may still be sent.
func (s *Server) Left(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.person(id); s.cfg.Now().Before(p.until) {
		return p.left
	}
	return 0
}

// write adds a message to what can be read. mu is held.
func (s *Server) write(origin int, kind string, content any, customer string) {
	id := tencentfake.Random(32)
	body := map[string]any{"msgid": id, "send_time": s.cfg.Now().Unix(), "origin": origin, "msgtype": kind, kind: content}
	if kind != "event" { // events have both within
		body["open_kfid"], body["external_userid"] = s.cfg.OpenKfID, customer
	}
	s.log = append(s.log, entry{s.cfg.Now(), body})
}

// wrote is a customer who writes.
func (s *Server) wrote(ctx context.Context, id, kind string, content any) Delivery {
	s.mu.Lock()
	p := s.person(id)
	p.left, p.until, p.wrote, p.ended = messageCount, s.cfg.Now().Add(messageWindow), s.cfg.Now(), false
	s.write(3, kind, content, id)
	s.mu.Unlock()
	return s.push(ctx)
}

// Say is a customer who writes a text.
func (s *Server) Say(ctx context.Context, id, text string) Delivery {
	return s.wrote(ctx, id, "text", map[string]any{"content": text})
}

// Share is a customer who sends a link.
func (s *Server) Share(ctx context.Context, id, title, desc, address string) Delivery {
	return s.wrote(ctx, id, "link", map[string]any{"title": title, "desc": desc, "url": address, "pic_url": "https://example.com/1.jpg"})
}

// Show is a customer who sends something of another kind, as an image, a voice or a file.
func (s *Server) Show(ctx context.Context, id, kind string) Delivery {
	return s.wrote(ctx, id, kind, map[string]any{"media_id": tencentfake.Random(40)})
}

// Tap is a customer who taps the line of a menu that has a text; the newest one that does.
func (s *Server) Tap(ctx context.Context, id, text string) (Delivery, bool) {
	seen := s.Seen(id)
	for i := len(seen) - 1; i >= 0; i-- {
		for _, it := range seen[i].Items {
			if it.Text == text && it.URL == "" {
				return s.wrote(ctx, id, "text", map[string]any{"content": it.Text, "menu_id": it.ID}), true
			}
		}
	}
	return Delivery{}, false
}

// Enter is somebody who opens the chat, by a link with a word perhaps. Who has neither
// written nor been greeted within 48 hours can be greeted.
func (s *Server) Enter(ctx context.Context, id, word string) Delivery {
	s.mu.Lock()
	p, now := s.person(id), s.cfg.Now()
	event := map[string]any{"event_type": "enter_session", "open_kfid": s.cfg.OpenKfID, "external_userid": id, "scene": "", "scene_param": word}
	recently := func(at time.Time) bool { return !at.IsZero() && now.Sub(at) < messageWindow }
	if !recently(p.wrote) && !recently(p.met) {
		c := tencentfake.Random(40)
		s.codes[c] = code{id, now.Add(welcomeLife)}
		event["welcome_code"] = c
	}
	s.write(4, "event", event, id)
	s.mu.Unlock()
	return s.push(ctx)
}

// Lead lets a person of the staff take a conversation and say something; with "" they end
// it.
func (s *Server) Lead(ctx context.Context, id, text string) Delivery {
	s.mu.Lock()
	p := s.person(id)
	change := func(kind int) {
		s.write(4, "event", map[string]any{
			"event_type": "session_status_change", "open_kfid": s.cfg.OpenKfID, "external_userid": id, "change_type": kind, "new_servicer_userid": "zhang",
		}, id)
	}
	switch {
	case text == "":
		p.led, p.ended = false, true
		change(3)
	case !p.led:
		p.led = true
		change(1)
		fallthrough
	default:
		s.write(5, "text", map[string]any{"content": text}, id)
	}
	s.mu.Unlock()
	return s.push(ctx)
}

// Undeliver makes the next message to a customer one that is taken and does not arrive, of
// which an event tells why: 4 the window is over, 5 the conversation, 6 the quota used up,
// 10 they want to hear nothing.
func (s *Server) Undeliver(id string, why int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(id).fails = why
}

// Cursor is that of who has read everything.
func (s *Server) Cursor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(cursorHead, len(s.log))
}

// Spend takes away what a customer may be sent, as if somebody else had sent it.
func (s *Server) Spend(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(id).left = 0
}

// cursorHead begins a cursor, behind which stands how many messages were read.
const cursorHead = "4gw7MepFLfgF2VC5"

func (s *Server) syncMsg(r *request) (map[string]any, *refusal) {
	var in struct {
		Cursor   string `json:"cursor"`
		Token    string `json:"token"`
		Limit    int    `json:"limit"`
		OpenKfID string `json:"open_kfid"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	if f := s.maySync(in.OpenKfID, in.Token); f != nil {
		return nil, f
	}
	begin := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(in.Cursor, cursorHead))
		if err != nil || n > len(s.log) || !strings.HasPrefix(in.Cursor, cursorHead) {
			return nil, refuse(40058, "invalid cursor")
		}
		begin = n
	}
	if in.Limit <= 0 || in.Limit > 1000 {
		in.Limit = 1000
	}
	if s.cfg.PageSize > 0 {
		in.Limit = min(in.Limit, s.cfg.PageSize)
	}
	if s.empties > 0 {
		s.empties--
		return map[string]any{"next_cursor": fmt.Sprint(cursorHead, begin), "has_more": 1, "msg_list": []any{}}, nil
	}
	list := []any{}
	for begin < len(s.log) && len(list) < in.Limit {
		if e := s.log[begin]; s.cfg.Now().Sub(e.at) < history {
			list = append(list, e.body)
		}
		begin++
	}
	more := 0
	if begin < len(s.log) {
		more = 1
	}
	return map[string]any{"next_cursor": fmt.Sprint(cursorHead, begin), "has_more": more, "msg_list": list}, nil
}

// maySync says whether messages may be read now.
func (s *Server) maySync(openKfID, token string) *refusal {
	now := s.cfg.Now()
	until, known := s.syncs[token]
	switch {
	case openKfID != "" && openKfID != s.cfg.OpenKfID:
		return refuse(95000, "invalid open_kfid")
	case token != "" && (!known || !now.Before(until)):
		return refuse(95007, "invalid msg token")
	case token != "" || s.cfg.Tokenless == 0:
		return nil
	}
	s.tokenless = slices.DeleteFunc(s.tokenless, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(s.tokenless) >= s.cfg.Tokenless {
		return refuse(45009, "api freq out of limit")
	}
	s.tokenless = append(s.tokenless, now)
	return nil
}

// pictureMax bounds a picture that is uploaded.
const pictureMax = 10 << 20

// upload keeps a picture.
func (s *Server) upload(r *request) (map[string]any, *refusal) {
	if r.query.Get("type") != "image" {
		return nil, refuse(40004, "invalid media type")
	}
	r.http.Body = io.NopCloser(bytes.NewReader(r.body))
	f, _, err := r.http.FormFile("media")
	if err != nil {
		return nil, refuse(44001, "empty media data")
	}
	b, err := io.ReadAll(f)
	if err != nil || len(b) <= 5 || len(b) > pictureMax {
		return nil, refuse(40006, "invalid media size")
	}
	id := tencentfake.Random(43)
	s.media[id] = true
	return map[string]any{"type": "image", "media_id": id, "created_at": fmt.Sprint(s.cfg.Now().Unix())}, nil
}

// outgoing is what is sent to a customer.
type outgoing struct {
	ToUser   string `json:"touser"`
	OpenKfID string `json:"open_kfid"`
	Code     string `json:"code"`
	Key      string `json:"msgid"`
	Kind     string `json:"msgtype"`
	Text     *struct {
		Content string `json:"content"`
	} `json:"text"`
	Link *struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
		URL   string `json:"url"`
		Thumb string `json:"thumb_media_id"`
	} `json:"link"`
	Menu *struct {
		Head string `json:"head_content"`
		Tail string `json:"tail_content"`
		List []struct {
			Type  string `json:"type"`
			Click struct {
				ID      string `json:"id"`
				Content string `json:"content"`
			} `json:"click"`
			View struct {
				URL     string `json:"url"`
				Content string `json:"content"`
			} `json:"view"`
		} `json:"list"`
	} `json:"msgmenu"`
}

// content reads what a message shows.
func (s *Server) content(in outgoing) (n Seen, f *refusal) {
	n.Kind = in.Kind
	switch {
	case in.Kind == "text" && in.Text != nil:
		n.Text = in.Text.Content
		if strings.TrimSpace(n.Text) == "" {
			return n, refuse(44004, "text content is empty")
		}
		if len(n.Text) > 2048 {
			return n, refuse(45002, "message content size out of limit")
		}
	case in.Kind == "link" && in.Link != nil:
		n.Text, n.URL = in.Link.Title+"\n"+in.Link.Desc, in.Link.URL
		if in.Link.Title == "" || in.Link.URL == "" || len(in.Link.URL) > 2048 {
			return n, refuse(40058, "invalid link")
		}
		if !s.media[in.Link.Thumb] {
			return n, refuse(40007, "invalid media_id")
		}
	case in.Kind == "msgmenu" && in.Menu != nil:
		return in.menu(n)
	default:
		return n, refuse(40008, "invalid message type")
	}
	return n, nil
}

func (in outgoing) menu(n Seen) (Seen, *refusal) {
	n.Text = strings.TrimSpace(in.Menu.Head + "\n" + in.Menu.Tail)
	if len(in.Menu.Head) > 1024 || len(in.Menu.Tail) > 1024 {
		return n, refuse(45002, "message content size out of limit")
	}
	if len(in.Menu.List) > 10 {
		return n, refuse(95008, "menu item count out of limit")
	}
	within := func(s string, most int) bool { return s != "" && len(s) <= most }
	for _, i := range in.Menu.List {
		switch {
		case i.Type == "click" && within(i.Click.ID, 64) && within(i.Click.Content, 128):
			n.Items = append(n.Items, Item{ID: i.Click.ID, Text: i.Click.Content})
		case i.Type == "view" && within(i.View.URL, 2048) && within(i.View.Content, 1024):
			n.Items = append(n.Items, Item{URL: i.View.URL, Text: i.View.Content})
		case i.Type == "click" || i.Type == "view":
			return n, refuse(40058, "invalid menu item")
		default:
			return n, refuse(95009, "invalid menu item type")
		}
	}
	return n, nil
}

// key checks the key of a message; each can be used once.
func (s *Server) key(k string) (string, *refusal) {
	switch {
	case k == "":
		return tencentfake.Random(32), nil
	case len(k) > 32 || strings.Trim(k, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "":
		return k, refuse(40058, "invalid msgid")
	case s.keys[k]:
		return k, refuse(40058, "msgid already exists")
	}
	return k, nil
}

func (s *Server) sendMsg(r *request) (map[string]any, *refusal) {
	var in outgoing
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	if in.OpenKfID != s.cfg.OpenKfID {
		return nil, refuse(95000, "invalid open_kfid")
	}
	n, f := s.content(in)
	if f != nil {
		return nil, f
	}
	key, f := s.key(in.Key)
	if f != nil {
		return nil, f
	}
	p, now := s.people[in.ToUser], s.cfg.Now()
	switch {
	case p == nil:
		return nil, refuse(40096, "invalid external userid")
	case p.led || p.ended:
		return nil, refuse(95018, "send msg session status invalid")
	case !now.Before(p.until):
		return nil, refuse(95002, "send msg out of time limit")
	case p.left == 0:
		return nil, refuse(95001, "send msg count out of limit")
	}
	p.left--
	s.keys[key] = true
	if p.fails != 0 {
		s.write(4, "event", map[string]any{
			"event_type": "msg_send_fail", "open_kfid": s.cfg.OpenKfID, "external_userid": p.id, "fail_msgid": key, "fail_type": p.fails,
		}, p.id)
		p.fails, s.owed = 0, true
		return map[string]any{"msgid": key}, nil
	}
	n.At, n.By = now, "message"
	p.seen = append(p.seen, n)
	return map[string]any{"msgid": key}, nil
}

func (s *Server) sendOnEvent(r *request) (map[string]any, *refusal) {
	var in outgoing
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	n, f := s.content(in)
	if f != nil {
		return nil, f
	}
	key, f := s.key(in.Key)
	if f != nil {
		return nil, f
	}
	c, known := s.codes[in.Code]
	if !known || !s.cfg.Now().Before(c.until) {
		return nil, refuse(95021, "invalid code")
	}
	delete(s.codes, in.Code)
	s.keys[key] = true
	p := s.person(c.customer)
	n.At, n.By, p.met = s.cfg.Now(), "greeting", s.cfg.Now()
	p.seen = append(p.seen, n)
	return map[string]any{"msgid": key}, nil
}
