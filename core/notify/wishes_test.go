package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/notify"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// wishes are what people want.
type wishes struct {
	of   map[int64]user.Notices
	down error
}

func (w *wishes) Notices(_ context.Context, id int64) (user.Notices, error) { return w.of[id], w.down }

// quietOffice is one where 1 has quiet hours from 22 to 8. It is 23 o'clock there.
func quietOffice(t *testing.T) (*office, *wishes, map[string]int) {
	o, w, counts := open(t), &wishes{of: map[int64]user.Notices{1: {Quiet: user.Quiet{From: 22 * 60, To: 8 * 60}}}}, map[string]int{}
	o.Wishes, o.Zone = w, time.FixedZone("UTC+8", 8*60*60)
	o.Count = func(why string) { counts[why]++ }
	o.at = time.Date(2026, 1, 15, 23, 0, 0, 0, o.Zone)
	return o, w, counts
}

func (o *office) wantSent(what, want string) {
	o.t.Helper()
	if got := fmt.Sprint(o.sent); got != want {
		o.t.Errorf("%s: told are %s, want %s", what, got, want)
	}
}

// withdrawal is news of a withdrawal of user 1 in a state.
func (o *office) withdrawal(id int64, rev int, s withdraw.State) {
	o.t.Helper()
	c := withdraw.Changed{ID: id, User: 1, State: s, Auto: true}
	o.hear(fmt.Sprintf("withdrawal/%d/%d-%s", id, rev, s), event.WithdrawalChanged, c, o.WithdrawalChanged)
}

// TestQuietHoursHoldInOrder what is not urgent, through them and through being down.
func TestQuietHoursHoldInOrder(t *testing.T) {
	t.Parallel()
	o, _, counts := quietOffice(t)
	o.write(1, "a1", "a2")
	o.write(2, "b1")
	o.deliver(1)
	o.wantSent("at 23:00", "[b1]")
	o.withdrawal(7, 3, withdraw.Failed)
	o.write(1, "a3")
	o.deliver(1)
	o.deliver(0)
	o.wantSent("what failed is told at once", "[b1 withdrawal/7/3-failed]")
	for range 40 {
		o.at = o.at.Add(15*time.Minute - 20*time.Second) // looked at again and again
		if o.at.Hour() < 8 || o.at.Hour() > 20 {
			o.deliver(0)
		}
	}
	o.sent = nil
	o.at = time.Date(2026, 1, 16, 8, 0, 4, 0, o.Zone)
	o.deliver(0)
	o.at = o.at.Add(time.Second)
	o.deliverAll()
	o.wantSent("after their end", "[a1 a2 a3]")
	if counts[notify.WasHeld] != 1 || o.tray.all[0].Tries != 1 {
		t.Errorf("counted are %v; %+v", counts, o.tray.all[0])
	}
}

// TestWhoEndsQuietHoursIsToldSoon of what was held, before what is new.
func TestWhoEndsQuietHoursIsToldSoon(t *testing.T) {
	t.Parallel()
	o, w, _ := quietOffice(t)
	o.write(1, "a1")
	o.deliver(0)
	delete(w.of, 1)
	o.write(1, "a2")
	o.at = o.at.Add(14 * time.Minute)
	o.deliver(0)
	o.at = o.at.Add(time.Minute)
	o.deliverAll()
	o.wantSent("a quarter of an hour later", "[a1 a2]")
}

