package main

import (
	"fanli/adapters/bus"
	"fanli/core/audit"
	"fanli/core/event"
)

// hear says who hears what. This is the whole list.
func (a *app) hear() *bus.Local {
	b := &bus.Local{}
	b.Hear(event.LinkMade, "order", a.orders.LinkMade)
	b.Hear(event.OrderChanged, "rebate", a.rebates.OrderChanged)
	b.Hear(event.ClaimChanged, "notification", a.office.ClaimChanged)
	b.Hear(event.RebateChanged, "payment", a.cashier.RebateChanged)
	b.Hear(event.LedgerPosted, "notification", a.office.LedgerPosted)
	b.Hear(event.WithdrawalChanged, "notification", a.office.WithdrawalChanged)
	b.Hear(event.RebateChanged, "bonuses", a.treasurer.RebateChanged)
	b.Hear(event.BonusGiven, "notification", a.office.BonusGiven)
	b.Hear(event.AutopayHeld, "notification", a.office.AutopayHeld)
	b.Hear(event.ChargeChanged, "user", a.users.ChargeChanged)
	b.Hear(event.ChargeChanged, "notification", a.office.ChargeChanged)
	b.Hear(event.MembershipChanged, "notification", a.office.MembershipChanged)
	b.Hear(event.StaffActed, "payment", (&audit.Keeper{Store: a.db.ActStore()}).StaffActed)
	return b
}
