package jd

import (
	"context"

	"fanli/core/fault"
	"fanli/core/link"
)

// Promote makes a link to an activity's page, which JD takes as a material of its own.
func (c *Client) Promote(ctx context.Context, p link.Page, m link.Mark) (link.Made, error) {
	req, err := c.marked(promotion{MaterialID: p.Address, SubUnionID: m.Tag, SceneID: sceneUnion}, m)
	if err != nil {
		return link.Made{}, err
	}
	if _, ok := page(p.Address); !ok || p.Network != Name {
		return link.Made{}, fault.Newf(fault.Invalid, reasonUnreadable, "jd: not a page of ours")
	}
	made, err := c.promote(ctx, req)
	if err != nil {
		return link.Made{}, err
	}
	return c.handed(made), nil
}
