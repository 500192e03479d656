package mail_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/core/fault"
	"fanli/core/post"
	"fanli/core/user"
)

func TestLettersAreAnsweredOnceAndInOrder(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, id := range []string{"a1", "b1", "a2", "a1", "a3", "b1"} {
		w.receive(id[:1], id)
	}
	w.post("a", "notice")
	w.settle()
	w.want("a", "notice re:a1 re:a2 re:a3")
	w.want("b", "re:b1")
	if got := fmt.Sprint(w.asked); got != "[a1 b1 a2 a3]" {
		t.Errorf("the bot is asked %s", got)
	}
	if r := w.receive("a", "a2"); r != mail.Known {
		t.Errorf("what is answered is %s", r)
	}
	w.settle()
	if len(w.asked) != 4 {
		t.Error("it is answered again")
	}
}

func TestWhatALetterMustHave(t *testing.T) {
	t.Parallel()
	w := open(t)
	for name, l := range map[string]mail.Letter{
		"no id": {Channel: "c", Chat: "a"}, "no chat": {Channel: "c", ID: "1"}, "no channel": {Channel: "d", Chat: "a", ID: "1"},
		"too long": {Channel: "c", Chat: "a", ID: "1", Payload: make([]byte, mail.PayloadMax+1)},
	} {
		if r, err := w.Receive(t.Context(), l); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %s, %v", name, r, err)
		}
	}
	long := strings.Repeat("x", 300)
	w.receive("a", long+"1")
	w.receive("a", long+"2")
	if r := w.receive("a", long+"1"); r != mail.Known {
		t.Errorf("a long id that came before is %s", r)
	}
	for range 3 {
		w.settle()
	}
	if len(w.asked) != 2 {
		t.Errorf("%d letters with long ids are answered", len(w.asked))
	}
	if err := w.Post(t.Context(), mail.Parcel{Key: "k", Channel: "c"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a parcel for no chat: %v", err)
	}
}

// TestWhatFollowsFromATry is the table of docs/delivery.md.
func TestWhatFollowsFromATry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		state  post.State
		wait   time.Duration // of the chat
		tries  int
		reason string
	}{
		{nil, post.Sent, -1, 1, ""},
		{fault.After(fault.New(fault.Limited, "c.flood"), 17*time.Second), post.Waiting, 17 * time.Second, 0, "c.flood"},
		{fault.In("op", fault.After(fault.New(fault.Limited, "c.flood"), 10*time.Hour)), post.Waiting, time.Hour, 0, "c.flood"},
		{fault.New(fault.Limited, ""), post.Waiting, 3 * time.Second, 0, "limited"},
		{fault.New(fault.Unavailable, "c.down"), post.Waiting, time.Second, 1, "c.down"},
		{fault.New(fault.Denied, "c.token"), post.Waiting, time.Second, 1, "c.token"},
		{fault.New(fault.Conflict, ""), post.Waiting, time.Second, 1, "conflict"},
		{fmt.Errorf("a defect"), post.Waiting, time.Second, 1, "internal"},
		{fault.New(fault.Unavailable, mail.Parked), post.Waiting, 24 * time.Hour, 1, mail.Parked},
		{fault.New(fault.NotFound, "c.blocked"), post.Gone, -1, 1, "c.blocked"},
		{fault.New(fault.Invalid, "c.too_long"), post.GivenUp, -1, 1, "c.too_long"},
		{fault.New(fault.Insufficient, ""), post.GivenUp, -1, 1, "insufficient"},
		{fault.New(fault.Unknown, ""), post.Unknown, -1, 1, "unknown"},
	} {
		w := open(t)
		w.post("a", "k")
		w.chats.fail("a", tt.err)
		w.step(post.Out)
		i := w.parcel("k")
		if i.State != tt.state || i.Tries != tt.tries || i.Reason != tt.reason || w.next(post.Out) != tt.wait {
			t.Errorf("%v: %s after %d tries because of %q, the chat waits for %s; want %+v", tt.err, i.State, i.Tries, i.Reason, w.next(post.Out), tt)
		}
	}
}

func TestWhatWaitsHoldsUpItsChatAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.chats.fail("a", fault.After(fault.New(fault.Limited, "c.flood"), time.Minute))
	for _, key := range []string{"a1", "b1", "a2", "b2"} {
		w.post(key[:1], key)
	}
	w.settle()
	w.chats.fail("a", nil)
	w.at = start.Add(59 * time.Second)
	w.post("a", "a3")
	w.settle()
	w.want("a", "")
	w.want("b", "b1 b2")
	w.at = start.Add(time.Minute)
	w.settle()
	w.want("a", "a1 a2 a3")
}

func TestWaitsGrowUntilNobodyWantsItAnyMore(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.post("a", "k")
	w.post("a", "l")
	w.chats.fail("a", fault.New(fault.Unavailable, "c.down"))
	var waits []time.Duration
	for w.parcel("k").State == post.Waiting && len(waits) < 100 {
		w.step(post.Out)
		d := w.next(post.Out)
		waits = append(waits, d)
		w.at = w.at.Add(d)
	}
	if got := fmt.Sprint(waits[:12]); got != "[1s 2s 5s 15s 30s 1m0s 2m0s 5m0s 15m0s 30m0s 1h0m0s 1h0m0s]" {
		t.Errorf("it waits for %s", got)
	}
	if took := w.at.Sub(start); took != 24*time.Hour {
		t.Errorf("it is given up after %s", took)
	}
	if i := w.parcel("k"); i.State != post.GivenUp || i.Reason != mail.Expired {
		t.Errorf("%+v", i)
	}
	w.chats.fail("a", nil)
	w.step(post.Out)
	if i := w.parcel("l"); i.Reason != mail.Expired { // its time is over as well
		t.Errorf("%+v", i)
	}
	w.want("a", "")
}

func TestParkedUntilThePersonWrites(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.chats.fail("a", fault.New(fault.Unavailable, mail.Parked))
	w.post("a", "k")
	w.settle()
	w.at = start.Add(time.Hour)
	w.chats.fail("a", nil)
	w.settle()
	w.want("a", "")
	w.receive("a", "a1")
	w.settle()
	w.want("a", "k re:a1")
}

func TestTooManyLettersOfAChat(t *testing.T) {
	t.Parallel()
	w := open(t)
	n := map[mail.Receipt]int{}
	for i := range 3 * mail.BacklogMax {
		if i == 2*mail.BacklogMax { // and the store is asked again
			w.at = w.at.Add(time.Second)
		}
		n[w.receive("a", fmt.Sprint("a", i))]++
		if i == mail.BacklogMax { // the first that is too many
			if _, err := w.Step(t.Context(), post.Out, "c", w.service()); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.receive("b", "b1")
	if n[mail.Fresh] != mail.BacklogMax || n[mail.Full] != 2*mail.BacklogMax {
		t.Errorf("receipts %v", n)
	}
	w.settle()
	if len(w.asked) != mail.BacklogMax+1 {
		t.Errorf("%d are answered", len(w.asked))
	}
	if got := strings.Count(w.chats.seen("a"), bot.TooMany("en").Text); got != 1 {
		t.Errorf("they are told %d times that it is too much", got)
	}
	w.at = w.at.Add(time.Second)
	if r := w.receive("a", "later"); r != mail.Fresh {
		t.Errorf("afterwards a letter is %s", r)
	}
}

func TestALetterThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err   error
		tries int
	}{{fault.New(fault.Invalid, "c.unreadable"), 1}, {fault.New(fault.Unavailable, "db.busy"), 12}} {
		w := open(t)
		w.fails = tt.err
		w.receive("a", "a1")
		w.receive("a", "a2")
		for range tt.tries {
			w.step(post.In)
			if d := w.next(post.In); d > 0 {
				w.at = w.at.Add(d)
			}
		}
		w.fails = nil
		w.settle()
		w.want("a", "re:a2")
		dead, err := w.store.Items(t.Context(), post.Filter{Side: post.In, Dead: true, Count: 10})
		must(t, err)
		if len(dead) != 1 || dead[0].Tries != tt.tries || dead[0].Reason != fault.ReasonOf(tt.err) {
			t.Errorf("%v: the dead are %+v", tt.err, dead)
		}
	}
}

