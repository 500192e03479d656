package bot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/fault"
	"fanli/core/link"
)

// one is a link that waits, as it is read again and again.
type one struct {
	w    link.Waiting
	done int
}

func (o *one) Wait(context.Context, link.Waiting, int, int) (bool, error) { return false, nil }

func (o *one) Due(context.Context, time.Time, int) ([]link.Waiting, error) {
	return []link.Waiting{o.w}, nil
}

func (o *one) PutOff(context.Context, int64, time.Time) error { return nil }

func (o *one) Done(context.Context, int64) error {
	o.done++
	return nil
}

// noOffers is a link service whose networks are away.
type noOffers struct{ bot.Links }

func (noOffers) Make(context.Context, int64, link.Ref) (link.Link, error) {
	return link.Link{}, fault.New(fault.Unavailable, "")
}

// TestWhatWaitedIsToldThroughTheOutbox under one key, however often it is found again,
// which is not that of another one with the same number later.
func TestWhatWaitedIsToldThroughTheOutbox(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Users, f.Bot.Links = somewhere{f.Bot.Users}, noOffers{f.Bot.Links}
	at := f.Bot.Now().Add(-time.Hour)
	list := &one{w: link.Waiting{ID: 3, User: 1, Channel: "one", External: "a", Chat: "a", Ref: link.Ref{Network: link.JD, Kind: link.Item, ID: "1"}, At: at, Until: at.Add(time.Minute)}}
	f.Bot.Waiting = list
	quiet, b := &line{name: "one"}, &box{channel: "one"}
	d := &bot.Deliverer{Bot: f.Bot, Channels: []bot.Channel{quiet}, Outbox: b}
	for range 2 {
		if n, err := d.AnswerWaiting(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	list.w.At = at.Add(time.Second)
	if _, err := d.AnswerWaiting(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.got) != 3 || len(quiet.got) != 0 || list.done != 3 {
		t.Fatalf("the outbox has %d, the channel %d", len(b.got), len(quiet.got))
	}
	n := b.got[0]
	if n.Key != fmt.Sprintf("waiting/3/%d", at.UnixMilli()) || n.Key != b.got[1].Key || n.Key == b.got[2].Key || n.User != 1 || n.To.External != "a" || n.Reply.Text == "" {
		t.Errorf("it has %+v", b.got)
	}
}
