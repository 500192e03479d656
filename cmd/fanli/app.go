package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"fanli/adapters/bus"
	rest "fanli/adapters/gateway"
	"fanli/adapters/guard"
	"fanli/adapters/manual"
	"fanli/adapters/observe"
	"fanli/bot"
	"fanli/bot/binding"
	"fanli/bot/landing"
	"fanli/bot/mail"
	"fanli/configs"
	"fanli/core/access"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/webhook"
	"fanli/core/withdraw"
	"fanli/jobs"
)

// An app is the targets of one process: core's services over their databases, the
// networks, and the jobs. Channels are added by the commands that have them. What
// belongs to a target that is not here is nil; it is asked through ask.
type app struct {
	cfg  configs.Config                 // at the start
	live atomic.Pointer[configs.Config] // later; see conf
	log  *slog.Logger
	now  func() time.Time
	db   *stores
	ask  asks

	peers *peers // nil where everything runs here
	kept  kept   // what processes share, and may be forgotten

	resilience *resilience

	users   *user.Directory
	desk    *link.Desk
	orders  *order.Book
	rebates *rebate.Clerk
	cashier *credit.Cashier
	merger  *credit.Merger
	payouts *withdraw.Desk
	board   *control.Board
	office  *notify.Office
	hooks   *webhook.Desk
	purse   credit.Purse
	keys    *access.Keeper
	api     *rest.API // nil where it is off

	treasurer *credit.Treasurer
	dues      *collect.Desk
	codes     *codePage     // nil where nobody reaches it
	landing   *landing.Page // nil where nobody reaches it
	member    *binding.Page // nil where no account of a shop can be bound

	opened   *opened // the networks of bot and order
	networks []link.Network
	feeds    []order.Feed
	bot      *bot.Bot
	obs      *observe.Observer // nil where nobody looks
	pay      *confirmPage      // nil where payees confirm nothing
	tell     *bot.Deliverer
	house    house // of staff
	mail     *mail.Engine
	bus      *bus.Local
	runner   *jobs.Runner
}

// opened are the networks, with both their sides.
type opened struct {
	guards   []*guard.Guard
	networks []link.Network
	feeds    []order.Feed
}

// surroundings are what an app does not make itself.
type surroundings struct {
	log    *slog.Logger
	now    func() time.Time         // the time by which money moves
	http   *http.Client             // to networks and payers
	hook   func(point string) error // fault points; nil in production
	stands *stands                  // stand in for networks and payer; nil in production
	holder string                   // names this process in leases
	base   string                   // where this process is reached from this machine; "" where it does not listen
	shop   string                   // the sandbox's address; "" outside
	path   string                   // of the database; "" for the configured one
	obs    *observe.Observer        // nil where nobody looks
	stale  bool                     // the configuration may not be the newest
	visit  bool                     // an operator looks or decides; what serves is another process
}

// deliverTimeout bounds telling one user one thing.
const deliverTimeout = 10 * time.Second

// stands are what tests put in the place of the configured networks and payer.
type stands struct {
	networks []link.Network
	feeds    []order.Feed
	payer    withdraw.Payer
}

