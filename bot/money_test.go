package bot_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// A till watches what is asked of the withdrawals.
type till struct {
	bot.Withdrawals
	asked []money.Fen
	keys  []string
	lost  int // how many answers get lost on the way
}

func (w *till) Request(ctx context.Context, u int64, amount money.Fen, key string) (withdraw.Withdrawal, error) {
	w.asked, w.keys = append(w.asked, amount), append(w.keys, key)
	got, err := w.Withdrawals.Request(ctx, u, amount, key)
	if w.lost > 0 {
		w.lost--
		return withdraw.Withdrawal{}, fault.New(fault.Unknown, "")
	}
	return got, err
}

func watch(f *bottest.Fake) *till {
	w := &till{Withdrawals: f.Bot.Withdrawals}
	f.Bot.Withdrawals = w
	return w
}

// rich opens a world in which ann has a rebate and an account.
func rich(t *testing.T) *bottest.Fake {
	t.Helper()
	f := bottest.New(t)
	if err := f.World().Directives["earn"]("robot"); err != nil {
		t.Fatal(err)
	}
	f.Handle(t.Context(), says("", "收款 13812340000 张三"))
	return f
}

// A proposal is what was shown to be confirmed.
type proposal struct {
	code   string
	amount money.Fen
	at     time.Time
}

var confirmAction = regexp.MustCompile(`^(?:确认|confirm) ([0-9]{4})$`)

// proposed reads a proposal to withdraw out of a reply.
func proposed(r bot.Reply, now time.Time) (p proposal, ok bool) {
	for _, b := range r.Buttons {
		if m := confirmAction.FindStringSubmatch(b.Action); m != nil && len(r.Cards) == 1 {
			amount, err := money.ParseYuan(strings.TrimPrefix(r.Cards[0].Rows[0].Value, "¥"), money.Exact)
			return proposal{m[1], amount, now}, err == nil
		}
	}
	return proposal{}, false
}

// TestOnlyAConfirmationMovesMoney says many things in many orders. Whatever was
// said, a withdrawal is asked for only by the code of the proposal shown last,
// in private, within two minutes, and for the amount that was shown.
func TestOnlyAConfirmationMovesMoney(t *testing.T) {
	t.Parallel()
	var all []string
	for _, tag := range []string{"zh", "en"} {
		for _, c := range bot.Commands(tag) {
			all = append(all, c.Words...)
		}
	}
	var moved atomic.Int32
	t.Cleanup(func() {
		if moved.Load() == 0 && !t.Failed() {
			t.Error("no withdrawal was asked for at all: nothing was proved")
		}
	})
	args := []string{"", " 1", " 20", " 全部", " all", "20", ":30", " 13812340000", " 状态", "\n确认", " 确认", "吧", "状态"}
	bare := []string{kettle, "￥AbCd12345xY￥", "1", "9", "2518", "确认", "confirm", "是", "yes", "y", "好", "张三", "13812340000", "312000000001", "提现 提现", "我要提现20元", "！"}
	rapid.Check(t, func(rt *rapid.T) {
		f := rich(t)
		w := watch(f)
		var shown proposal
		for range rapid.IntRange(1, 25).Draw(rt, "messages") {
			var text string
			switch rapid.IntRange(0, 6).Draw(rt, "kind") {
			case 0:
				text = rapid.SampledFrom(bare).Draw(rt, "bare")
			case 1:
				text = rapid.SampledFrom([]string{"提现", "提现 20", "withdraw all", "取消"}).Draw(rt, "withdraw")
			case 2:
				text = rapid.SampledFrom([]string{"确认 ", "confirm ", ""}).Draw(rt, "confirm") + rapid.StringMatching(`[0-9]{4}`).Draw(rt, "code")
			case 3:
				text = "确认 " + shown.code
			case 4:
				text = rapid.String().Draw(rt, "noise")
			default:
				text = rapid.SampledFrom(all).Draw(rt, "word") + rapid.SampledFrom(args).Draw(rt, "args")
			}
			m := says("", text)
			if m.Group = rapid.IntRange(0, 4).Draw(rt, "group") == 0; m.Group {
				m.Chat = "group"
			}
			f.Clock.Move(time.Duration(rapid.IntRange(0, 50).Draw(rt, "seconds")) * time.Second)
			before, now := len(w.asked), f.Clock.Now()
			r := f.Handle(t.Context(), m)
			if len(w.asked) > before {
				moved.Add(1)
				code := strings.TrimPrefix(strings.TrimPrefix(text, "确认 "), "confirm ")
				switch {
				case len(w.asked) > before+1:
					rt.Fatalf("%q asked %d times", text, len(w.asked)-before)
				case m.Group:
					rt.Fatalf("%q in a group asked for %s", text, w.asked[before])
				case shown.code == "" || code != shown.code:
					rt.Fatalf("%q asked for %s; the code was %q", text, w.asked[before], shown.code)
				case w.asked[before] != shown.amount:
					rt.Fatalf("%q asked for %s; %s was shown", text, w.asked[before], shown.amount)
				case now.Sub(shown.at) > 2*time.Minute:
					rt.Fatalf("%q asked after %s", text, now.Sub(shown.at))
				}
			}
			if p, ok := proposed(r, now); ok && p.code != shown.code {
				shown = p
			}
		}
	})
}

