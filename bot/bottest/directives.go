package bottest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	fen "fanli/core/money"
	"fanli/core/order"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// directives are what can happen in a fake world. Orders are named by the place
// in which they were bought, from 1:
//
//	buy kettle [2] [by bob]   somebody buys what they got a link for last, and pays
//	order kettle [by bob]     the same without paying
//	earn kettle [by bob]      all at once: a link, an order, settled and available, told to nobody
//	stray kettle [2345678901]  somebody we do not know buys through nobody's link, with an account that is named
//	pay|receive|settle|cancel|violate 1
//	refund 1 10.00
//	clock 3m | 7d             time passes
//	level 1                   everybody has reached a level
//	stall jd | heal jd        a network stops answering, and starts again
//	away rebate | back rebate a target is away, or a network (network/jd), for as long as the ladder needs to see it
//	crowd 90                  how full the house is, in percent
//	payer dead reason | unclear | waiting | short | done
//	till pay [amount] | back  the newest charge is paid, or given back by staff
//	switch on payouts [words] | off payouts
//	payout                    the payout job runs
//	invitations 5.00 2.00     what inviters and those whom they invite get from here on
//	autopay                   the job of automatic withdrawals runs
//	approve|refuse 1 [words]  staff decides about a withdrawal
//	staff bob finance [as ann]  somebody is staff, perhaps another identity of a member
//	alarms                    staff are told what they should hear unasked
//	foureyes 100.00           above this two have to approve
//	grant|deny 1 [words]      staff decides about a claim
//	members on | bind 2345678901 ann  Taobao accounts can be bound; one is
func (f *Fake) directives() map[string]func(args ...string) error {
	step := func(change func(*market.Market, string) error) func(...string) error {
		return func(args ...string) error { return f.happen(args, change) }
	}
	return map[string]func(args ...string) error{
		"buy":     func(args ...string) error { return f.buy(true, args...) },
		"order":   func(args ...string) error { return f.buy(false, args...) },
		"earn":    f.earn,
		"stray":   f.stray,
		"pay":     step((*market.Market).Pay),
		"receive": step((*market.Market).Receive),
		"settle":  step((*market.Market).Settle),
		"cancel":  step((*market.Market).Cancel),
		"violate": step((*market.Market).Violate),
		"refund":  f.refund,
		"clock":   f.pass,
		"level":   f.setLevel,
		"pages":   f.setPages,
		"stall":   func(args ...string) error { return f.fail(errStalled, args...) },
		"heal":    func(args ...string) error { return f.fail(nil, args...) },
		"away":    func(args ...string) error { return f.leave(true, args...) },
		"back":    func(args ...string) error { return f.leave(false, args...) },
		"crowd":   f.crowd,
		"payer":   f.setPayer,
		"payout":  f.payout,
		"autopay": f.autopay,
		"staff":   f.hire,
		"alarms":  f.alarms,
		"till":    f.atTill,
		"members": f.setMembers,

		"foureyes":    f.fourEyes,
		"invitations": f.setInvitations,
		"switch":      f.turnSwitch,
		"approve":     func(args ...string) error { return f.decide(true, args...) },
		"refuse":      func(args ...string) error { return f.decide(false, args...) },
		"grant":       func(args ...string) error { return f.decideClaim(true, args...) },
		"deny":        func(args ...string) error { return f.decideClaim(false, args...) },
	}
}

// turnSwitch turns a switch: "switch on SCOPE TEXT", "switch off SCOPE".
func (f *Fake) turnSwitch(args ...string) error {
	if len(args) < 2 {
		return errUsage
	}
	return f.board.Set(context.Background(), control.Switch{
		Scope: control.Scope(args[1]), On: args[0] == "on", By: "cli", Why: "a dialogue", Text: strings.Join(args[2:], " "),
	})
}

var errUsage = errors.New("not said how")

// after lets a second pass, so that no two states of an order are of the same
// moment, and lets everything follow.
func (f *Fake) after(err error) error {
	if err != nil {
		return err
	}
	f.Clock.Move(time.Second)
	return f.Settle(context.Background())
}

// buy places an order through the latest link for the goods.
func (f *Fake) buy(pay bool, args ...string) error {
	if len(args) == 0 {
		return errUsage
	}
	quantity, who := 1, "ann"
	for i, a := range args[1:] {
		if n, err := strconv.Atoi(a); err == nil {
			quantity = n
		}
		if a == "by" && i+2 < len(args) {
			who = args[i+2]
		}
	}
	u, err := f.users.Store.ByIdentity(context.Background(), user.Identity{Channel: channel, External: who})
	if err != nil {
		return err
	}
	for _, n := range f.networks {
		g, ok := n.book.Goods(args[0])
		if !ok {
			continue
		}
		l, err := f.links.Store.Recent(context.Background(), u.ID, n.name, g.ID, time.Time{})
		if err != nil {
			return fmt.Errorf("%s has no link for %s: %w", who, args[0], err)
		}
		return f.place(n, market.Click{Item: g.ID, Tag: l.Mark.Tag, Slot: l.Mark.Slot}, quantity, pay)
	}
	return fmt.Errorf("no shop sells %s", args[0])
}

