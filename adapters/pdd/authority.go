package pdd

import (
	"context"
	"strconv"

	"fanli/core/fault"
	"fanli/core/money"
)

// authorityPage is the channel_type that makes an authorisation (备案) link.
const authorityPage = 10

// AuthorityLink returns a link through which a person, logged in to Pinduoduo,
// authorises pid with our uid. It is done once for each pid.
func (c *Client) AuthorityLink(ctx context.Context, pid string) (string, error) {
	var made struct {
		List []struct {
			Mobile string `json:"mobile_url"`
			URL    string `json:"url"`
		} `json:"url_list"`
	}
	err := c.call(ctx, "pdd.ddk.rp.prom.url.generate", map[string]string{
		"p_id_list": list(pid), "channel_type": strconv.Itoa(authorityPage), "custom_parameters": c.custom(""),
	}, "rp_promotion_url_generate_response", &made)
	if err != nil {
		return "", err
	}
	for _, u := range made.List {
		if s := firstOf(u.Mobile, u.URL); s != "" {
			return s, nil
		}
	}
	return "", fault.Newf(fault.Unavailable, "", "no authorisation link was made")
}

// Authorised reports whether pid is authorised with our uid.
func (c *Client) Authorised(ctx context.Context, pid string) (bool, error) {
	var answer struct {
		Bind money.Number `json:"bind"`
	}
	err := c.call(ctx, "pdd.ddk.member.authority.query", map[string]string{
		"pid": pid, "custom_parameters": c.custom(""),
	}, "authority_query_response", &answer)
	return answer.Bind == "1", err
}