func TestConfirmation(t *testing.T) {
	t.Parallel()
	propose := func(t *testing.T, f *bottest.Fake) proposal {
		t.Helper()
		p, ok := proposed(f.Handle(t.Context(), says("", "提现 20")), f.Clock.Now())
		if !ok {
			t.Fatal("nothing was proposed")
		}
		return p
	}
	t.Run("OfSomebodyElseIsNothing", func(t *testing.T) {
		t.Parallel()
		f := rich(t)
		w, p := watch(f), propose(t, f)
		for _, text := range []string{"确认 " + p.code, p.code} {
			m := says("", text)
			m.From.External, m.Chat = "bob", "bob"
			f.Handle(t.Context(), m)
		}
		if len(w.asked) != 0 {
			t.Errorf("asked for %v", w.asked)
		}
	})
	t.Run("WhoseAnswerWasLostCanBeGivenAgain", func(t *testing.T) {
		t.Parallel()
		f := rich(t)
		w, p := watch(f), propose(t, f)
		w.lost = 1
		wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "确认 "+p.code))), "不会重复扣款")
		wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "确认 "+p.code))), "已受理提现 #1")
		if len(w.keys) != 2 || w.keys[0] != w.keys[1] {
			t.Errorf("asked with keys %q, want the same one twice", w.keys)
		}
		wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "余额"))), "¥168.93", "¥20.00")
	})
	t.Run("WhoseAnswerWasLostForGoodSaysSo", func(t *testing.T) {
		t.Parallel()
		f := rich(t)
		w, p := watch(f), propose(t, f)
		w.lost = 1
		f.Handle(t.Context(), says("", "确认 "+p.code))
		f.Clock.Move(3 * time.Minute)
		wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "确认 "+p.code))), "有没有办成", "提现状态")
	})
	t.Run("AtTheSameTimeAsksForTheSame", func(t *testing.T) {
		t.Parallel()
		f := rich(t)
		p := propose(t, f)
		done := make(chan string, 4)
		for i := range cap(done) {
			go func() {
				done <- bot.RenderText(f.Bot.Handle(t.Context(), says(fmt.Sprint("c", i), "确认 "+p.code)))
			}()
		}
		accepted := 0
		for range cap(done) {
			switch text := <-done; {
			case strings.Contains(text, "已受理"):
				accepted++
			case !strings.Contains(text, "不会重复"):
				t.Errorf("answered with\n%s", text)
			}
		}
		if accepted != 1 {
			t.Errorf("%d were accepted", accepted)
		}
		wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "余额"))), "¥168.93", "¥20.00")
	})
}

// TestNumbersAgree follows one purchase and compares what the card, the orders,
// the balance, the statement and the withdrawal say.
func TestNumbersAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := bottest.New(t)
		do := func(name string, args ...string) {
			if err := f.World().Directives[name](args...); err != nil {
				rt.Fatal(err)
			}
		}
		ask := func(text string) string { return bot.RenderText(f.Handle(t.Context(), says("", text))) }
		do("level", rapid.SampledFrom([]string{"0", "1"}).Draw(rt, "level"))
		item := rapid.SampledFrom([]string{"100012043978", "100012043979"}).Draw(rt, "item")
		name := map[string]string{"100012043978": "kettle", "100012043979": "robot"}[item]
		promise := after(rt, ask("https://item.jd.com/"+item+".html"), "预计返利  ")
		do("buy", name)
		if got := ask("订单"); !strings.Contains(got, "返利 "+promise+" 待结算") {
			rt.Fatalf("the card said %s, the list says\n%s", promise, got)
		}
		if got := after(rt, ask("1"), "返利  "); got != promise {
			rt.Fatalf("the card said %s, the order %s", promise, got)
		}
		if got := after(rt, ask("余额"), "待结算  "); got != promise {
			rt.Fatalf("the card said %s, the balance %s", promise, got)
		}
		if refund := rapid.IntRange(0, 80).Draw(rt, "refund"); refund > 0 {
			do("refund", "1", fmt.Sprint(refund))
			if got, order := after(rt, ask("余额"), "待结算  "), after(rt, ask("订单 1"), "返利  "); got != order {
				rt.Fatalf("after a refund the order says %s, the balance %s", order, got)
			}
		}
		do("receive", "1")
		do("settle", "1")
		do("clock", "7d")
		have := after(rt, ask("余额"), "可提现  ")
		ask("收款 13812340000 张三")
		if offer := ask("提现"); !strings.Contains(offer, "满 ¥1.00 才能提现") {
			if got := after(rt, offer, "金额  "); got != have {
				rt.Fatalf("the balance said %s, the withdrawal %s", have, got)
			}
		}
		wantStatement(rt, f, have)
	})
}

// after returns the word behind a label.
func after(rt *rapid.T, text, label string) string {
	_, rest, ok := strings.Cut(text, label)
	if !ok {
		rt.Fatalf("no %q in\n%s", label, text)
	}
	word, _, _ := strings.Cut(rest, "\n")
	return word
}

// wantStatement adds up the statement.
func wantStatement(rt *rapid.T, f *bottest.Fake, want string) {
	es, err := f.Bot.Money.Statement(context.Background(), 1, 0, 100)
	if err != nil {
		rt.Fatal(err)
	}
	var sum money.Fen
	for _, e := range es {
		sum += credit.Effect(1, e)
	}
	if sum.Yuan() != want {
		rt.Fatalf("the statement adds up to %s, the balance is %s", sum.Yuan(), want)
	}
}
