// Package platform calls WeCom for an account of its customer service (微信客服): it reads
// what customers have written, and sends them messages.
//
// # Guarantees
//
//   - Calls are those of package tencent: they end in time, share one token, and their
//     errors tell no secret.
//   - Errors have a fault code and, where the channel or operators act by it, a reason that
//     never changes.
//   - A message is sent with the key that it is given: WeCom takes no second one with it.
//
// # The library
//
// The shapes of messages are silenceper/wechat's. Its calls are not used, for the reasons
// that bot/wechat/platform gives; its SyncMsg says of a refusal only the text, without the
// number, and its GetCallbackMessage opens what nobody has signed.
//
// # Not here
//
// Callbacks, and how much a person may be sent: package kf.
package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/work/kf"
	"github.com/silenceper/wechat/v2/work/kf/sendmsg"

	"fanli/bot/tencent"
	"fanli/core/cache"
	"fanli/core/fault"
)

// timeoutDefault is how long a call may take: nobody waits for an answer at the other end
// of a callback.
const timeoutDefault = 10 * time.Second

// Options are what a client works with.
type Options struct {
	HTTP    *http.Client // that calls; nil means one of its own
	Cache   cache.Cache  // where processes find each other's token; nil: each has its own
	Timeout time.Duration
	Now     func() time.Time
}

// A Client speaks to WeCom for one account. It is safe for concurrent use.
type Client struct {
	*tencent.Caller
	cfg Config
}

// New returns the client of an account. It makes no call. It fails with fault.Invalid if
// what calls need is not sound; the account's id is needed by most of them, and the
// callback's secrets by none.
func New(cfg Config, o Options) (*Client, error) {
	if err := cfg.ValidateCalls(); err != nil {
		return nil, fault.Wrap(fault.Invalid, "wecom.New", err)
	}
	cfg = cfg.withDefaults()
	if o.Timeout == 0 {
		o.Timeout = timeoutDefault
	}
	c := &Client{cfg: cfg}
	c.Caller = tencent.NewCaller(tencent.Options{
		Name: "wecom", Account: cfg.CorpID + "/kf", Endpoint: cfg.Endpoint, Secrets: []string{cfg.Secret, cfg.Token, cfg.AESKey},
		HTTP: o.HTTP, Cache: o.Cache, Timeout: o.Timeout, Now: o.Now,
		Ask: c.askToken, Meaning: meaningOf, TokenCodes: []int64{40001, 40014, 42001},
	})
	return c, nil
}

// String names the account and tells no secret.
func (c *Client) String() string { return c.cfg.String() }

// GoString is String.
func (c *Client) GoString() string { return c.String() }

// askToken asks WeCom for a token: the same one as long as it lives. None can be forced.
func (c *Client) askToken(ctx context.Context, _ bool) (tencent.Token, error) {
	var got struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	asked := c.Now()
	err := c.Send(ctx, tencent.Request{
		Op: "wecom.Token", Path: "/cgi-bin/gettoken", Query: url.Values{"corpid": {c.cfg.CorpID}, "corpsecret": {c.cfg.Secret}},
	}, &got, "")
	if err != nil {
		return tencent.Token{}, err
	}
	if got.Token == "" || got.Expires <= 0 {
		return tencent.Token{}, fault.Newf(fault.Unavailable, BadToken, "an answer without a token")
	}
	return tencent.NewToken(got.Token, asked, got.Expires), nil
}

// syncMax is how many messages one page has at most.
const syncMax = 1000

// A Page is what was written after a cursor.
type Page struct {
	Next     string
	More     bool // there is another page; this one may be empty
	Messages []Message
	Odd      int // those that nobody can read, and that are left out
}

// Sync reads the page after a cursor; "" is the beginning of what WeCom still has, which
// are three days. A token is that of a callback, or "": then WeCom is stricter with how
// often it may be asked.
func (c *Client) Sync(ctx context.Context, cursor, token string) (Page, error) {
	var got struct {
		Next string            `json:"next_cursor"`
		More int               `json:"has_more"`
		List []json.RawMessage `json:"msg_list"`
	}
	err := c.Do(ctx, "wecom.Sync", "/cgi-bin/kf/sync_msg", kf.SyncMsgOptions{Cursor: cursor, Token: token, Limit: syncMax, OpenKfID: c.cfg.OpenKfID}, &got)
	p := Page{Next: got.Next, More: got.More != 0}
	for _, raw := range got.List {
		var m Message
		if json.Unmarshal(raw, &m) != nil || m.ID == "" {
			p.Odd++ // of another version: it must not keep those behind it
			continue
		}
		p.Messages = append(p.Messages, m)
	}
	return p, err
}

