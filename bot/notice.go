package bot

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/bot/locale"
	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Render puts a notice into words, in the language of whom it is for. It fails
// with fault.Invalid for a kind that it has no words for.
func (b *Bot) Render(ctx context.Context, m notify.Message) (Reply, error) {
	u, err := b.Users.User(ctx, m.User)
	if err != nil {
		return Reply{}, fault.In("bot.Render", err)
	}
	v := b.voice(u.Locale)
	switch m.Kind {
	case notify.WithdrawalNews:
		return told(m, func(c withdraw.Changed) (Reply, error) { return b.withdrawalNews(ctx, v, c) })
	case notify.AutopayNews:
		return b.autopayHeld(v, m)
	case notify.CutNews:
		return v.cutNews(m)
	case notify.BonusNews:
		return v.bonusNews(m)
	case notify.MembershipNews:
		return told(m, func(c user.MembershipChanged) (Reply, error) { return v.membershipNews(c), nil })
	case notify.PayeeNews:
		return told(m, func(c user.PayeeChanged) (Reply, error) { return v.payeeNews(c), nil })
	case notify.MergeNews:
		return told(m, func(c user.MergeChanged) (Reply, error) { return v.mergeNews(c), nil })
	case notify.ChargeNews:
		return told(m, func(c collect.Changed) (Reply, error) { return v.chargeNews(c), nil })
	case notify.ClaimNews:
		return told(m, func(c order.ClaimChanged) (Reply, error) { return v.claimNews(c), nil })
	default:
		return told(m, func(c credit.Change) (Reply, error) {
			r, ok := v.news(m.Kind, c)
			if !ok {
				return Reply{}, fault.Newf(fault.Invalid, "", "no words for a notice of kind %q", m.Kind)
			}
			return r, nil
		})
	}
}

// told reads what a message is about and puts it into words.
func told[T any](m notify.Message, say func(T) (Reply, error)) (Reply, error) {
	var c T
	if err := json.Unmarshal(m.Data, &c); err != nil {
		return Reply{}, fault.Wrap(fault.Invalid, "bot.Render", err)
	}
	return say(c)
}

// news tells what became of the money of an order.
func (v voice) news(kind notify.Kind, c credit.Change) (r Reply, ok bool) {
	title, network := clean(c.Title, listTitleRunesMax), v.network(c.Key.Network)
	number := cutNumber(c.Order)
	switch kind {
	case notify.OrderSeen:
		r = v.say("notice.seen", "title", title, "number", number, "network", network, "amount", c.Now.Yuan())
	case notify.Received:
		r = v.say("notice.received", "title", title, "network", network, "amount", c.Now.Yuan())
		if !c.Expect.IsZero() {
			r.Text += v.T("notice.expect", "date", v.date(c.Expect))
		}
	case notify.RebateSettled:
		r = v.say("notice.settled", "title", title, "network", network, "amount", c.Now.Yuan(), "due", v.date(c.Due))
	case notify.RebateReady:
		r = v.say("notice.ready", "title", title, "amount", c.Now.Yuan())
		if c.Repaid > 0 {
			r.Text += v.T("notice.repaid", "amount", c.Repaid.Yuan())
		}
		r.Buttons = []Button{v.next("withdraw"), v.next("balance")}
		return r, true
	case notify.RebateChanged:
		r = v.say("notice.changed", "title", title, "before", c.Before.Yuan(), "now", c.Now.Yuan())
	case notify.RebateRevoked:
		r = v.say("notice.revoked", "title", title, "before", c.Before.Yuan(), "why", v.whyGone(c))
	case notify.RebateClawed:
		r = v.say("notice.clawed", "title", title, "before", c.Before.Yuan(), "now", c.Now.Yuan(), "debt", c.Debt.Yuan())
		r.Buttons = []Button{v.next("balance"), v.next("statement")}
		return r, true
	case notify.WithdrawalNews, notify.ClaimNews, notify.AutopayNews, notify.BonusNews, notify.CutNews, notify.MembershipNews, notify.ChargeNews,
		notify.MergeNews, notify.PayeeNews:
		return Reply{}, false
	default:
		return Reply{}, false
	}
	r.Buttons = []Button{v.next("order", c.Order), v.next("balance")}
	return r, true
}

// whyGone says why an order brings nothing any more.
func (v voice) whyGone(c credit.Change) string {
	if text, ok := v.reason(c.Why); ok {
		return text
	}
	if c.State != order.Invalid {
		return v.T("why.gone")
	}
	return v.T("why.invalid")
}

