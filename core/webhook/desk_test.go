package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/audit"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/webhook"
	"fanli/core/withdraw"
)

func withdrawal(id, user int64) withdraw.Changed {
	return withdraw.Changed{ID: id, User: user, Amount: 1230, State: withdraw.Paid, Was: withdraw.Sending, Payee: "138****0000"}
}

func TestAnEventIsDeliveredOnceSigned(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	for range 2 {
		w.hear("withdrawal/1/paid", event.WithdrawalChanged, withdrawal(1, 7))
	}
	w.deliver(1)
	w.deliver(0)
	if len(w.posts) != 1 || w.wakes == 0 {
		t.Fatalf("%d posts, %d wakes", len(w.posts), w.wakes)
	}
	p := w.posts[0]
	if p.URL != "https://a.example/in" || !strings.HasPrefix(p.ID, "msg_") || strings.Contains(p.ID, "withdrawal") {
		t.Errorf("posted %+v", p)
	}
	must(t, webhook.Verify(h.Secret, p.ID, p.Timestamp, p.Signature, p.Body, start))
	v := w.newest(h.ID)
	if v.Stage != webhook.Delivered || v.Tries != 1 || v.Message != p.ID {
		t.Errorf("%+v", v)
	}
	tries, err := w.Tries(t.Context(), v.ID, 9)
	must(t, err)
	if len(tries) != 1 || tries[0].Status != 200 || tries[0].Reason != "" {
		t.Errorf("%+v", tries)
	}
}

func TestWhereNobodyListensNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.memory.down = errors.New("somebody writes")
	w.hear("a", event.WithdrawalChanged, withdrawal(1, 7))
	w.memory.down = nil
	h, err := w.Add(t.Context(), webhook.Hook{Name: "a", URL: "https://a.example", Events: []event.Name{event.ClaimChanged}}, webhook.Staff{By: "cli"})
	must(t, err)
	w.hear("b", event.WithdrawalChanged, withdrawal(1, 7))
	w.hear("c", event.BonusGiven, credit.Given{User: 7})
	if log, _ := w.Log(t.Context(), h.ID, 9); len(log) != 0 {
		t.Errorf("%+v", log)
	}
	if err := w.Hear(t.Context(), event.Event{ID: "x", Name: event.ClaimChanged, Data: []byte("{")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("what cannot be read: %v", err)
	}
}

func TestAClientHearsOfItsUsersOnly(t *testing.T) {
	t.Parallel()
	w := open(t)
	shop, other, all := w.add("shop", "shop"), w.add("other", "other"), w.add("all", "")
	w.join("shop", 1, 3)
	w.join("other", 2)
	w.hear("order/1", event.OrderChanged, order.Changed{Lines: []order.ChangedLine{
		{Line: 10, Rev: 2, Key: order.Key{Network: "jd", Account: "main", ID: "l1"}, Order: "n1", Title: "秘密", Shop: "秘密", Item: "秘密", Category: "秘密", User: 1, State: order.Paid, Price: 5000, Commission: 777},
		{Line: 11, Rev: 1, Order: "n2", User: 2, State: order.Invalid, Why: "order.cancelled"},
		{Line: 12, Rev: 1, Order: "n3", User: 4, State: order.Paid, Why: "说的话"},
		{Line: 13, Rev: 1, Order: "n4", State: order.Paid},
	}})
	w.hear("order/2", event.OrderChanged, order.Changed{Lines: []order.ChangedLine{{Line: 14, Order: "n5", User: 2}}})
	want := map[int64]string{
		shop.ID:  "[10 1 shop-1]",
		other.ID: "[11 2 other-2][14 2 other-2]",
		all.ID:   "[10 1 <nil>][11 2 <nil>][12 4 <nil>][14 2 <nil>]",
	}
	for id, want := range want {
		log, err := w.Log(t.Context(), id, 9)
		must(t, err)
		got := ""
		for _, v := range slices.Backward(log) {
			for _, i := range read(t, v.Body).Data.Items {
				got += fmt.Sprint("[", i["id"], " ", i["user"], " ", i["external_id"], "]")
			}
			for _, secret := range []string{"秘密", "777", "说的话", "main"} {
				if strings.Contains(string(v.Body), secret) {
					t.Errorf("%s is told in %s", secret, v.Body)
				}
			}
		}
		if got != want {
			t.Errorf("hook %d hears of %s, want %s", id, got, want)
		}
	}
}