func TestADefectIsNotTheEnd(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.receive("a", "a1")
	panics := mail.Service{Answer: func(context.Context, mail.Letter) ([]mail.Parcel, error) { panic("a defect") }}
	if n, err := w.Step(t.Context(), post.In, "c", panics); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.at = w.at.Add(time.Second)
	w.settle()
	w.want("a", "re:a1")
}

func TestBeingStoppedCountsAsNoTry(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.receive("a", "a1")
	w.post("b", "k")
	ctx, cancel := context.WithCancel(t.Context())
	cut := mail.Service{Answer: func(context.Context, mail.Letter) ([]mail.Parcel, error) {
		cancel()
		return nil, fault.New(fault.Unavailable, "cut short")
	}}
	for _, s := range []post.Side{post.In, post.Out} {
		w.chats.died = func(string) error { cancel(); return fault.Wrap(fault.Unavailable, "", ctx.Err()) }
		_, err := w.Step(ctx, s, "c", cut)
		must(t, err)
		ctx, cancel = context.WithCancel(t.Context())
	}
	cancel()
	w.chats.died = nil
	if i := w.parcel("k"); i.Tries != 0 || i.State != post.Waiting {
		t.Errorf("%+v", i)
	}
	w.restart("second")
	w.settle()
	w.want("a", "re:a1")
	w.want("b", "k")
}

// A notice that cannot reach its person goes to their other channel, in the
// transaction that gives it up here; what others do there is theirs.
func TestANoticeGoesElsewhere(t *testing.T) {
	t.Parallel()
	blocked := fault.New(fault.NotFound, "c.blocked")
	bob := user.Identity{Channel: "c", External: "bob"}
	for name, tt := range map[string]struct {
		next    *bot.Notice
		err     error
		state   post.State
		ann, to string
	}{
		"to another chat": {&bot.Notice{Key: "n", User: 7, To: bob, Reply: bot.Reply{Text: "hi"}, Tried: []user.Identity{ann}}, nil, post.Moved, "", "hi"},
		"told already":    {nil, nil, post.Moved, "", ""},
		"nowhere":         {nil, fault.New(fault.NotFound, ""), post.Gone, "", ""},
		"not known now":   {nil, fault.New(fault.Unavailable, ""), post.Waiting, "", ""},
	} {
		w := open(t)
		w.chats.fail("ann", blocked)
		w.Elsewhere = func(_ context.Context, n bot.Notice) (*bot.Notice, error) {
			if n.Key != "n" || n.User != 7 || n.To != ann || n.Reply.Text != "hi" {
				t.Errorf("%s: asked where to go with %+v", name, n)
			}
			return tt.next, tt.err
		}
		must(t, w.Notice(t.Context(), bot.Notice{Key: "n", User: 7, To: ann, Reply: bot.Reply{Text: "hi"}}))
		must(t, w.Notice(t.Context(), bot.Notice{Key: "n", User: 7, To: ann, Reply: bot.Reply{Text: "again"}}))
		w.settle()
		if i := w.parcel("notice/n"); i.State != tt.state {
			t.Errorf("%s: %+v", name, i)
		}
		w.want("ann", tt.ann)
		w.want("bob", tt.to)
	}
	w := open(t)
	if w.Takes("web") || !w.Takes("c") {
		t.Error("it takes what nobody carries")
	}
}
