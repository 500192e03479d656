package platform

import (
	"context"

	"github.com/silenceper/wechat/v2/credential"

	"fanli/bot/tencent"
	"fanli/core/fault"
)

// They serve the library, too, as what it asks for tokens.
var _ credential.AccessTokenContextHandle = (*tencent.Tokens)(nil)

// askToken asks WeChat for the stable token, which it hands out to everybody who asks
// until it ends.
func (c *Client) askToken(ctx context.Context, force bool) (tencent.Token, error) {
	const op = "wechat.Token"
	r, err := tencent.Post(op, "/cgi-bin/stable_token", map[string]any{
		"grant_type": "client_credential", "appid": c.cfg.AppID, "secret": c.cfg.AppSecret, "force_refresh": force,
	})
	if err != nil {
		return tencent.Token{}, err
	}
	var got struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	asked := c.Now()
	if err := c.Send(ctx, r, &got, ""); err != nil {
		return tencent.Token{}, err
	}
	if got.Token == "" || got.Expires <= 0 {
		return tencent.Token{}, fault.Newf(fault.Unavailable, BadToken, "an answer without a token")
	}
	return tencent.NewToken(got.Token, asked, got.Expires), nil
}
