package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fanli/adapters/store"
	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/jobs"
)

// The targets.
const (
	gatewayTarget      = "gateway"
	botTarget          = "bot"
	userTarget         = "user"
	orderTarget        = "order"
	rebateTarget       = "rebate"
	paymentTarget      = "payment"
	notificationTarget = "notification"
)

// targetMark stands for a target's name in the address of its database.
const targetMark = configs.TargetMark

// A target is a part of the binary that can run alone. What it asks of others it
// asks through [asks], so that its wiring is the same wherever they run.
type target struct {
	name string
	does string
	owns bool     // it has tables
	asks []string // whom it asks
	// mayAsk are those without whom it goes on, also where nobody says where they are.
	mayAsk []string
	says   []event.Name // a test holds this to what is in its outbox
	// wire makes its services and enters them in asks.
	wire func(a *app, ctx context.Context, s surroundings) error
	// hears says what it hears, by which handler.
	hears func(a *app) []hearing
	// plans are its jobs, beside the relay of its outbox.
	plans func(a *app, c configs.Config) []jobs.Plan
}

// A hearing is one handler of events.
type hearing struct {
	name   event.Name
	handle event.Handler
}

// asks is what targets ask of each other: services of this process, or clients of
// those of another one.
type asks struct {
	users    user.Service
	orders   order.Service
	rebates  rebate.Service
	wallets  credit.Wallets
	gifts    credit.Gifts
	payouts  withdraw.Service
	charges  collect.Service
	switches control.Service
	chats    notify.Sender
	links    link.Service
}

// targets returns all targets. This is the whole list: who does, owns, says and
// hears what.
func targets() []target {
	none := func(*app) []hearing { return nil }
	idle := func(*app, configs.Config) []jobs.Plan { return nil }
	return []target{
		{
			name: gatewayTarget, does: "the one HTTP entry: routes, limits and serves; the REST API and its keys", owns: true,
			asks: []string{botTarget, userTarget, orderTarget, rebateTarget, paymentTarget},
			says: []event.Name{event.StaffActed},
			wire: (*app).wireGateway, hears: none, plans: idle,
		},
		{
			name: botTarget, does: "talks with people on every channel, finds offers, makes links", owns: true,
			asks: []string{userTarget, orderTarget, rebateTarget, paymentTarget},
			says: []event.Name{event.LinkMade, event.StaffActed},
			wire: (*app).wireBot, hears: none, plans: (*app).botPlans,
		},
		{
			name: userTarget, does: "knows people, their identities, which accounts are one person's, inviters and payout accounts", owns: true,
			says: []event.Name{event.UserJoined, event.MembershipChanged, event.PayeeChanged, event.MergeChanged, event.StaffActed},
			wire: (*app).wireUser, plans: (*app).userPlans,
			hears: func(a *app) []hearing {
				return []hearing{{event.ChargeChanged, a.users.ChargeChanged}, {event.MergeAnswered, a.users.MergeAnswered}}
			},
		},
		{
			name: orderTarget, does: "follows orders at the networks, finds whose they are, takes claims", owns: true,
			asks: []string{paymentTarget},
			says: []event.Name{event.OrderChanged, event.ClaimChanged, event.StaffActed, event.MergeAnswered},
			wire: (*app).wireOrder, plans: (*app).orderPlans,
			hears: func(a *app) []hearing {
				return []hearing{{event.LinkMade, a.orders.LinkMade}, {event.MergeChanged, a.orders.MergeChanged}}
			},
		},
		{
			name: rebateTarget, does: "says what an order line earns for whom, by which rules", owns: true,
			asks: []string{userTarget, paymentTarget},
			says: []event.Name{event.RebateChanged, event.StaffActed},
			wire: (*app).wireRebate, plans: (*app).rebatePlans,
			hears: func(a *app) []hearing { return []hearing{{event.OrderChanged, a.rebates.OrderChanged}} },
		},
		{
			name: paymentTarget, does: "keeps the ledger, pays out, answers for every fen", owns: true,
			asks: []string{userTarget}, mayAsk: []string{orderTarget},
			says: []event.Name{
				event.LedgerPosted, event.WithdrawalChanged, event.AutopayHeld, event.BonusGiven, event.ChargeChanged,
				event.MergeAnswered, event.StaffActed,
			},
			wire: (*app).wirePayment, plans: (*app).paymentPlans,
			hears: (*app).paymentHears,
		},
		{
			name: notificationTarget, does: "decides who is told what, and sees that they are", owns: true,
			asks: []string{botTarget, userTarget},
			says: []event.Name{event.StaffActed},
			wire: (*app).wireNotification, plans: (*app).notificationPlans,
			hears: (*app).notificationHears,
		},
	}
}

