package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/notify"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A line is a channel that says what it was told to say.
type line struct {
	name string
	err  error
	got  []user.Identity
}

func (l *line) Name() string { return l.name }

func (l *line) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return nil }

func (l *line) Send(_ context.Context, to user.Identity, _ bot.Reply) error {
	l.got = append(l.got, to)
	return l.err
}

// somewhere is a person with identities on three channels, the latest first.
type somewhere struct{ bot.Users }

func (somewhere) User(context.Context, int64) (user.User, error) {
	return user.User{ID: 1, Locale: "en"}, nil
}

func (somewhere) Identities(context.Context, int64) ([]user.Identity, error) {
	return []user.Identity{{Channel: "one", External: "a"}, {Channel: "two", External: "b"}, {Channel: "gone", External: "c"}}, nil
}

func ready(t *testing.T) notify.Message {
	t.Helper()
	b, err := json.Marshal(credit.Change{Title: "Kettle", Now: 280})
	if err != nil {
		t.Fatal(err)
	}
	return notify.Message{User: 1, Kind: notify.RebateReady, Data: b}
}

func TestDeliverer(t *testing.T) {
	t.Parallel()
	unreachable := fault.New(fault.NotFound, "")
	slow := fault.New(fault.Limited, "")
	tests := []struct {
		name     string
		one, two error
		code     fault.Code // "" for delivered
		tried    int
	}{
		{"TheLatestChannelIsTriedFirst", nil, nil, "", 1},
		{"WhoCannotBeReachedThereIsTriedOnTheOneBefore", unreachable, nil, "", 2},
		{"ASlowChannelIsNotPassedOver", slow, nil, fault.Limited, 1},
		{"TheOneBeforeMayBeSlowToo", unreachable, errors.New("reset"), fault.Internal, 2},
		{"NobodyLeftIsNotFound", unreachable, unreachable, fault.NotFound, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := bottest.New(t)
			f.Bot.Users = somewhere{f.Bot.Users}
			one, two := &line{name: "one", err: tt.one}, &line{name: "two", err: tt.two}
			d := &bot.Deliverer{Bot: f.Bot, Channels: []bot.Channel{two, one}, Timeout: time.Minute}
			if got := fault.CodeOf(d.Send(t.Context(), ready(t))); got != tt.code {
				t.Errorf("got %q, want %q", got, tt.code)
			}
			if got := len(one.got) + len(two.got); got != tt.tried {
				t.Errorf("%d channels were tried, want %d", got, tt.tried)
			}
			if len(one.got) != 1 || one.got[0].External != "a" {
				t.Errorf("the latest channel was asked for %v", one.got)
			}
		})
	}
}

// A diary is a channel that keeps what it has told.
type diary struct {
	line
	keys []string
}

func (d *diary) SendOnce(_ context.Context, to user.Identity, key string, _ bot.Reply) error {
	d.keys = append(d.keys, key+" to "+to.External)
	return d.err
}

// TestANoticeKeepsItsKey on a channel that keeps what it has told: nobody else knows
// whether it was told, when whoever had it told has died.
func TestANoticeKeepsItsKey(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Users = somewhere{f.Bot.Users}
	one := &diary{line: line{name: "one"}}
	two := &diary{line: line{name: "two"}}
	d := &bot.Deliverer{Bot: f.Bot, Channels: []bot.Channel{one, two}, Timeout: time.Minute}
	m := ready(t)
	m.Key = "rebate/7"
	if err := d.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(user.MergeChanged{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Send(t.Context(), notify.Message{Key: "merge/1", User: 1, Kind: notify.MergeNews, Data: b}); err != nil {
		t.Fatal(err)
	}
	got := append(one.keys, two.keys...)
	if want := []string{"rebate/7 to a", "merge/1 to a", "merge/1 to b"}; !slices.Equal(got, want) || len(one.got)+len(two.got) != 0 {
		t.Errorf("told once %q, and otherwise %v, want once %q", got, append(one.got, two.got...), want)
	}
}

// TestWhoTalksThroughAProgramHasNoChannel: only if nothing else is known of them.
func TestWhoTalksThroughAProgramHasNoChannel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ channels, want string }{
		{"api/shop", notify.NoChannel}, {"oidc/app", notify.NoChannel}, {"api/shop oidc/app", notify.NoChannel}, {"api/shop telegram", ""}, {"telegram", ""}, {"apis", ""}, {"", ""},
	} {
		f := bottest.New(t)
		f.Bot.Users = known{f.Bot.Users, tt.channels}
		d := &bot.Deliverer{Bot: f.Bot, Timeout: time.Minute}
		if err := d.Send(t.Context(), ready(t)); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != tt.want {
			t.Errorf("%q: %v, reason %q, want %q", tt.channels, err, fault.ReasonOf(err), tt.want)
		}
	}
}

