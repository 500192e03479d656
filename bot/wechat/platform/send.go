package platform

import (
	"context"
	"strconv"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"fanli/core/fault"
)

// TextBytesMax is how long a text may be.
const TextBytesMax = 2048

// sendPath is where customer messages go.
const sendPath = "/cgi-bin/message/custom/send"

// An Article is a picture with a title that opens a page.
type Article struct {
	Title, Text, URL, Image string
}

// A Choice is a line that can be tapped; what comes back is its text and number.
type Choice struct {
	ID   int
	Text string
}

// Choices are lines that can be tapped, between two texts.
type Choices struct {
	Head  string
	Items []Choice
	Tail  string
}

// SendText sends a person a text.
func (c *Client) SendText(ctx context.Context, openid, text string) error {
	const op = "wechat.SendText"
	if len(text) > TextBytesMax {
		return &fault.Error{Code: fault.Invalid, Reason: TooLong, Op: op}
	}
	return c.Do(ctx, op, sendPath, message.NewCustomerTextMessage(openid, text), nil)
}

// SendNews sends a person an article.
func (c *Client) SendNews(ctx context.Context, openid string, a Article) error {
	return c.Do(ctx, "wechat.SendNews", sendPath, &message.CustomerMessage{
		ToUser: openid, Msgtype: message.MsgTypeNews,
		News: &message.MediaNews{Articles: []message.MediaArticles{{Title: a.Title, Description: a.Text, URL: a.URL, Picurl: a.Image}}},
	}, nil)
}

// SendImage sends a person a picture that was uploaded.
func (c *Client) SendImage(ctx context.Context, openid, media string) error {
	return c.Do(ctx, "wechat.SendImage", sendPath, message.NewCustomerImgMessage(openid, media), nil)
}

// SendChoices sends a person lines that can be tapped.
func (c *Client) SendChoices(ctx context.Context, openid string, o Choices) error {
	menu := &message.MediaMsgmenu{HeadContent: o.Head, TailContent: o.Tail}
	for _, i := range o.Items {
		menu.List = append(menu.List, message.MsgmenuItem{ID: strconv.Itoa(i.ID), Content: i.Text})
	}
	return c.Do(ctx, "wechat.SendChoices", sendPath, &message.CustomerMessage{ToUser: openid, Msgtype: "msgmenu", Msgmenu: menu}, nil)
}

// alreadyTyping is what WeChat says to being told twice.
const alreadyTyping = 45081

// Typing shows a person that we are typing, or that we are not.
func (c *Client) Typing(ctx context.Context, openid string, on bool) error {
	command := "CancelTyping"
	if on {
		command = "Typing"
	}
	err := c.Do(ctx, "wechat.Typing", "/cgi-bin/message/custom/typing", map[string]string{"touser": openid, "command": command}, nil)
	if CodeOf(err) == alreadyTyping {
		return nil
	}
	return err
}
