package desk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/order"
	"fanli/core/withdraw"
)

// An Alert is something that staff should be told without asking. It holds no personal
// data.
type Alert struct {
	Key     string // what it is about
	What    Stable // in one word
	Station string // the target that says it; "" for what happens once
	Items   []Item
}

// What alerts say.
const (
	ToReview  Stable = "to_review"  // a withdrawal waits for a person
	ToSecond  Stable = "to_second"  // for a second one
	NotPaid   Stable = "not_paid"   // a payer does not say what became of one
	Stopped   Stable = "stopped"    // a switch is on that no person has turned
	BadBooks  Stable = "bad_books"  // the books are not sound
	FeedStill Stable = "feed_still" // a stream of orders stands still
	DeadMail  Stable = "dead_mail"  // events or messages were given up
	DayOver   Stable = "day_over"   // the report of a day

	MergeStuck  Stable = "merge_stuck"  // accounts are being linked, and it does not get on
	MailDead    Stable = "mail_dead"    // messages did not reach people, or were not answered
	Downgraded  Stable = "downgraded"   // a platform has refused us a right
	HookSick    Stable = "hook_sick"    // a platform cannot deliver to us
	TokenBad    Stable = "token_bad"    // a platform does not take us for who we are
	GroupDeaf   Stable = "group_deaf"   // what staff write in their group does not reach us
	ChargeHeld  Stable = "charge_held"  // money came that is not what was asked for, or does not go back
	MemberTaken Stable = "member_taken" // somebody wanted to bind a shop's account that is somebody else's
	BillDiffers Stable = "bill_differs" // a payer's or collector's bill does not agree
)

// lasts reports whether staff are told that it is over. What somebody has to decide is
// over once they have, which they have seen, and what has happened is not; that books are sound again only a proof says,
// and processes forget those.
func lasts(what Stable) bool {
	return !slices.Contains([]Stable{ToReview, ToSecond, BadBooks, DayOver, MemberTaken}, what)
}

// alertField is the label under which a station says what an alert is.
const alertField Label = "alert"

// alertItem makes an alert travel as an item.
func alertItem(key string, what Stable, i Item) Item {
	i.Fields = append([]Field{{Label: alertField, Kind: Word, Text: string(what), Was: key}}, i.Fields...)
	return i
}

// AlertItem is how other parts of a station say an alert.
func AlertItem(key string, what Stable, i Item) Item { return alertItem(key, what, i) }

// alertOf is the opposite of alertItem.
func alertOf(i Item) Alert {
	if len(i.Fields) == 0 || i.Fields[0].Label != alertField {
		return Alert{Key: string(i.Title) + "/" + i.ID, Items: []Item{i}}
	}
	f := i.Fields[0]
	i.Fields = i.Fields[1:]
	return Alert{Key: f.Was, What: Stable(f.Text), Items: []Item{i}}
}

// longUnclear is after how long a payer's silence is told.
const longUnclear = 30 * time.Minute

// alerts are those of money.
func (p Payment) alerts(ctx context.Context, _ Act) (out Answer, err error) {
	ws, err := p.waiting(ctx)
	if err != nil {
		return out, err
	}
	for _, w := range ws {
		i := withdrawalItem(w, true)
		i.Fields = slices.DeleteFunc(i.Fields, func(f Field) bool { return f.Label == LPayee })
		key := fmt.Sprintf("withdrawal/%d/%s", w.ID, w.State)
		switch {
		case w.State == withdraw.Reviewing && w.First != "":
			out.Items = append(out.Items, alertItem(key+"/second", ToSecond, i))
		case w.State == withdraw.Reviewing, w.State == withdraw.Requested:
			out.Items = append(out.Items, alertItem(key, ToReview, i))
		case w.State == withdraw.Unknown && p.Now().Sub(w.Changed) > longUnclear:
			out.Items = append(out.Items, alertItem(key, NotPaid, i))
		}
	}
	more, err := p.takings(ctx)
	if err != nil {
		return out, err
	}
	out.Items = append(out.Items, more.Items...)
	on, err := p.on(ctx)
	for _, s := range on {
		if !strings.Contains(s.By, ":") && s.By != "cli" { // no person has turned it
			out.Items = append(out.Items, alertItem("switch/"+string(s.Scope), Stopped, switchItem(s)))
		}
	}
	return out, err
}

// alerts are those of streams of orders.
func (o Ordering) alerts(ctx context.Context, _ Act) (out Answer, err error) {
	ps, err := o.places(ctx)
	for _, p := range ps {
		if o.Stall > 0 && o.Now().Sub(p.At) > o.Stall {
			i := o.feedItem(p)
			out.Items = append(out.Items, alertItem("feed/"+i.ID, FeedStill, i))
		}
	}
	if err != nil {
		return out, err
	}
	cs, err := o.contests(ctx)
	for _, c := range cs {
		out.Items = append(out.Items, alertItem("member/"+strconv.FormatInt(c.ID, 10), MemberTaken, contestItem(c)))
	}
	return out, err
}

// contestTime is for how long staff are told that somebody wanted to bind an account that
// is somebody else's; contestsMax bounds how many are looked at.
const (
	contestTime = 3 * 24 * time.Hour
	contestsMax = 50
)

func (o Ordering) contests(ctx context.Context) ([]order.Contest, error) {
	return o.Book.Store.Contests(ctx, o.Now().Add(-contestTime), contestsMax)
}

func contestItem(c order.Contest) Item {
	return Item{Title: LMember, ID: c.Masked(), Wrong: true, Fields: []Field{
		word(LNetwork, c.Network), moment(LAt, c.At), text(LUser, fmt.Sprintf("#%d", c.User)), text(LOwner, fmt.Sprintf("#%d", c.Owner)),
	}}
}

// memberItem shows an account that is bound to a user.
func memberItem(m order.Member) Item {
	return Item{Title: LMember, ID: m.Masked(), Fields: []Field{word(LNetwork, m.Network), moment(LSince, m.At)}}
}

// BooksAlert is what is said of books that are not sound.
func BooksAlert(at time.Time) Item {
	return alertItem("books", BadBooks, Item{Title: LBooks, Wrong: true, Fields: []Field{
		word(LState, string(WUnsound)), moment(LAt, at),
	}})
}

// DeadAlert is what is said of events that were given up.
func DeadAlert(target string, n int64) Item {
	return alertItem("dead/"+target, DeadMail, Item{Title: LEvents, ID: target, Wrong: true, Fields: []Field{count(LDead, n)}})
}

// TargetItem is how a target is.
func TargetItem(target, build string, started time.Time, waiting, dead int64) Item {
	return Item{Title: LTarget, ID: target, Wrong: dead > 0, Fields: []Field{
		text(LVersionOf, build), moment(LUptime, started), count(LEvents, waiting), count(LDead, dead),
	}}
}
