package notify_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/withdraw"
)

// change is a change of one line of user 42.
func change(seq int64, with func(c *credit.Change)) credit.Change {
	c := credit.Change{
		Key: order.Key{Network: "jd", Account: "main", ID: "1"}, Seq: seq, User: 42, Order: "n1", Title: "水壶",
		State: order.Paid, Stage: rebate.Pending, Was: rebate.Pending, Before: 100, Now: 100,
	}
	with(&c)
	return c
}

func TestWhatAUserIsToldOfAnOrder(t *testing.T) {
	t.Parallel()
	due := start.AddDate(0, 0, 7)
	tests := []struct {
		name string
		with func(c *credit.Change)
		want notify.Kind // "" for nothing
	}{
		{"an order arrives", func(c *credit.Change) { c.Before, c.Was = 0, rebate.Nothing }, notify.OrderSeen},
		{"one that was received before we saw it", func(c *credit.Change) { c.Before, c.Was, c.State = 0, rebate.Nothing, order.Received }, notify.OrderSeen},
		{"one that was settled before we saw it", func(c *credit.Change) {
			c.Before, c.Was, c.State, c.Due = 0, rebate.Nothing, order.Settled, due
		}, notify.OrderSeen},
		{"one whose money is there at once", func(c *credit.Change) {
			c.Before, c.Was, c.State, c.Stage = 0, rebate.Nothing, order.Settled, rebate.Available
		}, notify.RebateReady},
		{"one that brings nothing", func(c *credit.Change) { c.Before, c.Now, c.Was, c.Stage = 0, 0, rebate.Nothing, rebate.Nothing }, ""},
		{"the sum grows", func(c *credit.Change) { c.Now = 120 }, notify.RebateChanged},
		{"the sum shrinks", func(c *credit.Change) { c.Now = 80 }, notify.RebateChanged},
		{"it shrinks where it was available", func(c *credit.Change) {
			c.Now, c.Stage, c.Was, c.State = 80, rebate.Available, rebate.Available, order.Settled
		}, notify.RebateChanged},
		{"it shrinks when the network settles", func(c *credit.Change) { c.Now, c.State, c.Due = 80, order.Settled, due }, notify.RebateChanged},
		{"the network settles", func(c *credit.Change) { c.State, c.Due = order.Settled, due }, notify.RebateSettled},
		{"the goods are received", func(c *credit.Change) { c.State, c.Expect = order.Received, due }, notify.Received},
		{"the money is there", func(c *credit.Change) { c.Stage, c.State = rebate.Available, order.Settled }, notify.RebateReady},
		{"the money is there, and more than was said", func(c *credit.Change) { c.Now, c.Stage, c.State = 120, rebate.Available, order.Settled }, notify.RebateReady},
		{"the goods go back", func(c *credit.Change) { c.Now, c.Stage, c.State = 0, rebate.Nothing, order.Invalid }, notify.RebateRevoked},
		{"the goods go back when the money was there", func(c *credit.Change) {
			c.Now, c.Stage, c.Was, c.State = 0, rebate.Nothing, rebate.Available, order.Invalid
		}, notify.RebateRevoked},
		{"the goods go back after it was paid out", func(c *credit.Change) {
			c.Now, c.Stage, c.Was, c.State, c.Debt = 0, rebate.Nothing, rebate.Available, order.Invalid, 100
		}, notify.RebateClawed},
		{"a part goes back after it was paid out", func(c *credit.Change) {
			c.Now, c.Stage, c.Was, c.State, c.Debt = 60, rebate.Available, rebate.Available, order.Settled, 40
		}, notify.RebateClawed},
		{"a debt is paid from what comes in", func(c *credit.Change) { c.Stage, c.State, c.Repaid = rebate.Available, order.Settled, 40 }, notify.RebateReady},
		{"nothing that concerns them", func(*credit.Change) {}, ""},
		{"nothing where it was available", func(c *credit.Change) { c.Stage, c.Was, c.State = rebate.Available, rebate.Available, order.Settled }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			o.hear("ledger/1", event.LedgerPosted, credit.Posted{Changes: []credit.Change{change(3, tt.with)}}, o.LedgerPosted)
			switch {
			case tt.want == "" && len(o.tray.all) != 0:
				t.Errorf("they are told %+v", o.tray.all)
			case tt.want == "":
			case len(o.tray.all) != 1 || o.tray.all[0].Kind != tt.want || o.tray.all[0].User != 42:
				t.Errorf("they are told %+v, want %s", o.tray.all, tt.want)
			}
		})
	}
}

