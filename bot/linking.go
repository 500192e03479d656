package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// Linking makes accounts of one person one.
type Linking interface {
	MakeLinkCode(ctx context.Context, user int64) (user.LinkCode, error)
	PreviewLink(ctx context.Context, user int64, code string) (user.Preview, error)
	Link(ctx context.Context, user, other int64, code string) (user.Merge, error)
	LastMerge(ctx context.Context, user int64) (user.Merge, error)
	Unlink(ctx context.Context, user int64) (user.Merge, error)
}

// ordersLook is how many of an account's orders are counted before they are linked.
const ordersLook = 50

// link makes a code that links another account to this one, or takes one.
func (t *turn) link(ctx context.Context, args string) (Reply, error) {
	if t.bot.Linking == nil {
		return t.say("link.off"), nil
	}
	if args != "" {
		return t.previewLink(ctx, args)
	}
	c, err := t.bot.Linking.MakeLinkCode(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.MakeLinkCode", err)
	}
	word := commandWord(t.words.Tag(), "link") + " " + c.Code
	r := t.say("link.code", "word", word, "minutes", count(int(c.Until.Sub(t.now)/time.Minute)))
	r.Buttons = []Button{{Label: t.T("button.code_link"), Copy: word}}
	return r, nil
}

// previewLink shows what would come together, and waits for the word.
func (t *turn) previewLink(ctx context.Context, code string) (Reply, error) {
	t.state.Confirm = nil
	p, err := t.bot.Linking.PreviewLink(ctx, t.user.ID, code)
	if err != nil {
		return Reply{}, fault.In("bot.PreviewLink", err)
	}
	ws, err := t.bot.Withdrawals.OfUser(ctx, p.Absorbed(), 0, openLook)
	if err != nil {
		return Reply{}, fault.In("bot.Withdrawals", err)
	}
	if open(ws) {
		return t.refuse("merge.withdrawal"), nil
	}
	mine, err := t.side(ctx, t.T("link.mine"), p.Mine)
	if err != nil {
		return Reply{}, err
	}
	theirs, err := t.side(ctx, t.T("link.theirs"), p.Theirs)
	if err != nil {
		return Reply{}, err
	}
	c := t.expect(confirm{Link: strings.TrimSpace(code), Other: p.Theirs.User})
	joined := p.Mine.Joined
	if p.Survivor == p.Theirs.User {
		joined = p.Theirs.Joined
	}
	theirs.Notes = []string{
		t.T("link.survives", "date", t.date(joined)),
		t.T("link.payee"),
		t.T("link.window", "hours", count(int(user.UndoWindow/time.Hour)), "word", commandWord(t.words.Tag(), "unlink")),
		t.T("confirm.how", "word", t.confirmAction(c), "minutes", count(int(confirmTTL/time.Minute))),
	}
	return Reply{Text: t.T("link.preview"), Cards: []Card{mine, theirs}, Buttons: t.linkButtons(c)}, nil
}

// linkButtons confirm a linking or its end, or leave it.
func (t *turn) linkButtons(c *confirm) []Button {
	label := t.T("button.confirm_link")
	if c.Unlink != 0 {
		label = t.T("button.confirm_unlink")
	}
	return []Button{{Label: label, Action: t.confirmAction(c)}, t.next("cancel")}
}

// side shows what one account brings along, nothing of who it is elsewhere.
func (t *turn) side(ctx context.Context, title string, s user.Side) (Card, error) {
	w, err := t.bot.Money.Wallet(ctx, s.User)
	if err != nil {
		return Card{}, fault.In("bot.Wallet", err)
	}
	ls, err := t.bot.Orders.OfUser(ctx, s.User, 0, ordersLook)
	if err != nil {
		return Card{}, fault.In("bot.OfUser", err)
	}
	var channels []string
	for _, name := range s.Channels {
		channels = append(channels, t.channel(name))
	}
	orders := count(len(ls))
	if len(ls) == ordersLook {
		orders += "+"
	}
	c := Card{Title: title, Rows: []Row{
		{Label: t.T("link.channels"), Value: strings.Join(channels, t.T("format.and"))},
		{Label: t.T("pocket.available"), Value: w.Available.Yuan(), Strong: true},
		{Label: t.T("pocket.pending"), Value: w.Pending.Yuan()},
	}}
	add := func(label, value string) { c.Rows = append(c.Rows, Row{Label: label, Value: value}) }
	if w.Reserved > 0 {
		add(t.T("pocket.reserved"), w.Reserved.Yuan())
	}
	if w.Debt > 0 {
		add(t.T("pocket.debt"), w.Debt.Yuan())
	}
	add(t.T("link.orders"), orders)
	if s.Level > 0 {
		add(t.T("link.level"), strconv.Itoa(s.Level))
	}
	if s.Invited {
		add(t.T("link.inviter"), t.T("link.has_inviter"))
	}
	if method, masked, ok := strings.Cut(s.Payee, " "); ok {
		add(t.T("withdraw.payee"), t.T("payee.method."+method)+" "+masked)
	}
	return c, nil
}

// doLink begins to link what was shown.
func (t *turn) doLink(ctx context.Context, c *confirm) (Reply, error) {
	_, err := t.bot.Linking.Link(ctx, t.user.ID, c.Other, c.Link)
	if err != nil {
		t.state.Confirm = nil
		return Reply{}, fault.In("bot.Link", err)
	}
	c.Done = true
	return t.say("link.begun"), nil
}