// The kinds of Message.Origin.
const (
	FromCustomer = 3
	FromSystem   = 4
	FromStaff    = 5 // in WeCom's own client
)

// The events that are acted on.
const (
	EnterSession  = "enter_session"         // somebody has opened the chat
	SendFailed    = "msg_send_fail"         // a message that was taken has not arrived
	SessionStatus = "session_status_change" // a person of ours leads the conversation, or does not any more
)

// The kinds of Event.ChangeType.
const (
	SessionTaken    = 1 // from those who wait
	SessionPassed   = 2 // to another person
	SessionEnded    = 3
	SessionReopened = 4
)

// The kinds of Event.FailType that say that the customer must write first, and the one of
// who wants to hear nothing.
const (
	FailedWindow   = 4
	FailedSession  = 5
	FailedQuota    = 6
	FailedRejected = 10
)

// A Message is one that WeCom has kept for us, as far as we read it.
type Message struct {
	ID       string `json:"msgid"`
	OpenKfID string `json:"open_kfid"`
	Customer string `json:"external_userid"`
	Sent     int64  `json:"send_time"`
	Origin   int    `json:"origin"`
	Type     string `json:"msgtype"`

	Text    *Text    `json:"text,omitempty"`
	Link    *Link    `json:"link,omitempty"`
	Program *Program `json:"miniprogram,omitempty"`
	Event   *Event   `json:"event,omitempty"`
}

// A Text is what somebody wrote, or the line of a menu that they tapped.
type Text struct {
	Content string `json:"content"`
	MenuID  string `json:"menu_id,omitempty"`
}

// ours begins the ids of lines that we send: menus of the console have other ones.
const ours = "f:"

// Said is what somebody wrote or, of a line of ours, what it does, however it is called.
func (t Text) Said() string {
	if action, ok := strings.CutPrefix(t.MenuID, ours); ok {
		return action
	}
	return t.Content
}

// A Link is a page that somebody shared.
type Link struct {
	Title string `json:"title"`
	Desc  string `json:"desc"`
	URL   string `json:"url"`
}

// A Program is a page of a mini program that somebody shared.
type Program struct {
	Title string `json:"title"`
	Path  string `json:"pagepath"`
}

// Address is the web address that the path of the page carries, of which there is one at
// most in what shops make; "" for none.
func (p Program) Address() string {
	_, query, _ := strings.Cut(p.Path, "?")
	values, _ := url.ParseQuery(query) // what cannot be read is not among them
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			if strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "http://") {
				return v
			}
		}
	}
	return ""
}

// An Event is something that happened beside the messages.
type Event struct {
	Type       string `json:"event_type"`
	OpenKfID   string `json:"open_kfid"`
	Customer   string `json:"external_userid"`
	Scene      string `json:"scene,omitempty"`
	SceneParam string `json:"scene_param,omitempty"`
	Welcome    string `json:"welcome_code,omitempty"`
	FailedID   string `json:"fail_msgid,omitempty"`
	FailType   int    `json:"fail_type,omitempty"`
	ChangeType int    `json:"change_type,omitempty"`
}

// From is whose message or event it is.
func (m Message) From() string {
	if m.Customer == "" && m.Event != nil {
		return m.Event.Customer
	}
	return m.Customer
}

// Account is the account of customer service that it is for.
func (m Message) Account() string {
	if m.OpenKfID == "" && m.Event != nil {
		return m.Event.OpenKfID
	}
	return m.OpenKfID
}

// The limits of what is sent, in bytes.
const (
	TextMax   = 2048
	HeadMax   = 1024 // of a menu's text
	ItemsMax  = 10
	ActionMax = 62   // with what says that it is ours
	LabelMax  = 128  // of a line that is tapped
	ViewMax   = 1024 // of a line that opens a page
	URLMax    = 2048
	TitleMax  = 128 // of a card
	DescMax   = 512
	KeyMax    = 32
)

// An Item is a line of a menu: it opens URL, or sends Action back.
type Item struct {
	Label  string `json:"label"`
	Action string `json:"action,omitempty"`
	URL    string `json:"url,omitempty"`
}

// A Card is a picture with a title that opens a page.
type Card struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	URL   string `json:"url"`
	Image string `json:"image"` // its address
}

// A Part is one message to send: a text, with lines below it that can be tapped; or a card.
type Part struct {
	Text  string `json:"text"`
	Items []Item `json:"items,omitempty"`
	Card  *Card  `json:"card,omitempty"`
	Copy  bool   `json:"copy,omitempty"` // the text is only there to be copied
}

// Extra reports whether a message says nothing that those beside it do not say, too.
func (p Part) Extra() bool { return p.Card != nil || p.Copy }

