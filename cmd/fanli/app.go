package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"fanli/adapters/bus"
	"fanli/adapters/manual"
	"fanli/adapters/store"
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
	"fanli/core/withdraw"
	"fanli/jobs"
)

// An app is the whole system in one process: core's services over one database,
// the networks, and the jobs. Channels are added by the commands that have them.
type app struct {
	cfg configs.Config
	log *slog.Logger
	now func() time.Time
	db  *store.DB

	users   *user.Directory
	desk    *link.Desk
	orders  *order.Book
	rebates *rebate.Clerk
	cashier *credit.Cashier
	payouts *withdraw.Desk
	board   *control.Board
	office  *notify.Office
	purse   credit.Purse

	treasurer *credit.Treasurer
	dues      *collect.Desk
	codes     *codePage // nil where nobody reaches it

	networks []link.Network
	feeds    []order.Feed
	bot      *bot.Bot
	pay      *confirmPage // nil where payees confirm nothing
	tell     *bot.Deliverer
	bus      *bus.Local
	runner   *jobs.Runner
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
	if err := a.openStore(ctx, s); err != nil {
		return nil, err
	}
	_, err := a.db.Migrate(ctx)
	if err == nil {
		err = a.wire(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(err, a.db.Close())
	}
	return a, nil
}

func (a *app) openStore(ctx context.Context, s surroundings) error {
	path, key := s.path, make([]byte, sealKeyLen)
	if path == "" {
		if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
			return err
		}
		path = databasePath(a.cfg)
	}
	if path != store.Memory {
		var err error
		if key, err = sealKey(filepath.Dir(path)); err != nil {
			return err
		}
	}
	db, err := store.Open(ctx, store.Config{
		Path: path, DSN: a.dsn(s), Connections: a.cfg.Database.Connections, SealKey: key, Now: s.now, Hook: s.hook,
	})
	if err != nil {
		return err
	}
	a.db = db
	return nil
}

// dsn is the configured server, unless the database is somewhere else.
func (a *app) dsn(s surroundings) string {
	if s.path != "" {
		return ""
	}
	return a.cfg.Database.DSN
}

func databasePath(cfg configs.Config) string { return filepath.Join(cfg.Data, "fanli.db") }

// wire puts the services over the stores.
func (a *app) wire(ctx context.Context, s surroundings) error {
	db := a.db
	a.users = &user.Directory{Store: db.Users(), Now: a.now}
	a.treasurer = a.newTreasurer()
	a.rebates = &rebate.Clerk{Store: db.Rebates(), Level: a.level, Inviters: a.inviters, Dry: a.treasurer.Dry, Now: a.now}
	a.orders = &order.Book{Store: db.Orders(), Now: a.now}
	a.cashier = &credit.Cashier{Store: db.Credits(), Now: a.now, Zone: a.cfg.Location()}
	a.purse = credit.Purse{Ledger: db.Ledger()}
	if err := a.enact(ctx, s.visit); err != nil {
		return err
	}
	var err error
	if a.networks, a.feeds, err = networks(a.cfg, s); err != nil {
		return err
	}
	payers, err := payers(a.cfg, s)
	if err != nil {
		return err
	}
	a.board = &control.Board{Store: db.Control(), Now: a.now}
	a.feeds = stoppable(a.feeds, a.board)
	a.desk = &link.Desk{
		Networks: a.networks, Promises: a.rebates, Store: db.Links(), Now: a.now, Deadline: a.cfg.Links.Deadline,
		Stopped: a.networkStopped,
	}
	a.payouts = &withdraw.Desk{
		Store: db.Withdrawals(), Payers: payers, Payee: a.users.Payee, Limits: a.limits(), Now: a.now,
		Retired: []withdraw.Payer{manual.Payer{}}, // what was given to people stays reachable by them
		Prefix:  a.cfg.Withdraw.Prefix, Facts: a.facts, Alarm: a.payoutAlarm,
	}
	a.bot = &bot.Bot{
		Users: a.users, Links: a.desk, Orders: a.orders, Rebates: a.rebates, Money: a.purse, Withdrawals: a.payouts,
		Memory: db.Memory(), Log: a.log, Now: a.now, Zone: a.cfg.Location(), Limits: a.limits(), Switches: a.board,
		Invites: a.users, Gifts: a.treasurer, Autopays: a.payouts, SearchText: a.cfg.Bot.Search, ShopURL: s.shop, Networks: names(a.networks),
	}
	if a.pay, err = a.confirmPage(); err != nil {
		return err
	}
	if a.pay != nil {
		a.bot.ConfirmURL = a.pay.link
	}
	if err := a.wireCollections(s); err != nil {
		return err
	}
	a.tell = &bot.Deliverer{Bot: a.bot, Timeout: deliverTimeout}
	a.office = &notify.Office{Store: db.Messages(), Sender: a.tell, Now: a.now}
	a.bus = a.hear()
	a.runner, err = jobs.New(a.plans(), db.Leases(), s.holder, a.cfg.Location(), a.log)
	return err
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
	level, _, err := a.users.Level(ctx, id)
	return level, err
}

// inviters returns who had brought a user, for package rebate.
func (a *app) inviters(ctx context.Context, id int64, at time.Time) (rebate.Inviters, error) {
	in, err := a.users.Inviters(ctx, id, at)
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
func (a *app) close() error { return a.db.Close() }

// serveChannels runs the channels until ctx ends; one that fails does not take the
// others with it.
func (a *app) serveChannels(ctx context.Context, channels []bot.Channel) func() {
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
