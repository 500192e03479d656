package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fanli/adapters/bus"
	"fanli/adapters/manual"
	"fanli/bot"
	"fanli/configs"
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
	cfg configs.Config
	log *slog.Logger
	now func() time.Time
	db  *stores
	ask asks

	peers *peers // nil where everything runs here

	users   *user.Directory
	desk    *link.Desk
	orders  *order.Book
	rebates *rebate.Clerk
	cashier *credit.Cashier
	payouts *withdraw.Desk
	board   *control.Board
	office  *notify.Office
	hooks   *webhook.Desk
	purse   credit.Purse

	treasurer *credit.Treasurer
	dues      *collect.Desk
	codes     *codePage // nil where nobody reaches it

	opened   *opened // the networks of bot and order
	networks []link.Network
	feeds    []order.Feed
	bot      *bot.Bot
	pay      *confirmPage // nil where payees confirm nothing
	tell     *bot.Deliverer
	bus      *bus.Local
	runner   *jobs.Runner
}

// opened are the networks, with both their sides.
type opened struct {
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
	shop   string                   // the sandbox's address; "" outside
	path   string                   // of the database; "" for the configured one
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
	a := &app{cfg: cfg, log: s.log, now: s.now}
	var err error
	if a.db, err = openStores(ctx, a, s); err != nil {
		return nil, err
	}
	_, err = a.db.Migrate(ctx)
	if err == nil {
		err = a.wire(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(err, a.db.Close())
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
	if err := a.openPeers(s.holder); err != nil {
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
	a.bus = a.hear()
	var err error
	a.runner, err = jobs.New(a.plans(), nil, s.holder, a.cfg.Location(), a.log)
	return err
}

func (a *app) wireUser(context.Context, surroundings) error {
	a.users = &user.Directory{Store: a.db.Users(), Now: a.now}
	a.ask.users = a.users
	return nil
}

func (a *app) wirePayment(_ context.Context, s surroundings) error {
	a.treasurer = a.newTreasurer()
	a.cashier = &credit.Cashier{Store: a.db.Credits(), Now: a.now, Zone: a.cfg.Location()}
	a.purse = credit.Purse{Ledger: a.db.Ledger()}
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
	return a.enact(ctx, s.visit)
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
		Networks: a.networks, Promises: a.ask.rebates, Store: a.db.Links(), Now: a.now, Deadline: a.cfg.Links.Deadline,
		Stopped: a.networkStopped,
	}
	a.bot = &bot.Bot{
		Users: a.ask.users, Links: a.desk, Orders: a.ask.orders, Rebates: a.ask.rebates, Money: a.ask.wallets,
		Withdrawals: a.ask.payouts, Memory: a.db.Memory(), Log: a.log, Now: a.now, Zone: a.cfg.Location(),
		Limits: a.limits(), Switches: a.ask.switches, Invites: a.ask.users, Gifts: a.ask.gifts,
		Autopays: a.ask.payouts, SearchText: a.cfg.Bot.Search, ShopURL: s.shop, Networks: names(a.networks),
	}
	if err := a.pages(); err != nil {
		return err
	}
	if a.pay != nil {
		a.bot.ConfirmURL = a.pay.link
	}
	if a.cfg.Collect.Collector != "" && len(a.cfg.Collect.Memberships) > 0 {
		a.bot.Memberships = members{a}
	}
	a.tell = &bot.Deliverer{Bot: a.bot, Timeout: deliverTimeout}
	a.ask.chats = a.tell
	return nil
}

func (a *app) wireNotification(context.Context, surroundings) error {
	a.office = &notify.Office{Store: a.db.Messages(), Sender: a.ask.chats, Now: a.now}
	a.hooks = a.newHooks()
	return nil
}

// openNetworks makes the configured networks once, with both their sides: a
// network's guard counts the calls of both.
func (a *app) openNetworks(s surroundings) (ns []link.Network, fs []order.Feed, err error) {
	if a.opened == nil {
		a.opened = &opened{}
		a.opened.networks, a.opened.feeds, err = networks(a.cfg, s)
	}
	return a.opened.networks, a.opened.feeds, err
}

// enact puts the configured rules in force. A visit does so only where there are
// none: its configuration may be another than that of the process that serves.
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

// close ends the app's database.
func (a *app) close() error { return errors.Join(a.peers.close(), a.db.Close()) }

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
			if err := c.Run(ctx, a.bot.Handle); err != nil && ctx.Err() == nil {
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
func logger(c configs.Log, w interface{ Write([]byte) (int, error) }) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// holder names this process in leases.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}