// paymentHears is what payment hears.
func (a *app) paymentHears() []hearing {
	return []hearing{
		{event.RebateChanged, a.cashier.RebateChanged},
		{event.RebateChanged, a.treasurer.RebateChanged},
		{event.StaffActed, a.staffActed},
		{event.MergeChanged, a.merger.MergeChanged},
	}
}

// notificationHears is what notification hears.
func (a *app) notificationHears() []hearing {
	return append([]hearing{
		{event.ClaimChanged, a.office.ClaimChanged},
		{event.LedgerPosted, a.office.LedgerPosted},
		{event.WithdrawalChanged, a.office.WithdrawalChanged},
		{event.BonusGiven, a.office.BonusGiven},
		{event.AutopayHeld, a.office.AutopayHeld},
		{event.ChargeChanged, a.office.ChargeChanged},
		{event.MembershipChanged, a.office.MembershipChanged},
		{event.PayeeChanged, a.office.PayeeChanged},
		{event.MergeChanged, a.office.MergeChanged},
	}, a.hooksHear()...)
}

// wiring is the order in which targets are wired: who is asked before who asks.
func wiring() []string {
	return []string{userTarget, paymentTarget, rebateTarget, orderTarget, botTarget, notificationTarget, gatewayTarget}
}

// here reports whether a target runs in this process.
func (a *app) here(name string) bool {
	return slices.Equal(a.cfg.Targets, []string{configs.AllTargets}) || slices.Contains(a.cfg.Targets, name)
}

// targetsHere returns the targets that run in this process.
func (a *app) targetsHere() []target {
	return slices.DeleteFunc(targets(), func(t target) bool { return !a.here(t.name) })
}

// staffActed enters what staff did to another target in the record of acts.
func (a *app) staffActed(ctx context.Context, e event.Event) error {
	return (&audit.Keeper{Store: a.db.ActStore()}).StaffActed(ctx, e)
}

func targetsCommand(std stdio) *cobra.Command {
	return &cobra.Command{
		Use: "targets", Short: "Say what each target does, owns, hears and says", Args: noArgs,
		Long: `Lists the parts of fanli that can run alone, as they are wired: what each does, the
tables that it owns, the events that it hears and those that it says, and whom it asks. ` + "`fanli serve --targets`" + `
runs some of them; without it, all run in one process.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, t := range targets() {
				_, _ = fmt.Fprintf(std.out, "%s\n  does   %s\n", t.name, t.does)
				if t.owns {
					tables, err := store.Tables(cmd.Context(), t.name)
					if err != nil {
						return err
					}
					_, _ = fmt.Fprintf(std.out, "  owns   %s\n", strings.Join(tables, ", "))
				}
				var heard []string
				for _, h := range t.hears(&app{}) {
					heard = append(heard, string(h.name))
				}
				printNames(std.out, "hears", heard)
				var said []string
				for _, n := range t.says {
					said = append(said, string(n))
				}
				printNames(std.out, "says ", said)
				printNames(std.out, "asks ", append(slices.Clone(t.asks), t.mayAsk...))
			}
			return nil
		},
	}
}

func printNames(w io.Writer, title string, names []string) {
	if len(names) > 0 {
		_, _ = fmt.Fprintf(w, "  %s  %s\n", title, strings.Join(names, ", "))
	}
}
