package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"fanli/adapters/alipay/alipayfake"
	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/money"
)

// ordersMax and paymentsMax are how many the control page shows; the API tells
// of as many.
const (
	ordersMax   = 100
	paymentsMax = 50
)

// A word is said in both languages.
type word struct{ Zh, En string }

// stateWords say how far a line has come.
var stateWords = map[market.State]word{
	market.Created:  {"待付款", "unpaid"},
	market.Paid:     {"已付款", "paid"},
	market.Received: {"已收货", "received"},
	market.Settled:  {"已结算", "settled"},
	market.Invalid:  {"已失效", "invalid"},
	market.Replaced: {"已拆单", "split"},
}

// whyWords say why a line is invalid.
var whyWords = map[string]word{
	"cancelled": {"已取消", "cancelled"},
	"refunded":  {"已退款", "refunded"},
	"violation": {"违规", "violation"},
}

// deedWords say what buttons do.
var deedWords = map[Deed]word{
	Pay:     {"付款", "Pay"},
	Receive: {"确认收货", "Receive"},
	Settle:  {"联盟结算", "Settle"},
	Refund:  {"退款", "Refund"},
	Cancel:  {"取消订单", "Cancel"},
	Violate: {"判违规", "Violation"},
	Split:   {"拆成两单", "Split"},
}

// modeWords say how a network feels.
var modeWords = []struct {
	Mode string
	word
}{
	{"", word{"正常", "ok"}},
	{"stall", word{"不响应", "stalls"}},
	{"limited", word{"限流", "limited"}},
	{"down", word{"宕机", "down"}},
	{"garbage", word{"乱码", "garbage"}},
	{"denied", word{"拒绝密钥", "denied"}},
}

// payWords say how the payer decides.
var payWords = []struct {
	Mode string
	word
}{
	{alipayfake.Instant, word{"立即到账", "pays at once"}},
	{alipayfake.Holds, word{"先挂起，由我决定", "holds, I decide"}},
	{alipayfake.Refuses, word{"一律拒绝", "refuses"}},
}

// wayWords say how the road to the payer fails.
var wayWords = map[string]word{
	"":                     {"正常", "ok"},
	alipayfake.LostRequest: {"请求丢失", "request lost"},
	alipayfake.LostAnswer:  {"已打款，回复丢失", "paid, answer lost"},
	alipayfake.Down:        {"服务器错误", "server error"},
	alipayfake.Garbage:     {"已打款，回复乱码", "paid, answer garbled"},
	alipayfake.Forged:      {"伪造签名", "forged signature"},
	alipayfake.Unsigned:    {"没有签名", "no signature"},
	alipayfake.Late:        {"先查不到，后查到", "found late"},
	alipayfake.Slow:        {"慢 3 秒", "3 s slow"},
	alipayfake.Stall:       {"不响应", "stalls"},
	alipayfake.Denied:      {"拒绝密钥", "denied"},
	alipayfake.Foreign:     {"别人的证书签名", "signed by somebody else"},
	alipayfake.Bare:        {"已打款，回复没有签名", "paid, answer unsigned"},
	alipayfake.SystemError: {"已打款，回复系统错误", "paid, says system error"},
	alipayfake.Broken:      {"已打款，回复服务不可用", "paid, says unavailable"},
	alipayfake.ToldFirst:   {"通知先于回复", "tells before it answers"},
	alipayfake.ToldTwice:   {"通知两次", "tells twice"},
	alipayfake.ToldWrong:   {"通知内容相反", "tells the opposite"},
}

// fateWords say what became of a payment.
var fateWords = map[string]word{
	alipayfake.Dealing: {"等待决定", "held"},
	alipayfake.Success: {"已到账", "paid"},
	alipayfake.Failed:  {"失败", "failed"},
	alipayfake.Refund:  {"到账后退回", "came back"},
}

// A button of an order.
type button struct {
	Deed Deed
	word
}

// An orderView is an order as the pages show it.
type orderView struct {
	Network, Shop, English string
	Line                   market.Line
	State, Why             word
	Left                   money.Fen // of the price, not given back
	Buttons                []button
}

// Can reports whether there is a button for a deed.
func (o orderView) Can(d Deed) bool {
	return slices.ContainsFunc(o.Buttons, func(b button) bool { return b.Deed == d })
}

func (w *World) view(o Order) orderView {
	s, _ := w.Shop(o.Network)
	v := orderView{
		Network: o.Network, Shop: s.Title, English: english[o.Network], Line: o.Line,
		State: stateWords[o.Line.State], Why: whyWords[o.Line.Why], Left: o.Line.Price - o.Line.Refunded,
	}
	for _, d := range Deeds(o.Line) {
		v.Buttons = append(v.Buttons, button{d, deedWords[d]})
	}
	return v
}

// A paymentView is a payment as the control page shows it.
type paymentView struct {
	alipayfake.Transfer
	Fate       word
	Held, Sent bool
}

// A choice is one option of a switch.
type choice struct {
	Value string
	word
	Chosen bool
}

// A networkView is a network with its switch.
type networkView struct {
	*Shop
	English string
	Mode    word
	Choices []choice
}

