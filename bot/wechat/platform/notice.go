package platform

import (
	"context"
	"net/url"
	"strconv"
	"unicode/utf8"

	"fanli/core/fault"
)

// The limits of a notice that was agreed to once.
const (
	onceTitleMax   = 15
	onceContentMax = 200
	sceneMax       = 10_000
)

// A Notice is told by a form that WeChat has approved.
type Notice struct {
	Template string            // its id
	URL      string            // what opens; "" for nothing
	Key      string            // makes a template message be sent once; "" for none
	Fields   map[string]string // by the names of the form: thing1, amount2
}

// A value is what stands in a field.
type value struct {
	Value string `json:"value"`
}

func (n Notice) values() map[string]value {
	out := make(map[string]value, len(n.Fields))
	for k, v := range n.Fields {
		out[k] = value{v}
	}
	return out
}

// SendTemplate sends a person a template message and returns its number, by which an
// event says later whether it arrived.
func (c *Client) SendTemplate(ctx context.Context, openid string, n Notice) (id int64, err error) {
	var got struct {
		ID int64 `json:"msgid"`
	}
	err = c.Do(ctx, "wechat.SendTemplate", "/cgi-bin/message/template/send", struct {
		To       string           `json:"touser"`
		Template string           `json:"template_id"`
		URL      string           `json:"url,omitempty"`
		Key      string           `json:"client_msg_id,omitempty"`
		Data     map[string]value `json:"data"`
	}{openid, n.Template, n.URL, n.Key, n.values()}, &got)
	return got.ID, err
}

// SendSubscription sends a person a notice to which they have subscribed.
func (c *Client) SendSubscription(ctx context.Context, openid string, n Notice) error {
	return c.Do(ctx, "wechat.SendSubscription", "/cgi-bin/message/subscribe/bizsend", struct {
		To       string           `json:"touser"`
		Template string           `json:"template_id"`
		Page     string           `json:"page,omitempty"`
		Data     map[string]value `json:"data"`
	}{openid, n.Template, n.URL, n.values()}, nil)
}

// A Once is the one notice that somebody has agreed to on a page.
type Once struct {
	Template string
	Scene    int // 0 to 10000, the same as on the page
	Title    string
	Text     string
	URL      string
}

// SendOnce sends it.
func (c *Client) SendOnce(ctx context.Context, openid string, o Once) error {
	const op = "wechat.SendOnce"
	if utf8.RuneCountInString(o.Title) > onceTitleMax || utf8.RuneCountInString(o.Text) > onceContentMax {
		return &fault.Error{Code: fault.Invalid, Reason: TooLong, Op: op}
	}
	return c.Do(ctx, op, "/cgi-bin/message/template/subscribe", struct {
		To       string           `json:"touser"`
		Template string           `json:"template_id"`
		URL      string           `json:"url,omitempty"`
		Scene    string           `json:"scene"`
		Title    string           `json:"title"`
		Data     map[string]value `json:"data"`
	}{openid, o.Template, o.URL, strconv.Itoa(o.Scene), o.Title, map[string]value{"content": {o.Text}}}, nil)
}

// OnceURL is the page on which somebody agrees to one notice; back is where they go from
// there, and mark comes along.
func (c *Client) OnceURL(template string, scene int, back, mark string) string {
	return defaultPictures + "/mp/subscribemsg?" + url.Values{
		"action": {"get_confirm"}, "appid": {c.cfg.AppID}, "scene": {strconv.Itoa(scene)}, "template_id": {template},
		"redirect_url": {back}, "reserved": {mark},
	}.Encode() + "#wechat_redirect"
}
