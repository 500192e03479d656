package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"github.com/silenceper/wechat/v2/util"

	"fanli/bot/callback"
)

// A Mode says how messages travel, as chosen in the platform's console.
type Mode string

// The modes.
const (
	Plain      Mode = "plain"      // 明文模式: nothing is encrypted, and the signature does not cover the message
	Compatible Mode = "compatible" // 兼容模式: both, of which we read what is encrypted
	Safe       Mode = "safe"       // 安全模式
)

// admit checks what the query alone can show: who it is from, and that it is of now.
func (c *Channel) admit(s callback.Signed) error {
	if s.Timestamp == "" || s.Nonce == "" || s.Signature == "" {
		return callback.ErrQuery
	}
	if !callback.Equal(s.Signature, util.Signature(c.opts.Token, s.Timestamp, s.Nonce)) {
		return callback.ErrSignature
	}
	return s.Fresh(c.opts.Now())
}

// keys are what the account and we share.
func (c *Channel) keys() callback.Keys {
	return callback.Keys{Token: c.opts.Token, AESKey: c.opts.AESKey, Receiver: c.opts.AppID}
}

// open returns the message in a body: the encrypted one wherever something must be, or
// is, encrypted.
func (c *Channel) open(s callback.Signed, body []byte) (*callback.Element, error) {
	outer, err := callback.Parse(body)
	if err != nil {
		return nil, err
	}
	if c.opts.Mode == Plain {
		if s.Encryption != "" && s.Encryption != "raw" {
			return nil, callback.ErrUndecoded
		}
		return outer, nil
	}
	sealed := outer.Find("Encrypt")
	if s.Encryption != "aes" || sealed == "" || s.Message == "" {
		return nil, callback.ErrPlain
	}
	raw, err := c.keys().Open(s, sealed)
	if err != nil {
		return nil, err
	}
	inner, err := callback.Parse(raw)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"ToUserName", "FromUserName", "MsgId", "Content", "Event", "EventKey"} {
		if plain := outer.Child(name); plain != nil && outer.Find(name) != inner.Find(name) {
			return nil, callback.ErrDiffers // a plain part that somebody has put around
		}
	}
	return inner, nil
}

// judge says whether the very same request was here before.
func (c *Channel) judge(ctx context.Context, s callback.Signed, body []byte) callback.Verdict {
	return c.seen.Judge(ctx, Name, s, body, c.opts.Cache, c.opts.Now())
}

// digest names a text without telling it.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// idForm is what the platform's ids of people and accounts look like.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_@.-]{1,64}$`)
