package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/configs"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/logtest"
	"fanli/core/market"
	"fanli/core/post"
	"fanli/core/user"
)

// A postman delivers what it is given, unless it is told to stay away.
type postman struct {
	stays time.Duration
	told  []string
}

func (*postman) Name() string { return "postman" }

func (p *postman) Carry(ctx context.Context, parcel mail.Parcel, progress *mail.Progress) error {
	if p.stays > 0 {
		return fault.After(fault.New(fault.Limited, "busy"), p.stays)
	}
	return progress.Do(ctx, 0, func(context.Context, bool) (string, error) {
		p.told = append(p.told, parcel.Reply.Text)
		return "", nil
	})
}

// TestASandboxThatIsMovedOnLosesNoMail: its days are nobody else's. What waits because a
// platform was busy is neither too old nor swept away, nor tried earlier than the
// platform has said.
func TestASandboxThatIsMovedOnLosesNoMail(t *testing.T) {
	t.Parallel()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	moved := time.Duration(0)
	now := func() time.Time { return time.Now().Add(moved) }
	a, err := newApp(t.Context(), cfg, surroundings{
		log: logtest.New(nil), now: now, holder: "test", path: filepath.Join(memoryDir(t), "fanli.db"),
		stands: &stands{networks: []link.Network{linktest.NewMemory(link.JD, market.New(now, littleFee, 1), now)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	p := &postman{}
	a.mail.Register(p)
	carry := func(want ...string) {
		t.Helper()
		if _, err := a.mail.Step(t.Context(), post.Out, p.Name(), mail.Service{}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.told, want) {
			t.Errorf("told %q, want %q", p.told, want)
		}
	}
	tell := func(chat, text string, stays time.Duration) {
		t.Helper()
		p.stays = stays
		to := user.Identity{Channel: p.Name(), External: chat}
		if err := a.mail.Post(t.Context(), mail.Parcel{Key: text, Channel: p.Name(), Chat: chat, To: to, Reply: bot.Reply{Text: text}}); err != nil {
			t.Fatal(err)
		}
	}
	tell("bob", "later", time.Hour)
	carry()
	tell("ann", "soon", time.Nanosecond)
	carry()
	moved = 60 * 24 * time.Hour
	if n, err := a.sweepMail(t.Context()); n != 0 || err != nil {
		t.Errorf("%d parcels are swept away: %v", n, err)
	}
	p.stays = 0
	carry("soon")
	moved = 0
	depths, err := a.db.PostOffice().Depths(t.Context())
	if err != nil || len(depths) != 1 || depths[0].Waiting != 1 || depths[0].Dead != 0 {
		t.Errorf("there waits %+v, %v; want one parcel, and none given up", depths, err)
	}
}