func TestRebatesAreToldWhenTheirMoneyMoves(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	change := func(seq int64, before, now money.Fen, was, stage rebate.Stage) credit.Change {
		return credit.Change{Key: order.Key{Network: "jd", ID: "l"}, Seq: seq, User: 7, Order: "n", Title: "秘密", Before: before, Now: now, Was: was, Stage: stage}
	}
	w.hear("ledger/1", event.LedgerPosted, credit.Posted{Changes: []credit.Change{
		change(1, 0, 100, rebate.Nothing, rebate.Pending), change(2, 100, 100, rebate.Pending, rebate.Pending), change(3, 100, 100, rebate.Pending, rebate.Available),
	}, Cuts: []credit.CutChange{{User: 8, Now: 5}}})
	w.hear("ledger/2", event.LedgerPosted, credit.Posted{Cuts: []credit.CutChange{{User: 8, Now: 5}}})
	v := w.newest(h.ID)
	m := read(t, v.Body)
	if v.Name != event.RebateChanged || m.Event != "rebate.changed" || len(m.Data.Items) != 2 || !m.At.Equal(start) || m.ID != v.Message {
		t.Fatalf("%s", v.Body)
	}
	for i, want := range []string{"1 nothing pending 100", "3 pending available 100"} {
		x := m.Data.Items[i]
		if got := fmt.Sprint(x["seq"], " ", x["was"], " ", x["stage"], " ", x["amount_fen"]); got != want {
			t.Errorf("told is %s, want %s", got, want)
		}
	}
}

func TestWordsOfStaffStayHere(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	for note, told := range map[string]any{"请找张三": nil, "claim.waiting_sync": "claim.waiting_sync", "": nil} {
		w.hear("claim/"+note, event.ClaimChanged, order.ClaimChanged{ID: 3, User: 7, Network: "jd", Order: "n", State: order.ClaimGranted, Note: note})
		if got := read(t, w.newest(h.ID).Body).Data.Items[0]["note"]; got != told {
			t.Errorf("of %q is told %v", note, got)
		}
	}
}

func TestWaitsGrowToADayAndThenItIsDead(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	w.hear("e", event.WithdrawalChanged, withdrawal(1, 7))
	w.answers(500)
	var waits []time.Duration
	for w.newest(h.ID).Stage == webhook.Waiting {
		w.deliver(0)
		v := w.newest(h.ID)
		if v.Stage == webhook.Waiting {
			waits = append(waits, v.Next.Sub(w.at))
			w.at = v.Next
			if r := w.hook(h.ID).Rest; r.After(w.at) {
				w.at = r
			}
		}
	}
	if fmt.Sprint(waits) != "[5s 1m0s 5m0s 30m0s 2h0m0s 5h0m0s 10h0m0s 15h0m0s 24h0m0s 24h0m0s 24h0m0s]" {
		t.Errorf("the waits are %v", waits)
	}
	v := w.newest(h.ID)
	if v.Stage != webhook.Dead || v.Tries != 12 || len(w.posts) != 12 || w.hook(h.ID).State != webhook.Active {
		t.Errorf("%+v after %d posts", v, len(w.posts))
	}
	must(t, w.Retry(t.Context(), v.ID, webhook.Staff{By: "cli"}))
	w.at = w.at.Add(time.Hour)
	w.answers(204)
	w.deliver(1)
	if w.posts[0].ID != w.posts[12].ID || w.posts[0].Timestamp == w.posts[12].Timestamp {
		t.Errorf("%+v and then %+v", w.posts[0], w.posts[12])
	}
	if err := w.Retry(t.Context(), 99, webhook.Staff{By: "cli"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("of none: %v", err)
	}
}

func TestWhoFailsIsLeftAloneAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := open(t)
	bad, good := w.add("bad", ""), w.add("good", "")
	w.answer = func(p webhook.Post) webhook.Answer {
		if strings.Contains(p.URL, "bad") {
			return webhook.Answer{Reason: webhook.TimedOut, Took: 10 * time.Second}
		}
		return webhook.Answer{Status: 200}
	}
	for i := range 5 {
		w.hear(fmt.Sprint("e", i), event.WithdrawalChanged, withdrawal(int64(i+1), 7))
	}
	w.deliver(5)
	if len(w.posts) != 6 {
		t.Errorf("%d posts", len(w.posts))
	}
	var rests []time.Duration
	for range 12 {
		h := w.hook(bad.ID)
		rests = append(rests, h.Rest.Sub(w.at))
		w.at = h.Rest.Add(-time.Millisecond)
		w.deliver(0)
		if len(w.posts) != 5+len(rests) {
			t.Fatalf("%d posts before its rest was over", len(w.posts))
		}
		w.at = h.Rest
		w.deliver(0)
	}
	if fmt.Sprint(rests) != "[5s 10s 20s 40s 1m20s 2m40s 5m20s 10m0s 10m0s 10m0s 10m0s 10m0s]" {
		t.Errorf("the rests are %v", rests)
	}
	if h := w.hook(good.ID); h.Fails != 0 {
		t.Errorf("%+v", h)
	}
	w.answers(200)
	w.at = w.at.Add(time.Hour)
	w.deliver(5)
	if h := w.hook(bad.ID); h.Fails != 0 || !h.Failing.IsZero() || !h.Rest.IsZero() {
		t.Errorf("%+v", h)
	}
}