func TestAMessageSaysWhatHappened(t *testing.T) {
	t.Parallel()
	o := open(t)
	seen := change(1, func(c *credit.Change) { c.Before, c.Was = 0, rebate.Nothing })
	o.hear("ledger/1", event.LedgerPosted, credit.Posted{Changes: []credit.Change{seen}}, o.LedgerPosted)
	want := notify.Message{
		ID: 1, Key: "rebate/jd/main/1/seq1", User: 42, Kind: notify.OrderSeen, At: start, State: notify.Waiting,
		Data: []byte(`{"key":{"network":"jd","account":"main","id":"1"},"seq":1,"user":42,"order":"n1","title":"水壶","state":"paid","stage":"pending","before":0,"now":100,"was":"nothing"}`),
	}
	if len(o.tray.all) != 1 || fmt.Sprintf("%+v", o.tray.all[0]) != fmt.Sprintf("%+v", want) {
		t.Errorf("got\n%+v, want\n%+v", o.tray.all, want)
	}
}

func TestABatchIsOneMessageForEachThingWorthSaying(t *testing.T) {
	t.Parallel()
	o := open(t)
	var cs []credit.Change
	for i := range 10 {
		cs = append(cs, change(int64(i+1), func(c *credit.Change) {
			c.Key.ID, c.User = fmt.Sprint(i), int64(i%3+1)
			if i%2 == 0 {
				c.Before = 0
			}
		}))
	}
	o.hear("ledger/1", event.LedgerPosted, credit.Posted{Changes: cs}, o.LedgerPosted)
	if len(o.tray.all) != 5 {
		t.Fatalf("%d messages", len(o.tray.all))
	}
	o.hear("ledger/2", event.LedgerPosted, credit.Posted{Changes: cs}, o.LedgerPosted) // other news of the same changes
	if len(o.tray.all) != 5 {
		t.Errorf("the same is said again: %d messages", len(o.tray.all))
	}
}

func TestWhatAUserIsToldOfAWithdrawal(t *testing.T) {
	t.Parallel()
	told := map[withdraw.State]bool{withdraw.Paid: true, withdraw.Failed: true, withdraw.Refused: true, withdraw.Unknown: true}
	for _, s := range []withdraw.State{
		withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Sending, withdraw.Unknown,
		withdraw.Paid, withdraw.Failed, withdraw.Refused, withdraw.Cancelled,
	} {
		o := open(t)
		c := withdraw.Changed{ID: 7, User: 42, Amount: 600, State: s, Was: withdraw.Sending, Reason: "r", Payee: "138****0000 (*三)"}
		id := fmt.Sprintf("withdrawal/7/3-%s", s)
		o.hear(id, event.WithdrawalChanged, c, o.WithdrawalChanged)
		if (len(o.tray.all) == 1) != told[s] {
			t.Errorf("%s: %d messages", s, len(o.tray.all))
		}
		if told[s] {
			m := o.tray.all[0]
			want := fmt.Sprintf(`{"id":7,"user":42,"amount":600,"state":%q,"was":"sending","reason":"r","payee":"138****0000 (*三)"}`, s)
			if m.Key != id || m.Kind != notify.WithdrawalNews || m.User != 42 || string(m.Data) != want {
				t.Errorf("%s: %+v with %s", s, m, m.Data)
			}
		}
	}
}