// unlink proposes to undo the newest linking.
func (t *turn) unlink(ctx context.Context, _ string) (Reply, error) {
	t.state.Confirm = nil
	if t.bot.Linking == nil {
		return t.say("link.off"), nil
	}
	m, err := t.bot.Linking.LastMerge(ctx, t.user.ID)
	switch {
	case err != nil:
		return Reply{}, fault.In("bot.LastMerge", err)
	case m.Stage.UnderWay():
		return t.refuse("merge.under_way"), nil
	case t.now.After(m.Until()):
		return t.refuse("merge.window"), nil
	}
	c := t.expect(confirm{Unlink: m.ID})
	r := t.say("unlink.ask", "date", t.date(m.At), "until", t.date(m.Until()), "word", t.confirmAction(c))
	r.Buttons = t.linkButtons(c)
	return r, nil
}

// doUnlink begins to undo it.
func (t *turn) doUnlink(ctx context.Context, c *confirm) (Reply, error) {
	_, err := t.bot.Linking.Unlink(ctx, t.user.ID)
	if err != nil {
		t.state.Confirm = nil
		return Reply{}, fault.In("bot.Unlink", err)
	}
	c.Done = true
	return t.say("unlink.begun"), nil
}

// merging answers for commands about money while accounts are being linked, or are
// being taken apart: what they would show is on its way.
func (t *turn) merging(ctx context.Context, c command) (Reply, bool, error) {
	if t.bot.Linking == nil || !t.movesMoney(c) {
		return Reply{}, false, nil
	}
	m, err := t.bot.Linking.LastMerge(ctx, t.user.ID)
	switch {
	case fault.Is(err, fault.NotFound):
		return Reply{}, false, nil
	case err != nil:
		return Reply{}, false, fault.In("bot.LastMerge", err)
	case m.Stage.UnderWay():
		return t.refuse("merge.under_way"), true, nil
	default:
		return Reply{}, false, nil
	}
}

// movesMoney reports whether a command is about money, or confirms what is.
func (t *turn) movesMoney(c command) bool {
	p := t.state.Confirm
	return c.section == sectionMoney || c.name == "confirm" && p != nil && p.Link == "" && p.Unlink == 0
}

// theirs reports whether an account is this person's: theirs, or one that was linked.
func (t *turn) theirs(ctx context.Context, account int64) (bool, error) {
	if account == 0 || account == t.user.ID {
		return account != 0, nil
	}
	u, err := t.bot.Users.User(ctx, account)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return u.ID == t.user.ID, fault.In("bot.User", err)
}

// mergeNews tells what became of a linking. It is about safety, and goes to all channels.
func (v voice) mergeNews(c user.MergeChanged) Reply {
	var r Reply
	switch {
	case c.Stage == user.MergeDone && c.Reason == "":
		r = v.say("notice.merge.done", "word", commandWord(v.words.Tag(), "unlink"), "until", v.date(c.At.Add(user.UndoWindow)))
		r.Buttons = []Button{v.next("balance"), v.next("unlink")}
	case c.Stage == user.MergeUndone:
		r = v.say("notice.merge.undone")
		r.Buttons = []Button{v.next("balance")}
	case c.Stage == user.MergeDone:
		r = v.say("notice.merge.kept", "why", v.because(c.Reason))
		r.Buttons = []Button{v.next("balance")}
	default:
		r = v.say("notice.merge.refused", "why", v.because(c.Reason))
		r.Buttons = []Button{v.next("link")}
	}
	return r
}

// payeeNews tells that money goes elsewhere from now on, to whoever has not done that.
func (v voice) payeeNews(c user.PayeeChanged) Reply {
	r := v.say("notice.payee", "payee", v.T("payee.method."+c.Method)+" "+c.Payee)
	r.Buttons = []Button{v.next("payee"), v.next("support")}
	return r
}

// everywhereTries is how often a notice for all channels is tried anew although some
// have it: those would have it again each time.
const everywhereTries = 3

// everywhere sends a notice on all of a person's channels, of which tries have been made
// before. It fails with fault.NotFound if none can reach them.
func (d *Deliverer) everywhere(ctx context.Context, n Notice, tries int) error {
	ids, err := d.Bot.Users.Identities(ctx, n.User)
	if err != nil {
		return err
	}
	reached := false
	var failed error
	for i := range ids {
		switch err := d.onlyThere(ctx, n, ids, i); {
		case err == nil:
			reached = true
		case !fault.Is(err, fault.NotFound):
			failed = err
		}
	}
	switch {
	case failed != nil && (!reached || tries < everywhereTries):
		return failed
	case !reached:
		return outOfReach(n.User, ids)
	default:
		return nil
	}
}

// onlyThere sends a notice where the i-th of a person's identities is, and nowhere else.
func (d *Deliverer) onlyThere(ctx context.Context, n Notice, ids []user.Identity, i int) error {
	if d.Outbox != nil && d.Outbox.Takes(ids[i].Channel) {
		sum := sha256.Sum256([]byte(ids[i].Channel + "\n" + ids[i].External))
		n.Key += "/" + hex.EncodeToString(sum[:8])
		n.To, n.Tried = ids[i], slices.Delete(slices.Clone(ids), i, i+1) // the others have their own
		return d.Outbox.Notice(ctx, n)
	}
	c := d.channel(ids[i].Channel)
	if c == nil {
		return fault.New(fault.NotFound, "")
	}
	return tell(ctx, c, ids[i], n.Key, n.Reply)
}