// newApp opens the database and puts everything together. The tables are brought
// up to date first. Close it after use.
func newApp(ctx context.Context, cfg configs.Config, s surroundings) (*app, error) {
	a := &app{cfg: cfg, log: s.log, now: s.now, obs: s.obs}
	var err error
	if a.db, err = openStores(ctx, a, s); err != nil {
		return nil, err
	}
	_, err = a.db.Migrate(ctx)
	if err == nil {
		err = a.wire(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// dsn is the configured server, unless the database is somewhere else.
func (a *app) dsn(s surroundings) string {
	if s.path != "" {
		return ""
	}
	return a.cfg.Database.DSN
}

func databasePath(cfg configs.Config) string { return filepath.Join(cfg.Data, "fanli.db") }

// wire puts the services of the targets that are here over their stores.
func (a *app) wire(ctx context.Context, s surroundings) error {
	a.resilience = newResilience(a.cfg)
	if err := a.openPeers(s.holder); err != nil {
		return err
	}
	if err := a.openKept(); err != nil {
		return err
	}
	for _, name := range wiring() {
		i := slices.IndexFunc(targets(), func(t target) bool { return t.name == name })
		if !a.here(name) {
			continue
		}
		if err := targets()[i].wire(a, ctx, s); err != nil {
			return err
		}
	}
	if err := a.openDesks(ctx, s); err != nil {
		return err
	}
	a.bus = a.hear()
	var err error
	a.runner, err = jobs.New(a.plans(), nil, s.holder, a.cfg.Location(), a.log)
	return err
}

func (a *app) wireUser(context.Context, surroundings) error {
	a.users = &user.Directory{Store: a.db.Users(), Merges: a.db.Merges(), Now: a.now}
	a.ask.users = a.users
	return nil
}

func (a *app) wirePayment(_ context.Context, s surroundings) error {
	a.treasurer = a.newTreasurer()
	a.cashier = &credit.Cashier{Store: a.db.Credits(), Now: a.now, Zone: a.cfg.Location()}
	a.merger = &credit.Merger{Store: a.db.Moved(), Now: a.now}
	a.purse = credit.Purse{Ledger: a.db.Ledger(), Members: a.db.of[paymentTarget].Members}
	a.board = &control.Board{Store: a.db.Control(), Now: a.now}
	payers, err := payers(a.cfg, s)
	if err != nil {
		return err
	}
	a.payouts = &withdraw.Desk{
		Store: a.db.Withdrawals(), Payers: payers, Payee: a.ask.users.Payee, Limits: a.limits(), Now: a.now,
		Retired: []withdraw.Payer{manual.Payer{}}, // what was given to people stays reachable by them
		Prefix:  a.cfg.Withdraw.Prefix, Facts: a.facts, Alarm: a.payoutAlarm,
	}
	if s.stands == nil { // what stands in has its own clock, which no breaker knows
		a.payouts.Line = a.resilience.payer
	}
	a.ask.wallets, a.ask.gifts, a.ask.payouts, a.ask.switches = a.purse, a.treasurer, a.payouts, a.board
	if err := a.wireCollections(s); err != nil {
		return err
	}
	return a.pages()
}

// pages makes the pages that payment serves and to which bot leads people.
func (a *app) pages() (err error) {
	if a.pay == nil {
		if a.pay, err = a.confirmPage(); err != nil {
			return err
		}
	}
	if a.codes == nil {
		a.codes, err = a.codePage()
	}
	return err
}

func (a *app) wireRebate(ctx context.Context, s surroundings) error {
	a.rebates = &rebate.Clerk{Store: a.db.Rebates(), Level: a.level, Inviters: a.inviters, Dry: a.ask.gifts.Dry, Now: a.now}
	a.ask.rebates = a.rebates
	return a.enact(ctx, s.visit || s.stale)
}

func (a *app) wireOrder(_ context.Context, s surroundings) error {
	a.orders = &order.Book{Store: a.db.Orders(), Now: a.now}
	a.ask.orders = a.orders
	_, feeds, err := a.openNetworks(s)
	a.feeds = stoppable(feeds, a.ask.switches)
	return err
}

func (a *app) wireBot(_ context.Context, s surroundings) (err error) {
	if a.networks, _, err = a.openNetworks(s); err != nil {
		return err
	}
	a.desk = &link.Desk{
		Networks: a.networks, Promises: a.promiser(), Store: a.db.Links(), Now: a.now, Deadline: a.cfg.Links.Deadline,
		Stopped: a.networkStopped, Later: a.later(), DealWords: a.cfg.Deals.Words,
	}
	if a.kept.redis != nil {
		a.desk.Shared = a.kept.redis
	}
	a.bot = &bot.Bot{
		Users: a.ask.users, Links: a.desk, Orders: a.ask.orders, Rebates: a.ask.rebates, Money: a.ask.wallets,
		Withdrawals: a.ask.payouts, Memory: a.memory(), Log: a.log, Now: a.now, Zone: a.cfg.Location(),
		Limits: a.limits(), Switches: a.ask.switches, Invites: a.ask.users, Linking: a.ask.users, Gifts: a.ask.gifts,
		Autopays: a.ask.payouts, SearchText: a.cfg.Bot.Search, Contact: a.cfg.Bot.Contact, Off: commandsOff(a.cfg), ShopURL: s.shop, Networks: names(a.networks),
		Ladder: a.resilience.ladder, Waiting: a.db.Waiting(),
		Leases: a.talkLeases(), Holder: s.holder, CheckIn: checkInOf(a.cfg), Activities: activitiesOf(a.cfg),
	}
	if err := a.pages(); err != nil {
		return err
	}
	if a.pay != nil {
		a.bot.ConfirmURL = a.pay.link
	}
	if a.landing, err = a.landingPage(s); err != nil {
		return err
	}
	if a.landing != nil {
		a.bot.Landing = a.landing.URL
	}
	if err := a.wireMember(s); err != nil {
		return err
	}
	if a.sells(a.cfg) {
		a.bot.Memberships = members{a}
	}
	a.observeBot()
	a.tell = &bot.Deliverer{Bot: a.bot, Timeout: deliverTimeout}
	a.openMail(s)
	a.ask.chats, a.ask.links = a.tell, a.desk
	return nil
}

func (a *app) wireNotification(context.Context, surroundings) error {
	a.office = &notify.Office{Store: a.db.Messages(), Sender: a.sender(), Now: a.now, Wishes: a.ask.users, Zone: a.cfg.Location(), Count: a.untold}
	a.hooks = a.newHooks()
	return nil
}

// openNetworks makes the configured networks once, with both their sides: a
// network's guard counts the calls of both.
func (a *app) openNetworks(s surroundings) (ns []link.Network, fs []order.Feed, err error) {
	if a.opened == nil {
		a.opened = &opened{}
		cfg := a.cfg
		cfg.Guard.Kept = a.resilience.kept
		a.opened.networks, a.opened.feeds, err = networks(cfg, s, func(network string, g *guard.Guard) {
			a.opened.guards = append(a.opened.guards, g)
			a.resilience.guarded(network, g)
		})
	}
	return a.opened.networks, a.opened.feeds, err
}

// enact puts the configured rules in force. A visit does so only where there are
// none: its configuration may be another than that of the process that serves; and so
// does a process that knows the central configuration from its copy alone.
func (a *app) enact(ctx context.Context, visit bool) error {
	if visit {
		if _, _, err := a.db.Rebates().Rules(ctx, 0); !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	_, err := a.rebates.Enact(ctx, a.cfg.Rebate.Rules())
	return err
}

// level returns a user's level, with memberships, for package rebate, which may not
// know users.
func (a *app) level(ctx context.Context, id int64) (int, error) {
	level, _, err := a.ask.users.Level(ctx, id)
	return level, err
}

// inviters returns who had brought a user, for package rebate.
func (a *app) inviters(ctx context.Context, id int64, at time.Time) (rebate.Inviters, error) {
	in, err := a.ask.users.Inviters(ctx, id, at)
	return rebate.Inviters(in), err
}

// newTreasurer returns who gives away what the configuration allows.
func (a *app) newTreasurer() *credit.Treasurer {
	r := a.cfg.Rebate
	return &credit.Treasurer{
		Store: a.db.Credits(), Budgets: r.Limits(), CheckIn: money.Fen(r.CheckIn.Amount), CheckInBudget: r.CheckIn.Budget,
		Invitation: r.Invitation.Gift(), Inviter: a.inviter, Kin: a.kin, Alarm: a.dried,
		Forgiven: money.Fen(r.WriteOff), Zone: a.cfg.Location(), Now: a.now,
	}
}

func names(ns []link.Network) []string {
	out := make([]string, len(ns))
	for i, n := range ns {
		out[i] = n.Name()
	}
	return out
}

// close ends what the app has opened.
func (a *app) close() error { return errors.Join(a.peers.close(), a.kept.close(), a.db.Close()) }

// serveChannels runs the channels until ctx ends; one that fails does not take the
// others with it.
func (a *app) serveChannels(ctx context.Context, channels []bot.Channel) func() {
	if a.tell == nil { // nobody talks with people here
		return func() {}
	}
	a.tell.Channels = channels
	done := make(chan struct{})
	running := make(chan struct{}, len(channels))
	for _, c := range channels {
		go func() {
			if err := c.Run(ctx, a.handler(c.Name())); err != nil && ctx.Err() == nil {
				a.log.Error("channel stopped", "channel", c.Name(), "error", err)
			}
			running <- struct{}{}
		}()
	}
	go func() {
		for range channels {
			<-running
		}
		close(done)
	}()
	return func() { <-done }
}

// logger returns the configured log, which goes to standard error.
func logger(c configs.Log, w io.Writer) *slog.Logger {
	h, _ := logHandler(c, w)
	return slog.New(h)
}

// logHandler is logger's, with what changes its level.
func logHandler(c configs.Log, w io.Writer) (slog.Handler, *slog.LevelVar) {
	level := &slog.LevelVar{}
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level.Set(slog.LevelInfo)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.NewJSONHandler(w, o), level
	}
	return slog.NewTextHandler(w, o), level
}

// holder names this process in leases.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}