// TestWhatAUserIsToldOfAnAutomaticWithdrawal: that it was asked for, too, but not
// each step on its way.
func TestWhatAUserIsToldOfAnAutomaticWithdrawal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		state, was withdraw.State
		auto       bool
		want       int
	}{
		{withdraw.Approved, "", true, 1}, {withdraw.Reviewing, "", true, 1}, {withdraw.Requested, "", true, 1},
		{withdraw.Approved, "", false, 0}, {withdraw.Reviewing, "", false, 0}, {withdraw.Requested, "", false, 0},
		{withdraw.Approved, withdraw.Reviewing, true, 0}, {withdraw.Sending, withdraw.Approved, true, 0},
		{withdraw.Paid, withdraw.Sending, true, 1}, {withdraw.Cancelled, withdraw.Approved, true, 0},
	} {
		o := open(t)
		o.hear("withdrawal/7/1", event.WithdrawalChanged, withdraw.Changed{ID: 7, User: 42, State: tt.state, Was: tt.was, Auto: tt.auto}, o.WithdrawalChanged)
		if len(o.tray.all) != tt.want {
			t.Errorf("%+v: %d messages", tt, len(o.tray.all))
		}
	}
}

func TestAnAutopayThatIsHeldIsToldOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	for range 2 {
		o.hear("autopay/42/2", event.AutopayHeld, withdraw.Held{User: 42, Threshold: 1000, Reason: "withdraw.no_payee"}, o.AutopayHeld)
	}
	if len(o.tray.all) != 1 || o.tray.all[0].User != 42 || o.tray.all[0].Kind != notify.AutopayNews ||
		string(o.tray.all[0].Data) != `{"user":42,"threshold":1000,"reason":"withdraw.no_payee"}` {
		t.Errorf("they are told %+v", o.tray.all)
	}
}

func TestABonusIsToldOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	for range 2 {
		o.hear("bonus/invitation/43/inviter", event.BonusGiven, credit.Given{User: 42, Kind: ledger.Invite, Amount: 500, Name: "inviter"}, o.BonusGiven)
	}
	if len(o.tray.all) != 1 || o.tray.all[0].User != 42 || o.tray.all[0].Kind != notify.BonusNews ||
		string(o.tray.all[0].Data) != `{"user":42,"kind":"invite","amount":500,"name":"inviter"}` {
		t.Errorf("they are told %+v", o.tray.all)
	}
}

func TestWhatCannotBeHeardIsHeardAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	for name, handle := range map[string]event.Handler{"ledger.posted": o.LedgerPosted, "withdrawal.changed": o.WithdrawalChanged, "autopay.held": o.AutopayHeld, "bonus.given": o.BonusGiven} {
		if err := handle(t.Context(), event.Event{ID: "x", Data: []byte("{")}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s that cannot be read: %v", name, err)
		}
	}
	o.tray.down = fault.New(fault.Unavailable, "db.busy")
	e, err := event.New("ledger/1", event.LedgerPosted, start, credit.Posted{Changes: []credit.Change{change(1, func(c *credit.Change) { c.Now = 5 })}})
	must(t, err)
	if err := o.LedgerPosted(t.Context(), e); !fault.Is(err, fault.Unavailable) || len(o.tray.all)+len(o.tray.handled) != 0 {
		t.Errorf("got %v, %d messages", err, len(o.tray.all))
	}
	o.tray.down = nil
	must(t, o.LedgerPosted(t.Context(), e))
	if len(o.tray.all) != 1 {
		t.Errorf("%d messages", len(o.tray.all))
	}
}

func TestAMessageBearsTheTimeOfItsWriting(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.at = start.Add(time.Hour)
	o.hear("ledger/1", event.LedgerPosted, credit.Posted{Changes: []credit.Change{change(1, func(c *credit.Change) { c.Now = 5 })}}, o.LedgerPosted)
	if !o.tray.all[0].At.Equal(o.at) {
		t.Errorf("it was written at %s", o.tray.all[0].At)
	}
}
