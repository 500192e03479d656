package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/alipay"
	"fanli/adapters/store"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/user"
)

func demoCommand(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Play the whole story on simulated time and prove the ledger",
		Long: `Plays one shopper's story against the sandbox, on simulated time: paste, buy, receive,
settle, withdraw, return the goods after the payout, owe, and repay with the next
rebate. It prints the conversation and the ledger, adds the books up, holds them
against what really happened at the networks and at the payer, and exits with 0 only
if every fen is explained.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), std) },
	}
}

// A player plays the story. It is the channel, too: what the shopper is told
// unasked, it prints.
type player struct {
	app   *app
	stage *stage
	out   io.Writer
	me    user.Identity
	said  int
	last  bot.Reply
}

func demo(ctx context.Context, std stdio) (err error) {
	cfg, err := configs.Load("", func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	cfg.Log.Level = "error"
	st, err := openStage(ctx, "", true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	cfg = inSandbox(cfg, st.world)
	cfg.Sync.Rescan = false // nothing is late in this world
	a, err := newApp(ctx, cfg, surroundings{
		log: logger(cfg.Log, std.err), now: st.world.Now, http: &http.Client{}, holder: holder(), path: store.Memory,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	p := &player{app: a, stage: st, out: std.out, me: user.Identity{Channel: "demo", External: "shopper"}}
	a.tell.Channels = []bot.Channel{p}
	if err := p.play(ctx); err != nil {
		return fmt.Errorf("the story stopped: %w", err)
	}
	return p.prove(ctx)
}

var _ bot.Channel = (*player)(nil)

// Name returns "demo".
func (p *player) Name() string { return "demo" }

// Run is not used: the player speaks by itself.
func (p *player) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return nil }

// Send prints what the shopper is told unasked.
func (p *player) Send(_ context.Context, _ user.Identity, r bot.Reply) error {
	p.show("fanli ✉ ", bot.RenderText(r))
	return nil
}

func (p *player) show(who, text string) {
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if i > 0 {
			who = strings.Repeat(" ", 8)
		}
		_, _ = fmt.Fprintln(p.out, who+line)
	}
	_, _ = fmt.Fprintln(p.out)
}

// say sends a message and prints both sides.
func (p *player) say(ctx context.Context, text string) {
	p.said++
	p.show("我    › ", text)
	p.last = p.app.bot.Handle(ctx, bot.Message{
		From: p.me, Chat: p.me.External, ID: fmt.Sprint("demo", p.said), Text: text, Locale: "zh",
	})
	p.show("fanli › ", bot.RenderText(p.last))
}

// press sends the button whose action begins with prefix.
func (p *player) press(ctx context.Context, prefix string) error {
	for _, b := range p.buttons() {
		if strings.HasPrefix(b.Action, prefix) {
			p.say(ctx, b.Action)
			return nil
		}
	}
	return fault.Newf(fault.Internal, "", "there is no button %q under %q", prefix, bot.RenderText(p.last))
}

func (p *player) buttons() []bot.Button {
	all := p.last.Buttons
	for _, c := range p.last.Cards {
		all = append(all, c.Buttons...)
	}
	return all
}

// happens says what happens outside, lets time pass and everything settle down.
func (p *player) happens(ctx context.Context, what string, after time.Duration, do func() error) error {
	_, _ = fmt.Fprintf(p.out, "—— %s\n\n", what)
	if do != nil {
		if err := do(); err != nil {
			return err
		}
	}
	if err := p.stage.world.Advance(after); err != nil {
		return err
	}
	return p.app.settleDown(ctx)
}

// buy opens the link of the last card and orders.
func (p *player) buy(ctx context.Context) (network, line string, err error) {
	for _, b := range p.buttons() {
		if b.URL == "" {
			continue
		}
		err = p.happens(ctx, "打开链接，在商店里下单并付款", time.Minute, func() error {
			var l market.Line
			network, l, err = p.stage.world.Buy(b.URL, 1)
			line = l.ID
			return err
		})
		return network, line, err
	}
	return "", "", fault.Newf(fault.Internal, "", "no link under %q", bot.RenderText(p.last))
}

// life receives and settles a line.
func (p *player) life(ctx context.Context, network, line string) error {
	m, err := p.market(network)
	if err != nil {
		return err
	}
	if err := p.happens(ctx, "三天后：收到商品", 72*time.Hour, func() error { return m.Receive(line) }); err != nil {
		return err
	}
	return p.happens(ctx, "一个多月后：联盟结算", 45*24*time.Hour, func() error { return m.Settle(line) })
}

func (p *player) market(network string) (*market.Market, error) {
	s, ok := p.stage.world.Shop(network)
	if !ok {
		return nil, fault.Newf(fault.NotFound, "", "no shop %q", network)
	}
	return s.Market, nil
}

// play is the story.
func (p *player) play(ctx context.Context) error {
	p.say(ctx, "你好")
	p.say(ctx, "【京东】https://u.jd.com/YO58R3Q「飞利浦电动牙刷」点击链接直接打开")
	network, brush, err := p.buy(ctx)
	if err != nil {
		return err
	}
	p.say(ctx, "订单")
	if err := p.life(ctx, network, brush); err != nil {
		return err
	}
	p.say(ctx, "余额")
	p.say(ctx, "收款 13800000000 张三")
	p.say(ctx, "提现")
	if err := p.press(ctx, "确认"); err != nil {
		return err
	}
	if err := p.happens(ctx, "打款", time.Minute, nil); err != nil {
		return err
	}
	p.say(ctx, "余额")
	err = p.happens(ctx, "打款之后：退货，全额退款", time.Hour, func() error {
		m, err := p.market(network)
		if err != nil {
			return err
		}
		l, _ := m.Line(brush)
		return m.Refund(brush, l.Price-l.Refunded)
	})
	if err != nil {
		return err
	}
	p.say(ctx, "余额")
	p.say(ctx, "提现")
	p.say(ctx, "0.0 ￥CZ0005AbCdE￥ 珀莱雅早C晚A精华套装 复制打开手机淘宝")
	network, essence, err := p.buy(ctx)
	if err != nil {
		return err
	}
	if err := p.life(ctx, network, essence); err != nil {
		return err
	}
	p.say(ctx, "明细")
	p.say(ctx, "余额")
	return nil
}

// prove prints the ledger, adds it up, and holds it against what happened outside.
func (p *player) prove(ctx context.Context) error {
	_, _ = fmt.Fprintln(p.out, "—— 账本")
	err := p.app.db.Ledger().Walk(ctx, func(e ledger.Entry) error {
		_, err := fmt.Fprintf(p.out, "%3d %-8s %10s  %-18s → %-18s %s\n", e.ID, e.Kind, e.Amount.Yuan(), e.From, e.To, e.Key)
		return err
	})
	if err != nil {
		return err
	}
	rep, err := p.app.prove(ctx)
	if err != nil {
		return err
	}
	faults := rep.Faults
	if !rep.OK() && len(faults) == 0 {
		faults = append(faults, "the balances do not add up to zero")
	}
	more, err := p.outside(ctx)
	if err != nil {
		return err
	}
	faults = append(faults, more...)
	_, _ = fmt.Fprintf(p.out, "\n%d entries, %d accounts, sum of all balances %s\n", rep.Entries, rep.Accounts, rep.Sum.Yuan())
	for _, f := range faults {
		_, _ = fmt.Fprintln(p.out, "  !", f)
	}
	if len(faults) > 0 {
		_, _ = fmt.Fprintln(p.out, "the proof does NOT hold")
		return exitError{code: exitUnsound}
	}
	_, err = fmt.Fprintln(p.out, "every fen is explained: the proof holds")
	return err
}

// outside computes from the networks' and the payer's own books alone what should
// stand in ours, and says what differs.
func (p *player) outside(ctx context.Context) (faults []string, err error) {
	u, _, err := p.app.users.Resolve(ctx, p.me, "zh")
	if err != nil {
		return nil, err
	}
	accounts, err := p.app.db.Ledger().Accounts(ctx)
	if err != nil {
		return nil, err
	}
	rules := p.app.cfg.Rebate.Rules()
	var earned money.Fen
	for _, s := range p.stage.world.Shops() {
		var owed money.Fen
		for _, l := range s.Market.Lines(nil) {
			owed += l.Commission
			earned += l.Commission.Share(rules.Base)
		}
		if got := -accounts[ledger.Network(s.Name)]; got != owed {
			faults = append(faults, fmt.Sprintf("%s owes %s by its own book, %s by ours", s.Name, owed.Yuan(), got.Yuan()))
		}
	}
	var paid money.Fen
	for _, t := range p.stage.world.Pay().Transfers() {
		for _, amount := range p.stage.world.Pay().Paid(t.Number) {
			paid += amount
		}
	}
	if got := accounts[ledger.Payer(alipay.Name)]; got != paid {
		faults = append(faults, fmt.Sprintf("the payer has sent %s, our book says %s", paid.Yuan(), got.Yuan()))
	}
	w, err := credit.Purse{Ledger: p.app.db.Ledger()}.Wallet(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if got := w.Pending + w.Available + w.Reserved - w.Debt; got != earned-paid {
		faults = append(faults, fmt.Sprintf("the shopper has %s, but earned %s and was paid %s", got.Yuan(), earned.Yuan(), paid.Yuan()))
	}
	return faults, nil
}
