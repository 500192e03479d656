package mailtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/fault"
	"fanli/core/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Posts(t, func(*testing.T) storetest.PostStore { return &mailtest.Store{} })
}

// honest is a carrier as it should be; each line of a reply's cards is a message.
type honest struct {
	shown   []string
	trouble mailtest.Trouble
	after   int
}

func (*honest) Name() string { return "c" }

func (h *honest) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	for i := range 1 + len(p.Reply.Cards) {
		err := progress.Do(ctx, i, func(ctx context.Context, _ bool) (string, error) {
			if h.after--; ctx.Err() != nil {
				return "", fault.Wrap(fault.Unavailable, "", ctx.Err())
			}
			if err := h.refuse(); err != nil {
				return "", err
			}
			h.shown = append(h.shown, fmt.Sprint(p.Reply.Text, i))
			return "", nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *honest) refuse() error {
	if h.after >= 0 {
		return nil
	}
	switch h.trouble {
	case mailtest.Busy:
		return fault.After(fault.New(fault.Limited, ""), time.Minute)
	case mailtest.Down:
		return fault.New(fault.Unavailable, "")
	case mailtest.Blocked:
		return fault.New(fault.NotFound, "")
	default:
		return nil
	}
}

func TestCarrier(t *testing.T) {
	t.Parallel()
	mailtest.Carrier(t, func(*testing.T) mailtest.Subject {
		h := &honest{}
		return mailtest.Subject{
			Carrier: h, Address: mail.Parcel{Channel: "c", Chat: "a"}, Long: bot.Reply{Text: "x", Cards: make([]bot.Card, 2)},
			Read:    func() []string { return h.shown },
			Trouble: func(what mailtest.Trouble, after int) { h.trouble, h.after = what, after },
		}
	})
}
