package main

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"fanli/adapters/rpc"
	"fanli/core/credit"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/money"
	"fanli/core/notify"
	"fanli/core/servicetest"
)

// The services of one process, and clients of them in another, pass the suites of
// what targets ask of each other.

func TestServicesHere(t *testing.T) {
	t.Parallel()
	conform(t, func(_ *testing.T, a *app) asks { return a.ask })
}

func TestServicesElsewhere(t *testing.T) {
	t.Parallel()
	conform(t, overWire)
}

// overWire returns clients of what a answers, over a connection of this machine.
func overWire(t *testing.T, a *app) asks {
	t.Helper()
	k := a.ask
	c := connect(t,
		rpc.UserServer(k.users), rpc.OrderServer(k.orders), rpc.RebateServer(k.rebates), rpc.BotServer(k.chats), rpc.LinkServer(k.links),
		rpc.PaymentServer(rpc.Money{Wallets: k.wallets, Gifts: k.gifts, Payouts: k.payouts, Switches: k.switches}))
	m := rpc.Payment(c)
	return asks{
		users: rpc.Users(c), orders: rpc.Orders(c), rebates: rpc.Rebates(c), wallets: m.Wallets, gifts: m.Gifts, payouts: m.Payouts,
		switches: m.Switches, chats: rpc.Sender(c), links: rpc.Links(c),
	}
}

// connect serves services and returns a connection to them.
func connect(t *testing.T, services ...rpc.Service) *grpc.ClientConn {
	t.Helper()
	o := rpc.Options{Token: "the installation's token", Log: logtest.New(nil)}
	s, err := rpc.NewServer(o, services...)
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	c, err := rpc.Dial("static:"+ln.Addr().String(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = c.Close()
		s.Stop(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

// conform runs all suites over what reach makes of an app.
func conform(t *testing.T, reach func(t *testing.T, a *app) asks) {
	t.Helper()
	open := func(t *testing.T) (*app, asks, servicetest.Clock) {
		t.Helper()
		w := newLittle(t)
		w.advance(123 * time.Millisecond)
		w.mustOpen()
		return w.app, reach(t, w.app), servicetest.Clock{Now: w.now, Advance: w.advance}
	}
	t.Run("Users", func(t *testing.T) {
		servicetest.Users(t, func(t *testing.T) servicetest.UserWorld {
			a, k, c := open(t)
			return servicetest.UserWorld{Clock: c, Service: k.users, Store: a.db.Users(), Merges: a.db.Merges()}
		})
	})
	t.Run("Orders", func(t *testing.T) {
		servicetest.Orders(t, func(t *testing.T) servicetest.OrderWorld {
			a, k, c := open(t)
			return servicetest.OrderWorld{Clock: c, Service: k.orders, Store: a.db.Orders()}
		})
	})
	t.Run("Rebates", func(t *testing.T) {
		servicetest.Rebates(t, func(t *testing.T) servicetest.RebateWorld {
			a, k, c := open(t)
			return servicetest.RebateWorld{Clock: c, Service: k.rebates, Store: a.db.Rebates(), Users: a.db.Users()}
		})
	})
	t.Run("Wallets", func(t *testing.T) {
		servicetest.Wallets(t, func(t *testing.T) servicetest.WalletWorld {
			a, k, c := open(t)
			return servicetest.WalletWorld{Clock: c, Service: k.wallets, Store: a.db.Credits()}
		})
	})
	t.Run("Gifts", func(t *testing.T) {
		servicetest.Gifts(t, func(t *testing.T) servicetest.GiftWorld {
			a, k, c := open(t)
			return servicetest.GiftWorld{Clock: c, Service: k.gifts, Set: func(amount money.Fen, name string, b credit.Budget) {
				a.treasurer.CheckIn, a.treasurer.CheckInBudget, a.treasurer.Budgets = amount, name, map[string]credit.Budget{name: b}
			}}
		})
	})
	t.Run("Withdrawals", func(t *testing.T) {
		servicetest.Withdrawals(t, func(t *testing.T) servicetest.WithdrawalWorld {
			a, k, c := open(t)
			a.payouts.Limits = servicetest.WithdrawalLimits()
			return servicetest.WithdrawalWorld{
				Clock: c, Service: k.payouts, Store: a.db.Withdrawals(), Credit: a.db.Credits(), Users: a.db.Users(), Board: a.board,
			}
		})
	})
	t.Run("Switches", func(t *testing.T) {
		servicetest.Switches(t, func(t *testing.T) servicetest.SwitchWorld {
			a, k, c := open(t)
			return servicetest.SwitchWorld{Clock: c, Service: k.switches, Board: a.board}
		})
	})
	t.Run("Links", func(t *testing.T) {
		servicetest.Links(t, func(t *testing.T) servicetest.LinkWorld {
			w, end := newLittle(t), &lastAnswer{}
			w.advance(123 * time.Millisecond)
			k := reach(t, &app{ask: asks{links: end}})
			return servicetest.LinkWorld{Clock: servicetest.Clock{Now: w.now, Advance: w.advance}, Service: k.links, Answer: end.set, Asked: end.asked}
		})
	})
	t.Run("Sender", func(t *testing.T) {
		servicetest.Sender(t, func(t *testing.T) servicetest.SenderWorld {
			w, end := newLittle(t), &lastHand{}
			w.advance(123 * time.Millisecond)
			k := reach(t, &app{ask: asks{chats: end}})
			return servicetest.SenderWorld{Clock: servicetest.Clock{Now: w.now, Advance: w.advance}, Sender: k.chats, Heard: end.all, Fail: end.fail}
		})
	})
}

// A lastAnswer answers as it is told to.
type lastAnswer struct {
	mu   sync.Mutex
	link link.Link
	err  error
	user int64
	ref  link.Ref
}

func (h *lastAnswer) Make(_ context.Context, user int64, ref link.Ref) (link.Link, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.user, h.ref = user, ref
	return h.link, h.err
}

func (h *lastAnswer) set(l link.Link, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link, h.err = l, err
}

func (h *lastAnswer) asked() (int64, link.Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.user, h.ref
}

// A lastHand keeps what it is told to tell.
type lastHand struct {
	mu    sync.Mutex
	heard []notify.Message
	err   error
}

func (h *lastHand) Send(_ context.Context, m notify.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.heard = append(h.heard, m)
	}
	return h.err
}

func (h *lastHand) all() []notify.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.heard)
}

func (h *lastHand) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}
