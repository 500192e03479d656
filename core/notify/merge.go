package notify

import (
	"context"
	"fmt"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

// PayeeChanged hears payee.changed.
func (o *Office) PayeeChanged(ctx context.Context, e event.Event) error {
	var c user.PayeeChanged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, "notify.PayeeChanged", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		m, err := message(e.ID, c.User, PayeeNews, c)
		return []Message{m}, err
	})
}

// MergeChanged hears merge.changed. Once two accounts are linked both are told, as one
// person; where they are not, or not any more, each is told for itself. What was written
// for an account before reaches the person that it is a part of.
func (o *Office) MergeChanged(ctx context.Context, e event.Event) error {
	var c user.MergeChanged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, "notify.MergeChanged", err)
	}
	var told []int64
	switch c.Stage {
	case user.MergeDone:
		told = []int64{c.Survivor}
	case user.MergeRefused, user.MergeUndone:
		told = []int64{c.Survivor, c.Absorbed}
	case user.MergeBegun, user.MergeMoved, user.MergeUndoing, user.MergeReturned:
	}
	return o.write(ctx, e, func() ([]Message, error) {
		var ms []Message
		for _, u := range told {
			m, err := message(fmt.Sprintf("merge/%d/%d/user%d", c.ID, c.Rev, u), u, MergeNews, c)
			if err != nil {
				return nil, err
			}
			ms = append(ms, m)
		}
		return ms, nil
	})
}
