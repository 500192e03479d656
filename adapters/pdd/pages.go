package pdd

import (
	"context"
	"strconv"

	"fanli/core/fault"
	"fanli/core/link"
)

// channelMax is more than any channel_type that there is.
const channelMax = 999

// Promote makes a link to one of Pinduoduo's own pages, which it knows by the number of
// their channel (channel_type).
func (l links) Promote(ctx context.Context, p link.Page, m link.Mark) (link.Made, error) {
	made, err := l.promote(ctx, p, m)
	return made, absent(err)
}

func (l links) promote(ctx context.Context, p link.Page, m link.Mark) (link.Made, error) {
	channel, err := strconv.Atoi(p.Address)
	if err != nil || channel < 0 || channel > channelMax || channel == authorityPage || p.Network != Name {
		return link.Made{}, fault.Newf(fault.Invalid, "", "not the number of a channel")
	}
	if err := l.travels(m); err != nil {
		return link.Made{}, err
	}
	var made struct {
		List madeLinks `json:"url_list"`
	}
	err = l.call(ctx, "pdd.ddk.rp.prom.url.generate", map[string]string{
		"p_id_list": list(firstOf(m.Slot, l.cfg.PID)), "channel_type": strconv.Itoa(channel),
		"custom_parameters": l.custom(m.Tag), "generate_short_url": "true",
	}, "rp_promotion_url_generate_response", &made)
	if err != nil {
		return link.Made{}, err
	}
	return made.List.first()
}
