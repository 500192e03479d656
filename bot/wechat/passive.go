package wechat

import (
	"crypto/rand"
	"encoding/xml"
	"strconv"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// nonceBytes make a nonce of sixteen characters.
const nonceBytes = 10

// randomBytes stand before an encrypted message.
const randomBytes = 16

// passive writes the answer to a delivery, encrypted unless the account is in plain
// mode.
func (c *Channel) passive(in incoming, a answer) ([]byte, error) {
	common := message.CommonToken{
		ToUserName: message.CDATA(in.from), FromUserName: message.CDATA(in.to), CreateTime: c.opts.Now().Unix(), MsgType: message.MsgTypeText,
	}
	var body any
	if a.article != nil {
		common.MsgType = message.MsgTypeNews
		n := message.NewNews([]*message.Article{message.NewArticle(a.article.Title, a.article.Text, a.article.Image, a.article.URL)})
		n.CommonToken = common
		body = n
	} else {
		t := message.NewText(a.text)
		t.CommonToken = common
		body = t
	}
	raw, err := xml.Marshal(body)
	if err != nil || c.opts.Mode == Plain {
		return raw, err
	}
	return c.seal(raw)
}

// seal encrypts an answer.
func (c *Channel) seal(raw []byte) ([]byte, error) {
	random := make([]byte, randomBytes)
	_, _ = rand.Read(random) // it never fails
	sealed, err := util.EncryptMsg(random, raw, c.opts.AppID, c.opts.AESKey)
	if err != nil {
		return nil, err
	}
	at, nonce := c.opts.Now().Unix(), rand.Text()[:nonceBytes]
	return xml.Marshal(message.ResponseEncryptedXMLMsg{
		EncryptedMsg: string(sealed), Timestamp: at, Nonce: nonce,
		MsgSignature: util.Signature(c.opts.Token, strconv.FormatInt(at, 10), nonce, string(sealed)),
	})
}