// TestWhoAsksForTimeGetsIt: an answer may ask us to wait longer than we would, up to an
// hour, for what was tried and for what comes behind it.
func TestWhoAsksForTimeGetsIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status      int
		later, want time.Duration
	}{
		{503, 90 * time.Second, 90 * time.Second}, {429, time.Second, 5 * time.Second}, {503, 0, 5 * time.Second}, {429, -time.Hour, 5 * time.Second},
		{503, 365 * 24 * time.Hour, time.Hour}, {500, time.Hour, 5 * time.Second}, {404, time.Hour, 5 * time.Second},
	} {
		w := open(t)
		h := w.add("a", "")
		for i := range 2 {
			w.hear(fmt.Sprint("e", i), event.WithdrawalChanged, withdrawal(int64(i+1), 7))
		}
		w.answer = func(webhook.Post) webhook.Answer { return webhook.Answer{Status: tt.status, Later: tt.later} }
		w.deliver(0)
		log, err := w.Log(t.Context(), h.ID, 9)
		must(t, err)
		if rest, next := w.hook(h.ID).Rest.Sub(start), log[1].Next.Sub(start); rest != tt.want || next != tt.want || log[1].Tries != 1 || log[0].Tries != 0 {
			t.Errorf("%d, later by %v: it rests for %v and is tried after %v, want %v; %+v", tt.status, tt.later, rest, next, tt.want, log)
		}
		w.answers(200)
		w.at = start.Add(tt.want - time.Millisecond)
		w.deliver(0)
		w.at = start.Add(tt.want)
		w.deliver(2)
	}
}

func TestWhoIsSlowGetsLessInARun(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.add("a", "")
	w.answer = func(webhook.Post) webhook.Answer { return webhook.Answer{Status: 200, Took: 4 * time.Second} }
	for i := range 5 {
		w.hear(fmt.Sprint("e", i), event.WithdrawalChanged, withdrawal(int64(i+1), 7))
	}
	w.deliver(3)
	w.deliver(2)
}

func TestWhoFailsForFiveDaysIsOff(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	w.answers(503)
	for i := 0; w.hook(h.ID).State == webhook.Active; i++ {
		if w.at.Sub(start) > 6*24*time.Hour {
			t.Fatal("it is still on")
		}
		w.hear(fmt.Sprint("e", i), event.WithdrawalChanged, withdrawal(int64(i+1), 7))
		w.deliver(0)
		w.at = w.at.Add(6 * time.Hour)
	}
	if got := w.at.Add(-6 * time.Hour).Sub(start); got != 5*24*time.Hour || len(w.alarms) != 1 || w.alarms[0].Why != "status" {
		t.Errorf("off after %s: %+v", got, w.alarms)
	}
	posts := len(w.posts)
	w.hear("later", event.WithdrawalChanged, withdrawal(99, 7))
	w.deliver(0)
	if len(w.posts) != posts {
		t.Error("it is posted to although it is off")
	}
	w.answers(200)
	_, err := w.Resume(t.Context(), h.ID, webhook.Staff{By: "cli"})
	must(t, err)
	w.at = w.at.AddDate(0, 0, 2)
	for n := 1; n > 0; {
		n, err = w.Deliver(t.Context())
		must(t, err)
	}
	if v := w.newest(h.ID); v.Stage != webhook.Delivered {
		t.Errorf("what came while it was off: %+v", v)
	}
}

func TestGoneIsOffAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	w.hear("e", event.WithdrawalChanged, withdrawal(1, 7))
	w.answers(410)
	w.deliver(0)
	if h := w.hook(h.ID); h.State != webhook.Off || h.Why != "gone" || len(w.alarms) != 1 {
		t.Errorf("%+v, %+v", h, w.alarms)
	}
	w.answers(200)
	_, err := w.Resume(t.Context(), h.ID, webhook.Staff{By: "cli"})
	must(t, err)
	w.deliver(1)
}

func TestAnswersThatDeliverNothing(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]webhook.Reason{200: "", 299: "", 300: webhook.Redirected, 302: webhook.Redirected, 400: webhook.BadStatus, 199: webhook.BadStatus, 410: webhook.Gone, 500: webhook.BadStatus} {
		w := open(t)
		h := w.add("a", "")
		w.answer = func(webhook.Post) webhook.Answer {
			return webhook.Answer{Status: status, Excerpt: strings.Repeat("好", 1000)}
		}
		got, err := w.Ping(t.Context(), h.ID, webhook.Staff{By: "cli"})
		if err != nil || got.Reason != want || got.Status != status || len([]rune(got.Excerpt)) != 200 {
			t.Errorf("%d: %+v, %v", status, got, err)
		}
		if m := read(t, w.posts[0].Body); m.Event != "webhook.test" || len(m.Data.Items) != 0 {
			t.Errorf("%s", w.posts[0].Body)
		}
		w.at = w.at.AddDate(0, 0, 20)
		w.deliver(0) // nothing of it is repeated
	}
}

// A crash between the answer and its record: the message comes again, under its id.
func TestWhatWasTakenUnseenComesAgain(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	w.hear("e", event.WithdrawalChanged, withdrawal(1, 7))
	w.memory.swapped = func() error { return errors.New("crash") }
	if n, err := w.Deliver(t.Context()); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	w.memory.swapped = nil
	w.deliver(1)
	if len(w.posts) != 2 || w.posts[0].ID != w.posts[1].ID || string(w.posts[0].Body) != string(w.posts[1].Body) {
		t.Errorf("%+v", w.posts)
	}
	if v := w.newest(h.ID); v.Tries != 1 {
		t.Errorf("%+v", v)
	}
}

func TestBeingStoppedCountsAsNoTry(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	w.hear("e", event.WithdrawalChanged, withdrawal(1, 7))
	ctx, cancel := context.WithCancel(t.Context())
	w.answer = func(webhook.Post) webhook.Answer {
		cancel()
		return webhook.Answer{Reason: webhook.TimedOut}
	}
	if _, err := w.Deliver(ctx); err == nil {
		t.Error("nothing is said of the stop")
	}
	if v := w.newest(h.ID); v.Tries != 0 || w.hook(h.ID).Fails != 0 {
		t.Errorf("%+v", v)
	}
}

func TestTwoSecretsSignForADay(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	next, err := w.Rotate(t.Context(), h.ID, webhook.Staff{By: "cli"})
	must(t, err)
	if next.Secret == h.Secret {
		t.Fatal("it is the same secret")
	}
	for i, both := range []bool{true, false} {
		w.hear(fmt.Sprint("e", i), event.WithdrawalChanged, withdrawal(1, 7))
		w.deliver(1)
		p := w.posts[i]
		for secret, ok := range map[webhook.Secret]bool{h.Secret: both, next.Secret: true} {
			if err := webhook.Verify(secret, p.ID, p.Timestamp, p.Signature, p.Body, w.at); (err == nil) != ok {
				t.Errorf("message %d: %v, want %v", i, err, ok)
			}
		}
		w.at = start.Add(24 * time.Hour)
	}
}

