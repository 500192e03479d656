package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/control"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// payers makes the payer for each method; "" has the rest. One that several
// methods have is made once.
func payers(cfg configs.Config, s surroundings) (map[string]withdraw.Payer, error) {
	rest, err := payer(cfg, s)
	if err != nil || rest == nil { // a test without one
		return nil, err
	}
	out := map[string]withdraw.Payer{"": rest}
	made := map[string]withdraw.Payer{rest.Name(): rest}
	for method, name := range cfg.Payers {
		p := made[name]
		if p == nil {
			one := cfg
			one.Payer = name
			if p, err = payer(one, s); err != nil {
				return nil, fmt.Errorf("payers.%s: %w", method, err)
			}
			made[name] = p
		}
		out[method] = p
	}
	return out, nil
}

// limits are the configured ones.
func (a *app) limits() withdraw.Limits { return a.limitsOf(a.cfg) }

// limitsOf are those of a configuration, with the zone in which days begin.
func (a *app) limitsOf(c configs.Config) withdraw.Limits {
	l := c.Withdraw.Limits()
	l.Zone = a.cfg.Location()
	return l
}

// How much is looked at for a user's risk: of a statement, and of the newest orders.
const (
	factsEntries = 500
	factsLines   = 200
)

// facts is what other targets know of a user who withdraws. Orders that nobody can look
// at are no reason to refuse; that they are not known counts.
func (a *app) facts(ctx context.Context, id int64) (withdraw.Facts, error) {
	u, err := a.ask.users.User(ctx, id)
	if err != nil {
		return withdraw.Facts{}, err
	}
	f := withdraw.Facts{Joined: u.Joined}
	if f.Shared, err = a.ask.users.Sharing(ctx, id); err != nil {
		return f, err
	}
	if f.Earned, f.Returned, err = a.earned(ctx, id); err != nil {
		return f, err
	}
	f.Unseen = true
	if a.ask.orders != nil {
		if ls, away := a.ask.orders.OfUser(ctx, id, 0, factsLines); away == nil {
			f.Claims, f.Unclicked = claimed(ls)
			f.Unseen = false
		}
	}
	return f, nil
}

// earned adds up what a person has earned, and what was taken back of it after it could
// be withdrawn, through whichever of their accounts.
func (a *app) earned(ctx context.Context, id int64) (all, returned money.Fen, err error) {
	accounts, err := a.purse.Accounts(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	for _, account := range accounts {
		entries, err := a.purse.Statement(ctx, account, 0, factsEntries)
		if err != nil {
			return 0, 0, err
		}
		for _, e := range entries {
			switch {
			case e.Kind == ledger.Earn:
				all += e.Amount
			case e.Kind == ledger.Claw, e.Kind == ledger.Revoke && e.From == ledger.User(account, ledger.Available):
				returned += e.Amount
			}
		}
	}
	return all, returned, nil
}

// claimed counts orders, and those of them that people were believed to have placed
// although no link of ours led there.
func claimed(ls []order.Line) (orders, unclicked int) {
	seen := map[string]bool{}
	for i := range ls {
		l := &ls[i]
		number := l.Key.Network + "/" + l.Row().Order
		if seen[number] {
			continue
		}
		seen[number] = true
		orders++
		if l.Link == 0 && (l.Step == order.ByProof || l.Step == order.ByStaff) {
			unclicked++
		}
	}
	return orders, unclicked
}

// payoutAlarm says loudly that a person has to look at payouts.
func (a *app) payoutAlarm(_ context.Context, what withdraw.Alarm, w withdraw.Withdrawal) {
	try := map[withdraw.Alarm]string{
		withdraw.Contradicted: "the payer says otherwise than our book: look at its console, then `fanli withdrawals incidents`",
		withdraw.NoMoney:      "top up our account at the payer; payments go on by themselves",
		withdraw.PayerPaused:  "look at the payer's keys and rights, then `fanli switch off payer/" + w.Payer + "`",
		withdraw.Forgotten:    "it was sent too long ago to be sent again: look at the payer's console, then `fanli withdrawals paid` or `failed`",
		withdraw.DayCap:       "withdraw.house_day is used up; the rest goes out tomorrow",
	}
	a.log.Error("payouts need a person", "alarm", string(what), "withdrawal", w, "try", try[what])
}

// networkStopped fails where staff has stopped a network.
func (a *app) networkStopped(ctx context.Context, name string) error {
	return a.ask.switches.Check(ctx, control.Network(name))
}

// A stoppableFeed is not read while its network is stopped. Where it was read to
// is kept, so that nothing is missed.
type stoppableFeed struct {
	order.Feed
	board control.Service
}

// Pull implements order.Feed.
func (f stoppableFeed) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	if err := f.board.Check(ctx, control.Network(f.Network())); err != nil {
		return order.Page{}, err
	}
	return f.Feed.Pull(ctx, w, cursor)
}

// Settled implements order.Settler, where the feed behind does.
func (f stoppableFeed) Settled(from, to, now time.Time) []order.Stretch {
	if s, ok := f.Feed.(order.Settler); ok {
		return s.Settled(from, to, now)
	}
	return nil
}

func stoppable(feeds []order.Feed, board control.Service) []order.Feed {
	out := make([]order.Feed, len(feeds))
	for i, f := range feeds {
		out[i] = stoppableFeed{f, board}
	}
	return out
}

// inWords says why a withdrawal is where it is, for staff: with its risk.
func inWords(w withdraw.Withdrawal) string {
	s := w.Reason
	if w.First != "" && w.State == withdraw.Reviewing {
		s += "  approved by " + w.First
	}
	if w.Risk > 0 {
		s += fmt.Sprintf("  risk %d: %s", w.Risk, strings.ReplaceAll(w.Signs, "risk.", ""))
	}
	return s
}

func incidentsCommand(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "incidents", Short: "Show where a payer said otherwise than a withdrawal that had ended", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				all, err := a.payouts.Incidents(cmd.Context(), listMax)
				for _, i := range all {
					_, _ = fmt.Fprintf(std.out, "%6d  %s here, %s there  %s  %s\n",
						i.Withdrawal, i.State, i.Verdict, i.At.In(a.cfg.Location()).Format(time.DateTime), i.Reason)
				}
				if err == nil && len(all) == 0 {
					_, err = fmt.Fprintln(std.out, "no payer has contradicted us")
				}
				return err
			})
		},
	}
}