func (w *World) networkViews() (all []networkView) {
	for _, s := range w.shops {
		v := networkView{Shop: s, English: english[s.Name]}
		for _, m := range modeWords {
			chosen := m.Mode == w.Mode(s)
			v.Choices = append(v.Choices, choice{m.Mode, m.word, chosen})
			if chosen {
				v.Mode = m.word
			}
		}
		all = append(all, v)
	}
	return all
}

func (w *World) controlPage(rw http.ResponseWriter, r *http.Request) {
	orders, all := w.Orders(ordersMax)
	views := make([]orderView, len(orders))
	for i, o := range orders {
		views[i] = w.view(o)
	}
	var payments []paymentView
	for _, p := range w.pay.Transfers() {
		if len(payments) < paymentsMax {
			payments = append(payments, paymentView{p, fateWords[p.State], p.State == alipayfake.Dealing, p.State == alipayfake.Success})
		}
	}
	mode, way := w.pay.Now()
	var modes, ways []choice
	for _, m := range payWords {
		modes = append(modes, choice{m.Mode, m.word, m.Mode == mode})
	}
	for _, v := range append([]string{""}, alipayfake.Ways()...) {
		ways = append(ways, choice{v, wayWords[v], v == way})
	}
	w.render(rw, http.StatusOK, "control.html", map[string]any{
		"Orders": views, "All": all, "Payments": payments, "Modes": modes, "Ways": ways, "Networks": w.networkViews(),
		"Shops": w.windows(""), "Steps": steps(), "Settlement": w.Now().Add(w.UntilSettlement()), "Notice": said(r), "At": "control",
	})
}

// A step is one button of the clock.
type step struct {
	Value string
	word
}

func steps() []step {
	return []step{
		{"1h", word{"1 小时", "1 hour"}}, {"24h", word{"1 天", "1 day"}}, {"168h", word{"7 天", "7 days"}}, {"720h", word{"30 天", "30 days"}},
	}
}

// advanceMax is how far the clock moves at once.
const advanceMax = 366 * 24 * time.Hour

// move moves the clock by a duration, or to the next "settlement".
func (w *World) move(by string) error {
	if by == "settlement" {
		return w.Advance(w.UntilSettlement())
	}
	d, err := time.ParseDuration(by)
	if err != nil || d <= 0 || d > advanceMax {
		return fault.New(fault.Invalid, "sandbox.odd")
	}
	return w.Advance(d)
}

func (w *World) clockForm(rw http.ResponseWriter, r *http.Request) {
	back(rw, r, "/control", "clock", w.move(r.PostFormValue("by")), "")
}

func (w *World) strayForm(rw http.ResponseWriter, r *http.Request) {
	l, err := w.Stray(r.PostFormValue("network"), r.PostFormValue("item"))
	back(rw, r, "/control", "stray", err, "o-"+l.ID)
}

func (w *World) networkForm(rw http.ResponseWriter, r *http.Request) {
	back(rw, r, "/control", "network", w.Fail(r.PathValue("network"), r.PostFormValue("mode")), "networks")
}

// setPayer switches the payer.
func (w *World) setPayer(mode, way string) error {
	known := slices.ContainsFunc(payWords, func(m struct {
		Mode string
		word
	}) bool {
		return m.Mode == mode
	})
	if !known || !w.pay.Fail(way) {
		return fault.New(fault.Invalid, "sandbox.odd")
	}
	w.pay.Mode(mode)
	return nil
}

func (w *World) payerForm(rw http.ResponseWriter, r *http.Request) {
	back(rw, r, "/control", "payer", w.setPayer(r.PostFormValue("mode"), r.PostFormValue("way")), "payer")
}

// decide ends a payment that is held, as "paid" or "failed", or lets one come back
// that was paid, as "returned".
func (w *World) decide(number, fate string) (err error) {
	switch fate {
	case "paid", "failed":
		err = w.pay.Decide(number, fate == "paid")
	case "returned":
		err = w.pay.Return(number)
	default:
		return fault.New(fault.Invalid, "sandbox.odd")
	}
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "sandbox.final")
	}
	return err
}

func (w *World) paymentForm(rw http.ResponseWriter, r *http.Request) {
	back(rw, r, "/control", "done", w.decide(r.PathValue("number"), r.PathValue("fate")), "payer")
}

// toRefund reads an amount. Nothing means all that is left, which Do calls 0; a
// zero that somebody wrote means nothing that can be done.
func toRefund(text money.Number) (money.Fen, error) {
	amount, err := text.Yuan(money.Exact)
	if err == nil && text != "" && amount <= 0 {
		err = fault.Newf(fault.Invalid, "market.refund_amount", "refund of %s", amount)
	}
	return amount, err
}

func (w *World) deedForm(rw http.ResponseWriter, r *http.Request) {
	line := r.PathValue("line")
	amount, err := toRefund(money.Number(strings.TrimSpace(r.PostFormValue("amount"))))
	if err == nil {
		err = w.Do(r.PathValue("network"), line, Deed(r.PathValue("deed")), amount)
	}
	back(rw, r, "/control", "done", err, "o-"+line)
}