func TestPausedHooksKeepWhatTheyHear(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.add("a", "")
	_, err := w.Pause(t.Context(), h.ID, webhook.Staff{By: "cli"})
	must(t, err)
	w.hear("e", event.WithdrawalChanged, withdrawal(1, 7))
	w.deliver(0)
	w.at = w.at.Add(time.Second)
	_, err = w.Resume(t.Context(), h.ID, webhook.Staff{By: "cli"})
	must(t, err)
	w.deliver(1)
	w.at = start.AddDate(0, 0, 30)
	if n, err := w.Prune(t.Context()); n != 0 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	w.at = w.at.Add(time.Millisecond)
	if n, err := w.Prune(t.Context()); n != 1 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
}

func TestHooksThatMakeNoSense(t *testing.T) {
	t.Parallel()
	w := open(t)
	ok := webhook.Hook{Name: "a", URL: "https://a.example/in", Events: webhook.Events()}
	for name, edit := range map[string]func(*webhook.Hook){
		"no name":        func(h *webhook.Hook) { h.Name = "" },
		"big name":       func(h *webhook.Hook) { h.Name = "Ä" },
		"a client":       func(h *webhook.Hook) { h.Client = "a b" },
		"http":           func(h *webhook.Hook) { h.URL = "http://a.example" },
		"this machine":   func(h *webhook.Hook) { h.URL = "http://127.0.0.1:1" },
		"a password":     func(h *webhook.Hook) { h.URL = "https://a:b@a.example" },
		"a long address": func(h *webhook.Hook) { h.URL += strings.Repeat("a", 500) },
		"no events":      func(h *webhook.Hook) { h.Events = nil },
		"an event twice": func(h *webhook.Hook) { h.Events = []event.Name{event.ClaimChanged, event.ClaimChanged} },
		"another event":  func(h *webhook.Hook) { h.Events = []event.Name{event.LinkMade} },
	} {
		h := ok
		edit(&h)
		if _, err := w.Add(t.Context(), h, webhook.Staff{By: "cli"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.AllowPrivate = true
	for i := range 100 {
		h := ok
		h.Name, h.URL = fmt.Sprint("h", i), "http://127.0.0.1:1"
		_, err := w.Add(t.Context(), h, webhook.Staff{By: "cli"})
		must(t, err)
	}
	if _, err := w.Add(t.Context(), ok, webhook.Staff{By: "cli"}); !fault.Is(err, fault.Limited) {
		t.Errorf("one too many: %v", err)
	}
}

func TestWhatStaffDoIsSaid(t *testing.T) {
	t.Parallel()
	w, staff := open(t), webhook.Staff{By: "cli:li", Reason: "asked"}
	h := w.add("a", "")
	step := func(_ any, err error) {
		t.Helper()
		must(t, err)
		w.at = w.at.Add(time.Second)
	}
	step(w.Pause(t.Context(), h.ID, staff))
	step(w.Resume(t.Context(), h.ID, staff))
	step(w.Rotate(t.Context(), h.ID, staff))
	step(w.Ping(t.Context(), h.ID, staff))
	step(nil, w.Remove(t.Context(), h.ID, staff))
	var got []string
	for _, e := range w.memory.held.said {
		var a audit.Acted
		must(t, e.Decode(&a))
		got = append(got, a.What+" "+a.Before+">"+a.After)
		if a.On != "webhook/1/a" || a.What != "webhook.add" && (a.Actor != "cli:li" || a.Reason != "asked") || strings.Contains(string(e.Data), "/in") {
			t.Errorf("%s", e.Data)
		}
	}
	want := []string{
		"webhook.add >to a.example of everybody: order.changed rebate.changed withdrawal.changed claim.changed",
		"webhook.pause active>paused", "webhook.resume paused>active", "webhook.rotate active>active",
		"webhook.test active>" + w.posts[0].ID, "webhook.remove active>removed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("said is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := w.Pause(t.Context(), h.ID, staff); !fault.Is(err, fault.NotFound) {
		t.Errorf("of none: %v", err)
	}
}