// known are people who are on some channels, which are no longer there.
type known struct {
	bot.Users
	channels string
}

func (known) User(context.Context, int64) (user.User, error) { return user.User{Locale: "zh"}, nil }

func (k known) Identities(context.Context, int64) (all []user.Identity, err error) {
	for _, c := range strings.Fields(k.channels) {
		all = append(all, user.Identity{Channel: c, External: "a"})
	}
	return all, nil
}

// box is an outbox that takes one channel.
type box struct {
	channel string
	got     []bot.Notice
}

func (b *box) Takes(channel string) bool { return channel == b.channel }

func (b *box) Notice(_ context.Context, n bot.Notice) error {
	b.got = append(b.got, n)
	return nil
}

// TestAnOutboxTakesNotices: what it took counts as told, and it asks where to go with
// what it cannot deliver.
func TestAnOutboxTakesNotices(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Users = somewhere{f.Bot.Users}
	one, two := &line{name: "one", err: fault.New(fault.NotFound, "x")}, &line{name: "two"}
	b := &box{channel: "one"}
	d := &bot.Deliverer{Bot: f.Bot, Channels: []bot.Channel{two, one}, Outbox: b}
	m := ready(t)
	m.Key = "rebate/jd/1/seq3"
	if err := d.Send(t.Context(), m); err != nil || len(b.got) != 1 || len(one.got)+len(two.got) != 0 {
		t.Fatalf("%v; the outbox has %+v", err, b.got)
	}
	n := b.got[0]
	if n.Key != m.Key || n.User != m.User || n.To.Channel != "one" || n.Reply.Text == "" || len(n.Tried) != 0 {
		t.Errorf("it has %+v", n)
	}
	next, err := d.Elsewhere(t.Context(), n)
	if err != nil || next != nil || len(two.got) != 1 || len(one.got) != 0 {
		t.Errorf("the other channel: %+v, %v", next, err)
	}
	b.channel = "two"
	next, err = d.Elsewhere(t.Context(), n)
	if err != nil || next == nil || next.To.Channel != "two" || len(next.Tried) != 1 || next.Tried[0] != n.To {
		t.Fatalf("the other channel in the outbox: %+v, %v", next, err)
	}
	if next, err = d.Elsewhere(t.Context(), *next); next != nil || !fault.Is(err, fault.NotFound) {
		t.Errorf("nothing is left: %+v, %v", next, err)
	}
	if err := d.Send(t.Context(), m); err != nil || len(b.got) != 2 || b.got[1].To.Channel != "two" || len(b.got[1].Tried) != 1 {
		t.Errorf("a channel that cannot reach them comes before: %v, %+v", err, b.got)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Users = somewhere{f.Bot.Users}
	t.Run("EveryKindHasWords", func(t *testing.T) {
		t.Parallel()
		for _, k := range constants(t, "../core/notify", "Kind") {
			var data any = credit.Change{Title: "Kettle", Order: "312000000001", Before: 1, Now: 2, Debt: 3, Repaid: 4, Due: time.Unix(0, 0), Expect: time.Unix(0, 0)}
			if notify.Kind(k) == notify.WithdrawalNews {
				data = withdraw.Changed{ID: 7, Amount: 2000, State: withdraw.Failed, Reason: "payout.no_such_account", Payee: "138****0000 (*三)"}
			}
			b, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			r, err := f.Bot.Render(t.Context(), notify.Message{User: 1, Kind: notify.Kind(k), Data: b})
			if err != nil || r.Text == "" {
				t.Errorf("%s: %q, %v", k, r.Text, err)
			}
			bottest.Check(t, r)
		}
	})
	t.Run("AnUnknownKindIsInvalid", func(t *testing.T) {
		t.Parallel()
		_, err := f.Bot.Render(t.Context(), notify.Message{User: 1, Kind: "moon.risen", Data: []byte("{}")})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("UnreadableDataIsInvalid", func(t *testing.T) {
		t.Parallel()
		for _, k := range []notify.Kind{notify.OrderSeen, notify.WithdrawalNews} {
			_, err := f.Bot.Render(t.Context(), notify.Message{User: 1, Kind: k, Data: []byte("[")})
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v", k, err)
			}
		}
	})
}
