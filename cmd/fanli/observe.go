package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"fanli/adapters/guard"
	"fanli/adapters/observe"
	"fanli/adapters/wechatpay/confirm"
	"fanli/bot"
	"fanli/bot/binding"
	"fanli/bot/landing"
	"fanli/bot/telegram"
	"fanli/configs"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/lock"
	"fanli/core/notify"
	"fanli/jobs"
)

// flushMax is how long a process that stops waits for its last spans to be taken.
const flushMax = 300 * time.Millisecond

// wholeKey is where a context says that the process is the program's own.
type wholeKey struct{}

// whole is the context of a program, rather than of a test that runs one: what
// libraries keep in globals may be set.
func whole(ctx context.Context) context.Context { return context.WithValue(ctx, wholeKey{}, true) }

// serveLog returns the log of a server. As JSON each line says which fanli wrote it;
// libraries write to it, too.
func serveLog(ctx context.Context, cfg configs.Config, w io.Writer) (*slog.Logger, *observe.Records, *slog.LevelVar) {
	records := &observe.Records{}
	handler, level := logHandler(cfg.Log, w)
	log := slog.New(observe.Log(handler, records))
	if cfg.Log.Format == "json" {
		log = log.With("version", version, "targets", strings.Join(cfg.Targets, ","))
	}
	if ctx.Value(wholeKey{}) != nil {
		observe.Libraries(log)
	}
	return log, records, level
}

// newObserver returns what observes this process; nil where nothing is configured
// to look at it.
func newObserver(ctx context.Context, cfg configs.Config, s surroundings, records *observe.Records) (*observe.Observer, error) {
	here := make([]string, 0, len(targets()))
	for _, t := range (&app{cfg: cfg}).targetsHere() {
		here = append(here, t.name)
	}
	obs, err := observe.New(ctx, observe.Options{
		Version: version, Targets: here, Instance: s.holder, Metrics: cfg.Admin.Listen != "", Records: records, Now: s.now, Log: s.log,
		Trace: cfg.Trace.Options(),
	})
	if err == nil && obs != nil {
		obs.Configured(nil)
	}
	return obs, err
}

// flush ends an observer. What it could not send is lost; that is no failure of what
// it observed.
func flush(obs *observe.Observer, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), flushMax)
	defer cancel()
	if err := obs.Close(ctx); err != nil {
		log.Warn("the last traces are lost", "error", err)
	}
}

// inside reports whether all requests come from our own gateway.
func inside(cfg configs.Config) bool {
	return cfg.Split() && !(&app{cfg: cfg}).here(gatewayTarget)
}

// routeOf names what answers a request, out of a few names.
func routeOf(r *http.Request) string {
	path := r.URL.Path
	for _, p := range []struct{ prefix, name string }{
		{"/livez", "livez"}, {"/readyz", "readyz"}, {confirm.Path, "confirm"}, {codePath, "code"}, {chargePath, "charge"}, {landing.Path, "landing"}, {binding.Path, "bind"},
		{callbackPath, "callback"}, {telegram.HookPath, "telegram"}, {"/wechat", "wechat"}, {"/wecom", "wecom"}, {"/fake/", "sandbox"}, {"/go/", "sandbox"}, {"/shop", "sandbox"}, {"/control", "sandbox"},
		{"/api/events", "chat.events"}, {"/api/messages", "chat.messages"}, {"/api/", "api"}, {"/assets/", "assets"},
	} {
		if strings.HasPrefix(path, p.prefix) {
			return p.name
		}
	}
	if path == "/" {
		return "chat"
	}
	return "other"
}

// An observedJob is a job whose runs are observed.
type observedJob struct {
	jobs.Job
	obs *observe.Observer
}

// Run implements jobs.Job.
func (j observedJob) Run(ctx context.Context, l lock.Lease) (jobs.Report, error) {
	ctx, done := j.obs.StartJob(ctx, j.Name(), l.Until)
	rep, err := j.Job.Run(ctx, l)
	done(rep.Done, err)
	return rep, err
}

// observed is a plan whose job is observed.
func (a *app) observed(p jobs.Plan) jobs.Plan {
	if a.obs != nil {
		p.Job = observedJob{p.Job, a.obs}
	}
	return p
}

// hearer is what a target does when it hears an event, observed.
func (a *app) hearer(t target, h hearing) event.Handler {
	return a.obs.Hearer(t.name, h.name, h.handle)
}

// guarded are the configured options of guards, observed.
func guarded(cfg configs.Config, obs *observe.Observer) guard.Options {
	o := cfg.Guard
	if obs == nil {
		return o
	}
	o.Told = func(c guard.Call) {
		if c.Left {
			obs.Call(c.Name, c.Role, c.Err, c.Took)
			return
		}
		obs.Refused(c.Name, c.Role)
	}
	o.Turned = obs.Breaker
	return o
}

// A failureKey is where a turn's context says what it failed with.
type failureKey struct{}

// observeBot has the bot say what becomes of messages.
func (a *app) observeBot() {
	if a.obs == nil {
		return
	}
	a.bot.Trace = a.obs.TraceID
	a.bot.Failed = func(ctx context.Context, err error) {
		if code, ok := ctx.Value(failureKey{}).(*fault.Code); ok {
			*code = fault.CodeOf(err)
		}
	}
	a.bot.Links = countedLinks{a.desk, a.obs}
}

// handler answers the messages of a channel, observed.
func (a *app) handler(channel string) bot.Handler {
	if a.obs == nil {
		return a.bot.Handle
	}
	return func(ctx context.Context, m bot.Message) bot.Reply {
		ctx, done := a.obs.StartTurn(ctx, channel)
		var code fault.Code
		r := a.bot.Handle(context.WithValue(ctx, failureKey{}, &code), m)
		switch {
		case code != "":
			done(string(code))
		case r.Text == "" && len(r.Cards) == 0 && len(r.Buttons) == 0:
			done("silent")
		default:
			done("answered")
		}
		return r
	}
}

// countedLinks count the links that people are given.
type countedLinks struct {
	*link.Desk
	obs *observe.Observer
}

// Make implements bot.Links.
func (c countedLinks) Make(ctx context.Context, user int64, ref link.Ref) (link.Link, error) {
	return c.count(c.Desk.Make(ctx, user, ref))
}

// MakeFor implements bot.Links.
func (c countedLinks) MakeFor(ctx context.Context, user int64, q link.Quote) (link.Link, error) {
	return c.count(c.Desk.MakeFor(ctx, user, q))
}

func (c countedLinks) count(l link.Link, err error) (link.Link, error) {
	if err == nil {
		c.obs.LinkMade(l.Network)
	}
	return l, err
}

// An observedSender tells people within the trace of what they are told of.
type observedSender struct {
	notify.Sender
	a *app
}

// Send implements notify.Sender.
func (s observedSender) Send(ctx context.Context, m notify.Message) error {
	parent, err := s.a.db.of[notificationTarget].MessageTrace(ctx, m.ID)
	if err != nil { // a trace is no reason not to tell them
		parent = ""
	}
	ctx, done := s.a.obs.StartNotice(ctx, parent)
	err = s.Sender.Send(ctx, m)
	done(err)
	return err
}

// sender is who tells people, observed.
func (a *app) sender() notify.Sender {
	if a.obs == nil {
		return a.ask.chats
	}
	return observedSender{a.ask.chats, a}
}

// client is the one to somebody outside, observed.
func (s surroundings) client(to string) *http.Client { return s.obs.Client(to, s.http) }