// earn makes a rebate available.
func (f *Fake) earn(args ...string) error {
	ctx, who := context.Background(), "ann"
	if len(args) == 3 {
		who = args[2]
	}
	u, _, err := f.users.Resolve(ctx, user.Identity{Channel: channel, External: who}, "zh")
	if err != nil {
		return err
	}
	for _, n := range f.networks {
		g, ok := n.book.Goods(args[0])
		if !ok {
			continue
		}
		if _, err := f.links.Make(ctx, u.ID, link.Ref{Network: n.name, Kind: link.Item, ID: g.ID}); err != nil {
			return err
		}
		if err := f.after(nil); err != nil {
			return err
		}
		if err := f.buy(true, args...); err != nil {
			return err
		}
		bought := []string{strconv.Itoa(len(f.lines))}
		for _, change := range []func(*market.Market, string) error{(*market.Market).Receive, (*market.Market).Settle} {
			if err := f.happen(bought, change); err != nil {
				return err
			}
		}
		err := f.pass("7d")
		f.Told()
		return err
	}
	return fmt.Errorf("no shop sells %s", args[0])
}

// stray buys without a link of ours.
func (f *Fake) stray(args ...string) error {
	for _, n := range f.networks {
		if g, ok := n.book.Goods(args[0]); ok {
			return f.place(n, market.Click{Item: g.ID, Slot: "elsewhere", Buyer: strings.Join(args[1:], "")}, 1, true)
		}
	}
	return fmt.Errorf("no shop sells %s", args[0])
}

func (f *Fake) place(n *network, c market.Click, quantity int, pay bool) error {
	f.Clock.Move(time.Second)
	l, err := n.book.Buy(c, quantity, numbers(n.name))
	if err != nil {
		return err
	}
	if pay {
		if err := n.book.Pay(l.ID); err != nil {
			return err
		}
	}
	f.lines = append(f.lines, placed{n.name, l.ID})
	return f.after(f.pull(n, l.ID))
}

// pull lets the feed tell of a line.
func (f *Fake) pull(n *network, id string) error {
	l, _ := n.book.Line(id)
	_, err := f.book.Apply(context.Background(), order.Page{Revisions: []order.Revision{n.revision(l)}}, nil)
	return err
}

// line finds an order by its place.
func (f *Fake) line(args []string) (*network, string, error) {
	if len(args) == 0 {
		return nil, "", errUsage
	}
	i, err := strconv.Atoi(args[0])
	if err != nil || i < 1 || i > len(f.lines) {
		return nil, "", fmt.Errorf("no order %s", args[0])
	}
	return f.networks[f.lines[i-1].network], f.lines[i-1].line, nil
}

func (f *Fake) happen(args []string, change func(*market.Market, string) error) error {
	n, id, err := f.line(args)
	if err != nil {
		return err
	}
	if err := change(n.book, id); err != nil {
		return err
	}
	return f.after(f.pull(n, id))
}

func (f *Fake) refund(args ...string) error {
	if len(args) != 2 {
		return errUsage
	}
	amount, err := fen.ParseYuan(args[1], fen.Exact)
	if err != nil {
		return err
	}
	return f.happen(args[:1], func(m *market.Market, id string) error { return m.Refund(id, amount) })
}

func (f *Fake) pass(args ...string) error {
	text := strings.Join(args, "")
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			return err
		}
		text = strconv.Itoa(24*n) + "h"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	f.Clock.Move(d)
	return f.after(nil)
}

func (f *Fake) decideClaim(grant bool, args ...string) error {
	if len(args) == 0 {
		return errUsage
	}
	id, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	_, err = f.book.DecideClaim(context.Background(), id, grant, "staff", strings.Join(args[1:], " "))
	return f.after(err)
}

func (f *Fake) setLevel(args ...string) error {
	n, err := strconv.Atoi(strings.Join(args, ""))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.level = n
	return err
}

func (f *Fake) fail(with error, args ...string) error {
	for _, name := range args {
		n, ok := f.networks[name]
		if !ok {
			return fmt.Errorf("no network %s", name)
		}
		n.Fail(with)
	}
	return nil
}

func (f *Fake) setPayer(args ...string) error {
	if len(args) == 0 {
		return errUsage
	}
	o := withdraw.Outcome{Verdict: withdraw.Verdict(args[0]), Reason: strings.Join(args[1:], " ")}
	f.payer.mu.Lock()
	defer f.payer.mu.Unlock()
	f.payer.say = &o
	return nil
}

func (f *Fake) payout(...string) error {
	_, err := f.desk.Run(context.Background())
	return f.after(err)
}

func (f *Fake) decide(approve bool, args ...string) error {
	if len(args) == 0 {
		return errUsage
	}
	id, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	if approve {
		_, err = f.desk.Approve(context.Background(), id, "staff")
	} else {
		_, err = f.desk.Refuse(context.Background(), id, "staff", strings.Join(args[1:], " "))
	}
	return f.after(err)
}

// Stall makes a network stop answering, in tests that need no dialogue.
func (f *Fake) Stall(network string) { f.networks[network].Fail(fault.New(fault.Unavailable, "")) }
