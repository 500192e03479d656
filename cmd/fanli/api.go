package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	rest "fanli/adapters/gateway"
	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/configs"
	"fanli/core/access"
	"fanli/core/cache"
)

// wireGateway makes the keys, and the API over the services of the other targets.
func (a *app) wireGateway(_ context.Context, s surroundings) error {
	a.keys = &access.Keeper{Store: a.db.Keys(), Hash: a.db.KeyHash, Now: a.now}
	if !a.cfg.API.Enabled || s.visit {
		return nil
	}
	if err := a.pages(); err != nil {
		return err
	}
	o := a.apiOptions()
	for _, t := range a.cfg.API.Tokens {
		o.Tokens = append(o.Tokens, rest.NewIssuer(rest.IssuerOptions{
			Name: t.Name, Issuer: t.Issuer, Audience: t.Audience, Keys: t.Keys, HTTP: &http.Client{}, Now: a.now,
		}))
	}
	a.api = rest.New(o)
	return nil
}

func (a *app) apiOptions() rest.Options {
	l, limits := a.cfg.API.Limits, a.limits()
	o := rest.Options{
		Users: a.ask.users, Links: a.ask.links, Orders: a.ask.orders, Rebates: a.ask.rebates, Wallets: a.ask.wallets, Payouts: a.ask.payouts,
		Switches: a.ask.switches, Keys: a.keys, Limiter: a.kept.limits,
		Limits: rest.Limits{Address: limit(l.Address), Caller: limit(l.Caller), User: limit(l.User)},
		Say:    func(tag, ref string, err error) string { return bot.Sentence(tag, ref, limits, err) },
		Caveat: bot.Caveat, Log: a.log, Now: a.now,
	}
	if a.pay != nil {
		o.ConfirmURL = a.pay.link
	}
	return o
}

// burstPart of a minute's requests may come at once.
const burstPart = 6

func limit(perMinute int) rest.Limit {
	return rest.Limit{PerMinute: perMinute, Burst: max(1, perMinute/burstPart)}
}

// bodyBytesMax bounds every body from outside; what takes one takes less.
const bodyBytesMax = 1 << 20

// edgeLimits are those of the app, which is made after the edge that it stands behind.
type edgeLimits struct{ s *server }

// Allow implements cache.Limits.
func (l edgeLimits) Allow(ctx context.Context, key string, r cache.Rate, burst int) (ok bool, retryAfter time.Duration, err error) {
	return l.s.app.kept.limits.Allow(ctx, key, r, burst)
}

// Reserve implements cache.Limits.
func (l edgeLimits) Reserve(ctx context.Context, key string, r cache.Rate, burst int, within time.Duration) (ok bool, wait time.Duration, err error) {
	return l.s.app.kept.limits.Reserve(ctx, key, r, burst, within)
}

// edge puts in front of the server what everybody from outside passes, where this
// process is the one that they come to.
func (s *server) edge(cfg configs.Config, log *slog.Logger) http.Handler {
	if !(&app{cfg: cfg}).here(gatewayTarget) {
		return s
	}
	e := rest.NewEdge(rest.EdgeOptions{
		Proxies: cfg.API.Nets(), Origins: cfg.API.Origins, Everywhere: limit(cfg.API.Limits.Everywhere), Limiter: edgeLimits{s},
		Free: s.free, BodyBytes: bodyBytesMax, Log: log,
	})
	return e.Wrap(s)
}

// free says what is not counted: whether we are well, what payers and chat networks
// tell us, and the sandbox, which asks itself.
func (s *server) free(path string) bool {
	first := firstSegment(path)
	return path == "/livez" || path == "/readyz" || strings.HasPrefix(path, chargePath) || strings.HasPrefix(path, callbackPath) ||
		s.fromWechat(path) || s.fromWecom(path) || path == telegram.HookPath || s.world != nil && (first == "fake" || first == "go" || first == "shop" || first == "control")
}
