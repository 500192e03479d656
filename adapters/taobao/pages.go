package taobao

import (
	"context"
	"slices"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
)

// materialEvents are the material types of pages: events, pages that receive visitors,
// and those that shops build.
var materialEvents = []string{"3", "4", "7"}

// Promote makes a link to an event's page in the adzone of m.Slot, by the universal
// conversion; accounts that make links by search cannot.
func (c *Client) Promote(ctx context.Context, p link.Page, m link.Mark) (link.Made, error) {
	const op = "taobao.Promote"
	slot := m.Slot
	if slot == "" {
		slot = c.cfg.AdzoneIDs[0]
	}
	switch {
	case c.cfg.Convert == ConvertSearch:
		return link.Made{}, fault.In(op, fault.New(fault.Invalid, link.NoPages))
	case !slices.Contains(c.cfg.AdzoneIDs, slot):
		return link.Made{}, fault.In(op, fault.Newf(fault.Invalid, reasonSlot, "slot %q is not in the pool", slot))
	case p.Network != c.Name() || !strings.HasPrefix(p.Address, "https://") || len(p.Address) > materialBytesMax:
		return link.Made{}, fault.In(op, fault.Newf(fault.Invalid, reasonPage, "not a page of ours"))
	}
	e, err := c.convert(ctx, slot, subject{material: p.Address})
	if err != nil {
		return link.Made{}, fault.In(op, err)
	}
	if kind := text(e.Link.MaterialType); !slices.Contains(materialEvents, kind) {
		return link.Made{}, fault.In(op, fault.Newf(fault.Invalid, reasonPage, "material of type %q", short(kind)))
	}
	made, long := e.made()
	if made.URL == "" {
		return link.Made{}, fault.In(op, fault.Newf(fault.NotFound, reasonNotFound, "no link in the answer"))
	}
	if made.Token == "" {
		made.Token, err = c.token(ctx, long, p.Name)
	}
	return made, fault.In(op, err)
}