// Post sends a customer a message, once for each key.
func (c *Client) Post(ctx context.Context, customer, key string, p Part) error {
	const op, path = "wecom.Post", "/cgi-bin/kf/send_msg"
	to := sendmsg.Message{ToUser: customer, OpenKFID: c.cfg.OpenKfID, MsgID: key}
	if len(p.Items) == 0 {
		m := sendmsg.Text{Message: to, MsgType: "text"}
		m.Text.Content = p.Text
		return c.Do(ctx, op, path, m, nil)
	}
	m := sendmsg.Menu{Message: to, MsgType: "msgmenu"}
	m.MsgMenu.HeadContent, m.MsgMenu.List = p.Text, items(p.Items)
	return c.Do(ctx, op, path, m, nil)
}

// PostCard sends a customer a card with a picture that was uploaded, once for each key.
func (c *Client) PostCard(ctx context.Context, customer, key string, card Card, media string) error {
	m := sendmsg.Link{Message: sendmsg.Message{ToUser: customer, OpenKFID: c.cfg.OpenKfID, MsgID: key}, MsgType: "link"}
	m.Link.Title, m.Link.Desc, m.Link.URL, m.Link.ThumbMediaID = card.Title, card.Text, card.URL, media
	return c.Do(ctx, "wecom.PostCard", "/cgi-bin/kf/send_msg", m, nil)
}

// Upload keeps a picture at WeCom for three days, and returns how to send it. The name ends
// with the kind of picture: .png or .jpg.
func (c *Client) Upload(ctx context.Context, name string, image []byte) (media string, err error) {
	const op = "wecom.Upload"
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("media", name)
	if err == nil {
		_, err = part.Write(image)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return "", fault.Wrap(fault.Internal, op, err)
	}
	var got struct {
		ID string `json:"media_id"`
	}
	err = c.Call(ctx, tencent.Request{
		Op: op, Path: "/cgi-bin/media/upload", Query: url.Values{"type": {"image"}}, Body: b.Bytes(), Kind: form.FormDataContentType(),
	}, &got)
	return got.ID, err
}

// Greet answers an event with a message, by the code that came with it and lives for
// twenty seconds. It takes nothing from what a customer may be sent.
func (c *Client) Greet(ctx context.Context, code, key string, p Part) error {
	body := map[string]any{"code": code, "msgid": key, "msgtype": "text", "text": map[string]string{"content": p.Text}}
	if len(p.Items) > 0 {
		body = map[string]any{"code": code, "msgid": key, "msgtype": "msgmenu", "msgmenu": map[string]any{"head_content": p.Text, "list": items(p.Items)}}
	}
	return c.Do(ctx, "wecom.Greet", "/cgi-bin/kf/send_msg_on_event", body, nil)
}

// items are the lines of a menu in the library's shapes.
func items(all []Item) (out []any) {
	for _, i := range all {
		if i.URL != "" {
			m := sendmsg.MenuView{Type: "view"}
			m.View.URL, m.View.Content = i.URL, i.Label
			out = append(out, m)
			continue
		}
		m := sendmsg.MenuClick{Type: "click"}
		m.Click.ID, m.Click.Content = ours+i.Action, i.Label
		out = append(out, m)
	}
	return out
}

// An Account is one of the company's accounts of customer service.
type Account struct {
	OpenKfID string `json:"open_kfid"`
	Name     string `json:"name"`
	Manages  bool   `json:"manage_privilege"` // whether we may write for it
}

// Accounts lists those that the secret may see.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	var got struct {
		List []Account `json:"account_list"`
	}
	err := c.Do(ctx, "wecom.Accounts", "/cgi-bin/kf/account/list", map[string]int{"offset": 0, "limit": 100}, &got)
	return got.List, err
}

// MakeLink returns an address that opens the chat. A scene of at most 32 letters, digits,
// "_" and "-" says where it is used.
func (c *Client) MakeLink(ctx context.Context, scene string) (string, error) {
	var got struct {
		URL string `json:"url"`
	}
	err := c.Do(ctx, "wecom.MakeLink", "/cgi-bin/kf/add_contact_way", map[string]string{"open_kfid": c.cfg.OpenKfID, "scene": scene}, &got)
	return got.URL, err
}

// LinkWith returns the configured link with a word that comes along when the chat is
// opened by it; "" where none is configured.
func (c Config) LinkWith(word string) string {
	u, err := url.Parse(c.Link)
	if c.Link == "" || err != nil {
		return ""
	}
	if word != "" {
		q := u.Query()
		q.Set("scene_param", word)
		u.RawQuery = q.Encode()
	}
	return u.String()
}