// withdrawalNews tells what became of a withdrawal. One that waits for its payee
// comes with the page where they confirm.
func (b *Bot) withdrawalNews(ctx context.Context, v voice, c withdraw.Changed) (Reply, error) {
	id := strconv.FormatInt(c.ID, 10)
	if c.Auto && c.Was == "" {
		return v.autopayMade(id, c), nil
	}
	if c.State == withdraw.Confirming {
		link, err := b.confirmLink(ctx, c)
		if err != nil {
			return Reply{}, err
		}
		r := v.say("notice.withdrawal.confirm_plain", "id", id, "amount", c.Amount.Yuan(), "payee", c.Payee)
		if link != "" {
			r = v.say("notice.withdrawal.confirming", "id", id, "amount", c.Amount.Yuan(), "payee", c.Payee, "link", link)
		}
		if c.Auto {
			r.Text = v.T("notice.autopay.mark") + r.Text
		}
		r.Buttons = []Button{v.next("withdrawals"), v.next("cancelwithdrawal")}
		return r, nil
	}
	r := v.say("notice.withdrawal."+string(c.State), "id", id, "amount", c.Amount.Yuan(), "payee", c.Payee)
	if c.Auto {
		r.Text = v.T("notice.autopay.mark") + r.Text
	}
	if text := v.because(c.Reason); text != "" && c.State != withdraw.Paid {
		r.Text += "\n" + text
	}
	r.Buttons = []Button{v.next("withdrawals"), v.next("balance")}
	return r, nil
}

// confirmLink returns the page where the payee of a withdrawal confirms it; ""
// where there is none, or not any more.
func (b *Bot) confirmLink(ctx context.Context, c withdraw.Changed) (string, error) {
	if b.ConfirmURL == nil {
		return "", nil
	}
	ws, err := b.Withdrawals.OfUser(ctx, c.User, 0, openLook)
	if err != nil {
		return "", fault.In("bot.Withdrawals", err)
	}
	for _, w := range ws {
		if w.ID == c.ID && w.State == withdraw.Confirming {
			return b.ConfirmURL(w), nil
		}
	}
	return "", nil
}

// bonusNews tells of a bonus that nobody asked for.
func (v voice) bonusNews(m notify.Message) (Reply, error) {
	var g credit.Given
	if err := json.Unmarshal(m.Data, &g); err != nil {
		return Reply{}, fault.Wrap(fault.Invalid, "bot.Render", err)
	}
	var r Reply
	switch {
	case g.Kind == ledger.Campaign:
		r = v.say("notice.bonus.campaign", "name", clean(g.Name, listTitleRunesMax), "amount", g.Amount.Yuan())
	case g.Name == "invited":
		r = v.say("notice.bonus.invited", "amount", g.Amount.Yuan())
	default:
		r = v.say("notice.bonus.inviter", "amount", g.Amount.Yuan())
	}
	r.Buttons = []Button{v.next("balance"), v.next("statement")}
	return r, nil
}

// cutNews tells an inviter what became of their parts of friends' orders: of whose,
// and of what they bought, nothing.
func (v voice) cutNews(m notify.Message) (Reply, error) {
	var c notify.Cuts
	if err := json.Unmarshal(m.Data, &c); err != nil {
		return Reply{}, fault.Wrap(fault.Invalid, "bot.Render", err)
	}
	var lines []string
	if c.Given > 0 {
		lines = append(lines, v.T("notice.cuts.given", "n", count(c.Lines), "amount", c.Given.Yuan()))
	}
	if c.Taken > 0 {
		lines = append(lines, v.T("notice.cuts.taken", "amount", c.Taken.Yuan()))
	}
	if c.Debt > 0 {
		lines = append(lines, v.T("notice.cuts.debt", "amount", c.Debt.Yuan()))
	}
	return Reply{Text: strings.Join(lines, "\n"), Buttons: []Button{v.next("balance"), v.next("statement")}}, nil
}

// claimNews tells what became of a claim, by the date that was promised.
func (v voice) claimNews(c order.ClaimChanged) Reply {
	r := v.say("notice.claim."+string(c.State), "number", cutNumber(c.Order), "network", v.network(c.Network), "until", v.date(c.Until))
	if text := v.because(c.Note); text != "" && c.State == order.ClaimRefused {
		r.Text += "\n" + text
	}
	switch c.State {
	case order.ClaimGranted:
		r.Buttons = []Button{v.next("orders")}
	case order.ClaimRefused, order.ClaimExpired:
		r.Buttons = []Button{v.next("orders")}
		if !c.Final {
			r.Buttons = []Button{v.next("appeal", c.Order), v.next("orders")}
		}
	default:
		r.Buttons = []Button{v.next("claims")}
	}
	return r
}