// TestOffIsDroppedAndSaysSo, from the moment in which it is said, and only what can be.
func TestOffIsDroppedAndSaysSo(t *testing.T) {
	t.Parallel()
	o, w, counts := quietOffice(t)
	o.write(1, "a1", "a2")
	o.deliver(0) // held
	w.of[1] = user.Notices{Off: user.Topics()}
	o.withdrawal(7, 2, withdraw.Refused)
	o.withdrawal(8, 2, withdraw.Paid)
	o.at = o.at.Add(15 * time.Minute)
	o.deliverAll()
	o.wantSent("with all off", "[withdrawal/7/2-refused]")
	for i, m := range o.tray.all {
		if want := m.Key != "withdrawal/7/2-refused"; (m.State == notify.GivenUp && o.tray.why[int64(i+1)] == notify.Off && m.Tries == 0) != want {
			t.Errorf("%s is %s, why: %q", m.Key, m.State, o.tray.why[int64(i+1)])
		}
	}
	if counts[notify.Off] != 3 {
		t.Errorf("counted are %v", counts)
	}
	w.down = errors.New("nobody knows")
	o.write(1, "a3")
	o.withdrawal(9, 2, withdraw.Confirming)
	o.deliver(0)
	if m := o.tray.all[4]; m.State != notify.Waiting || m.Tries != 1 {
		t.Errorf("while nobody knows what they want: %+v", m)
	}
}

// TestHeldNewsThatWasOvertakenIsNotTold: what failed at night did not succeed in the morning.
func TestHeldNewsThatWasOvertakenIsNotTold(t *testing.T) {
	t.Parallel()
	o, _, counts := quietOffice(t)
	o.withdrawal(7, 3, withdraw.Approved)
	o.withdrawal(8, 3, withdraw.Approved)
	o.deliver(0)
	o.withdrawal(7, 4, withdraw.Failed)
	o.deliver(1)
	o.at = o.at.Add(10 * time.Hour)
	o.deliverAll()
	o.wantSent("in the morning", "[withdrawal/7/4-failed withdrawal/8/3-approved]")
	if counts[notify.Overtaken] != 1 {
		t.Errorf("counted are %v", counts)
	}
}

// TestAFailureIsNotOvertaken: only what is held lets something urgent by.
func TestAFailureIsNotOvertaken(t *testing.T) {
	t.Parallel()
	o, w, _ := quietOffice(t)
	o.write(1, "a1")
	o.deliver(0)
	o.withdrawal(7, 3, withdraw.Failed)
	delete(w.of, 1)
	o.at = o.at.Add(15 * time.Minute)
	o.fails[1] = errors.New("down")
	o.deliver(0)
	if m := o.tray.all[1]; m.Tries != 0 {
		t.Errorf("behind one that failed: %+v", m)
	}
	delete(o.fails, 1)
	o.at = o.at.Add(4 * time.Second)
	o.deliverAll()
	o.wantSent("then", "[a1 withdrawal/7/3-failed]")
}

// TestTopics: what people may turn off, and what not.
func TestTopics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind notify.Kind
		data any
		want user.Topic
	}{
		{notify.OrderSeen, credit.Change{}, user.TopicOrders}, {notify.RebateReady, credit.Change{}, user.TopicOrders},
		{notify.RebateRevoked, credit.Change{}, user.TopicOrders}, {notify.RebateClawed, credit.Change{}, ""},
		{notify.WithdrawalNews, withdraw.Changed{State: withdraw.Paid}, user.TopicMoney}, {notify.WithdrawalNews, withdraw.Changed{State: withdraw.Failed}, ""},
		{notify.WithdrawalNews, withdraw.Changed{State: withdraw.Confirming}, ""}, {notify.WithdrawalNews, "odd", ""}, {notify.AutopayNews, nil, user.TopicMoney},
		{notify.CutNews, notify.Cuts{Given: 1}, user.TopicFriends}, {notify.CutNews, notify.Cuts{Debt: 1}, ""}, {notify.BonusNews, nil, user.TopicFriends},
		{notify.ClaimNews, nil, user.TopicClaims}, {notify.MembershipNews, nil, user.TopicMember}, {notify.ChargeNews, nil, ""}, {notify.MergeNews, nil, ""}, {notify.PayeeNews, nil, ""},
		{"of another version", nil, ""},
	} {
		data, err := json.Marshal(c.data)
		must(t, err)
		if got := (notify.Message{Kind: c.kind, Data: data}).Topic(); got != c.want {
			t.Errorf("%s with %s is about %q, want %q", c.kind, data, got, c.want)
		}
	}
}