// A Deliverer brings notices to people where they were last seen.
type Deliverer struct {
	Bot      *Bot // knows the words and the people
	Channels []Channel
	Timeout  time.Duration // for one notice
	// Outbox delivers on the channels that it takes; optional.
	Outbox Outbox
}

var _ notify.Sender = (*Deliverer)(nil)

// A Notice is a notice in words, on its way to a person.
type Notice struct {
	Key   string // unique
	User  int64
	Kind  string        // of what it tells, for channels that have forms for that
	Topic user.Topic    // what turns it off; "" for what is told in any case, at once
	Title string        // of the goods that it is about; "" for none
	To    user.Identity // where it goes
	Reply Reply
	Tried []user.Identity // where they could not be reached
	Hours user.Quiet      // the person's own quiet hours, as they are when it is carried
}

// An Outbox keeps notices and delivers them in turn with the answers of their chats.
type Outbox interface {
	// Takes reports whether it delivers on a channel.
	Takes(channel string) bool
	// Notice keeps a notice, once for its key and channel. It has been told then, as far
	// as anybody else is concerned.
	Notice(ctx context.Context, n Notice) error
}

// Send tells a user something on the channel that they used last. If they cannot
// be reached there at all, the one before is tried, and so on; it fails with
// fault.NotFound if none is left. A channel that is merely slow or limited is not
// passed over: the notice would end where nobody looks. Where the Outbox takes the
// channel the notice is told once that has it; it asks Elsewhere by itself.
func (d *Deliverer) Send(ctx context.Context, m notify.Message) error {
	if d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	r, err := d.Bot.Render(ctx, m)
	if err != nil {
		return err
	}
	n := Notice{Key: m.Key, User: m.User, Kind: string(m.Kind), Topic: m.Topic(), Title: titleOf(m), Reply: r}
	if m.Kind == notify.MergeNews || m.Kind == notify.PayeeNews {
		return fault.In("bot.Deliver", d.everywhere(ctx, n, m.Tries))
	}
	next, err := d.Elsewhere(ctx, n)
	if err == nil && next != nil {
		err = d.Outbox.Notice(ctx, *next)
	}
	return fault.In("bot.Deliver", err)
}

// titleOf returns the title of the goods that a message is about; "" for none.
func titleOf(m notify.Message) string {
	var c struct {
		Title string `json:"title"`
	}
	if json.Unmarshal(m.Data, &c) != nil {
		return ""
	}
	return clean(c.Title, listTitleRunesMax)
}

// Elsewhere looks where a notice can go that did not reach its person where it went. It
// returns what the Outbox is to take, or nil if they have been told on a channel that it
// does not take; and fault.NotFound if no channel is left.
func (d *Deliverer) Elsewhere(ctx context.Context, n Notice) (*Notice, error) {
	n.Tried = slices.Clone(n.Tried)
	if n.To != (user.Identity{}) {
		n.Tried = append(n.Tried, n.To)
	}
	ids, err := d.Bot.Users.Identities(ctx, n.User)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if slices.Contains(n.Tried, id) {
			continue
		}
		if d.Outbox != nil && d.Outbox.Takes(id.Channel) {
			n.To = id
			return &n, nil
		}
		c := d.channel(id.Channel)
		if c == nil {
			continue
		}
		if err := tell(ctx, c, id, n.Key, n.Reply); !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		n.Tried = append(n.Tried, id)
	}
	return nil, outOfReach(n.User, ids)
}

// outOfReach says why nobody is left to try: that is no failure where somebody talks
// with us only through a program.
func outOfReach(id int64, ids []user.Identity) error {
	reason := ""
	if len(ids) > 0 && !slices.ContainsFunc(ids, func(i user.Identity) bool { return !i.Program() }) {
		reason = notify.NoChannel
	}
	return fault.Newf(fault.NotFound, reason, "user %d cannot be reached on any of %d channels", id, len(ids))
}

// tell tells a person something on a channel that the Outbox does not take: once for its
// key, where the channel keeps what it has told.
func tell(ctx context.Context, c Channel, to user.Identity, key string, r Reply) error {
	if k, ok := c.(Keeper); ok {
		return k.SendOnce(ctx, to, key, r)
	}
	return c.Send(ctx, to, r)
}

func (d *Deliverer) channel(name string) Channel {
	for _, c := range d.Channels {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// Looking tells a person whose answer takes a while, in the language of a channel's hint.
// Channels that can put the answer in its place do.
func Looking(hint string) Reply {
	return Reply{Text: locale.For(locale.Match(hint)).T("waiting.looking")}
}

// TooMany tells a person of whose messages too many wait, in the language of a
// channel's hint.
func TooMany(hint string) Reply {
	return Reply{Text: locale.For(locale.Match(hint)).T("reason.message.too_many")}
}
