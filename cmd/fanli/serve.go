package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/alipay"
	rest "fanli/adapters/gateway"
	"fanli/adapters/sandbox"
	"fanli/adapters/wechatpay/confirm"
	"fanli/bot"
	"fanli/bot/binding"
	"fanli/bot/kf"
	"fanli/bot/landing"
	"fanli/bot/telegram"
	"fanli/bot/webchat"
	"fanli/bot/wechat"
	"fanli/configs"
)

// How long stopping may take: first requests that are being answered, then what
// is left.
const (
	drainMax = 3 * time.Second
	stopMax  = 4500 * time.Millisecond
)

// What one connection may take of us.
const (
	readTimeout    = 10 * time.Second // for a header, and for a body
	idleTimeout    = 2 * time.Minute  // between two requests
	headerBytesMax = 64 << 10
)

func serveCommand(std stdio, f *flags) *cobra.Command {
	var listen string
	var targets []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run everything in one process; without a configuration, the sandbox world",
		Long: `Runs the chat channels, the jobs and the HTTP server in one process, on the embedded
database. Without a configured network it serves its own sandbox world: shops,
affiliate networks that speak the real wire protocols, a payer, and a clock that can
be moved. It prints the address to open, and stops within five seconds of SIGTERM
with nothing lost.

/livez says that the process runs, /readyz that it can answer.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.targets = targets
			r, err := f.read(std)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), r, listen, std)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "address to listen on, instead of the configured one")
	cmd.Flags().StringSliceVar(&targets, "targets", nil, "which parts run here, instead of the configured ones; `fanli targets` lists them")
	return cmd
}

// A server is a running fanli.
type server struct {
	app   *app
	world *sandbox.World // nil outside of the sandbox
	base  string         // where it is reached from this machine
	chat  *webchat.Chat  // nil where it is off

	telegram   *telegram.Channel // nil where it is off
	wechat     *wechat.Channel   // nil where it is off, or elsewhere
	wechatPath string            // of its callbacks
	kf         *kf.Channel       // nil where it is off, or elsewhere
	kfPath     string            // of its callbacks

	secure  bool // people reach it over https only
	live    *live
	gateway *gateway // nil where nothing is handed on
	at      net.Addr // where it listens
	http    *http.Server
	ready   atomic.Bool
}

// serve runs until ctx ends. It returns nil if everything stopped in order.
func serve(ctx context.Context, r *given, listen string, std stdio) (err error) {
	cfg := r.Config
	cfg.Listen = cmp.Or(listen, cfg.Listen)
	if err := checkSplit(cfg); err != nil {
		return err
	}
	log, records, level := serveLog(ctx, cfg, std.err)
	own, err := openFolder(cfg.Data)
	if err != nil {
		return atWork(err)
	}
	defer func() { err = errors.Join(err, own.close()) }()
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("%w (another fanli? choose an address with --listen)", err)
	}
	base := localURL(ln.Addr().String())
	s := &server{at: ln.Addr(), base: base, secure: cfg.Webchat.Secure, wechatPath: wechatPath(cfg), kfPath: kfPath(cfg)}
	around := surroundings{base: base, log: log, now: time.Now, http: &http.Client{}, holder: own.holds(cfg), stale: r.absent != nil}
	if cfg.Sandbox() {
		if cfg, err = s.openWorld(cfg, base, log); err != nil {
			return errors.Join(err, ln.Close())
		}
		around.now, around.shop = s.world.Now, base+"/shop"
	}
	if around.obs, err = newObserver(ctx, cfg, around, records); err != nil {
		return errors.Join(err, ln.Close())
	}
	defer flush(around.obs, log)
	// The world must answer before the app asks it.
	s.http = &http.Server{
		Handler: around.obs.HTTP(s.edge(cfg, log), routeOf, inside(cfg)), ReadHeaderTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytesMax,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	serving := make(chan error, 1)
	if s.app, err = newApp(ctx, cfg, around); err != nil {
		return errors.Join(err, ln.Close())
	}
	own.inherit(ctx, s.app, around.holder)
	s.live, err = newLive(s.app, r, level, holder(), s.prepare)
	if err != nil {
		return errors.Join(err, s.app.close(), ln.Close())
	}
	if s.gateway, err = newGateway(s.app); err != nil {
		return errors.Join(err, s.app.close(), ln.Close())
	}
	var channels []bot.Channel
	if s.app.here(botTarget) {
		channels, err = s.channels(cfg, base)
	}
	if err != nil {
		return errors.Join(err, s.app.close(), ln.Close())
	}
	admin, err := s.openAdmin(ctx, cfg)
	if err != nil {
		return errors.Join(err, s.app.close(), ln.Close())
	}
	defer func() { err = errors.Join(err, admin.close()) }()
	go func() { serving <- s.http.Serve(ln) }()
	_, _ = fmt.Fprintf(std.out, "fanli is ready: open %s\n", base)
	if s.world != nil {
		_, _ = fmt.Fprintf(std.out, "  sandbox: no key is needed, no real money moves\n  the shop: %s/shop\n  move orders and time: %s/control\n", base, base)
	}
	return s.run(ctx, channels, serving)
}

// openWorld opens the sandbox's world and returns cfg with it in its place.
func (s *server) openWorld(cfg configs.Config, base string, log *slog.Logger) (_ configs.Config, err error) {
	if cfg.Database.DSN != "" {
		log.Warn("the sandbox plays in a file: database.dsn counts once a network is configured")
	}
	s.world, err = sandbox.New(sandbox.Options{
		BaseURL: base, Dir: cfg.Data, Notify: base + chargePath + alipay.Name, Tell: base + callbackPath + alipay.Name,
	})
	if err != nil {
		return cfg, err
	}
	return s.prepare(cfg), nil
}

// prepare puts the sandbox's world in the place of what is configured, where there is
// one.
func (s *server) prepare(cfg configs.Config) configs.Config {
	if s.world == nil {
		return cfg
	}
	return withMembers(withTill(inSandbox(cfg, s.world)), s.world, s.base)
}

// channels makes the configured chat channels.
func (s *server) channels(cfg configs.Config, base string) ([]bot.Channel, error) {
	var out []bot.Channel
	s.app.bot.Flood = s.app.kept.limits
	if cfg.Webchat.Enabled {
		o := webchat.Options{Log: s.app.db.Memory(), Now: s.app.now, Title: cfg.Webchat.Title, Secure: cfg.Webchat.Secure, Logger: s.app.log}
		s.app.shareChats(&o)
		if s.world != nil {
			o.ShopURL, o.ControlURL, o.Image = base+"/shop", base+"/control", s.world.Picture
			o.Examples = examples(s.world)
		}
		chat, err := webchat.New(o)
		if err != nil {
			return nil, err
		}
		s.chat = chat
		out = append(out, chat)
	}
	if cfg.Telegram.Token != "" {
		t, err := s.openTelegram(cfg)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	if cfg.Wecom.Enabled() {
		c, err := s.openKf(cfg)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if cfg.Wechat.Enabled() {
		c, err := s.openWechat(cfg)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return append(out, s.app.robots()...), nil
}

// run runs channels and jobs until ctx ends, and then stops everything in order:
// nothing new is taken in, what is under way is finished, the database is closed.
func (s *server) run(ctx context.Context, channels []bot.Channel, serving <-chan error) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var beside sync.WaitGroup
	beside.Go(func() {
		if err := s.app.runner.Run(work); err != nil {
			s.app.log.Error("jobs stopped", "error", err)
		}
	})
	s.app.relayOnEmit(work)
	beside.Go(func() { s.app.watchLadder(work) })
	beside.Go(func() { s.live.run(ctx) })
	peersDone := make(chan struct{})
	go func() {
		defer close(peersDone)
		if s.app.peers == nil {
			return
		}
		if err := s.app.peers.run(work); err != nil {
			s.app.log.Error("the other targets are not reached", "error", err)
		}
	}()
	taking, takeNoMore := context.WithCancel(context.WithoutCancel(ctx))
	defer takeNoMore()
	waitChannels := s.app.serveChannels(taking, channels)
	if s.world != nil {
		s.world.OnChange(s.app.wakeAll)
	}
	s.ready.Store(true)
	s.join(peersDone)
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-serving:
	}
	s.ready.Store(false)
	s.drain(ctx)
	takeNoMore()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopMax)
	defer cancel()
	waited := make(chan struct{})
	go func() {
		waitChannels()
		s.shutdown(deadline)
		stopWork()
		beside.Wait()
		<-peersDone
		s.leave(deadline)
		close(waited)
	}()
	select {
	case <-waited:
	case <-deadline.Done():
		s.app.log.Warn("stopped before everything was finished; it goes on at the next start")
	}
	if s.world != nil {
		s.world.Save()
	}
	return errors.Join(failed, s.live.close(), s.app.close())
}

// shutdown lets requests finish, but not for ever.
func (s *server) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainMax)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
}

// ServeHTTP is the edge: health, the sandbox's world, and the web chat.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if s.secure {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000") // a year
	}
	s.farewell(w)
	if r.ContentLength != 0 { // who sends a body sends it now; a stream that has none may stay
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout)) // tests have none
	}
	leave, ok := s.admit(w, r)
	if !ok {
		return
	}
	defer leave()
	look := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch first := firstSegment(r.URL.Path); {
	case !look && (r.URL.Path == "/livez" || r.URL.Path == "/readyz"):
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, map[string]any{"error": "look only"})
	case r.URL.Path == "/livez":
		answer(w, http.StatusOK, map[string]any{"alive": true})
	case r.URL.Path == "/readyz":
		s.readyz(w, r)
	case s.app != nil && s.app.api != nil && strings.HasPrefix(r.URL.Path, rest.Path):
		s.app.api.ServeHTTP(w, r)
	case s.world != nil && (first == "fake" || first == "go" || first == "shop" || first == "control"):
		s.world.Handler().ServeHTTP(w, r)
	case s.gateway != nil && s.gateway.handsOn(s.app, r.URL.Path):
		s.gateway.ServeHTTP(w, r)
	case s.app == nil || !s.app.here(paymentTarget) && strings.HasPrefix(r.URL.Path, payPath):
		http.NotFound(w, r)
	case s.app.pay != nil && strings.HasPrefix(r.URL.Path, confirm.Path):
		s.app.pay.ServeHTTP(w, r)
	case s.app.codes != nil && look && strings.HasPrefix(r.URL.Path, codePath):
		s.app.codes.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, chargePath):
		s.app.charged(w, r)
	case strings.HasPrefix(r.URL.Path, callbackPath):
		s.app.callback(w, r)
	case s.app.landing != nil && strings.HasPrefix(r.URL.Path, landing.Path):
		s.app.landing.ServeHTTP(w, r)
	case s.app.member != nil && strings.HasPrefix(r.URL.Path, binding.Path):
		s.app.member.ServeHTTP(w, r)
	case s.wechat != nil && s.fromWechat(r.URL.Path):
		s.wechat.ServeHTTP(w, r)
	case s.kf != nil && s.fromWecom(r.URL.Path):
		s.kf.ServeHTTP(w, r)
	case s.telegram != nil && r.URL.Path == telegram.HookPath:
		s.telegram.ServeHTTP(w, r)
	case s.chat != nil:
		s.chat.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// firstSegment returns "shop" for "/shop/jd/1".
func firstSegment(path string) string {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			return path[1:i]
		}
	}
	if path == "" {
		return ""
	}
	return path[1:]
}

// readyTimeout bounds how long /readyz looks.
const readyTimeout = 2 * time.Second

// readyz says whether the process can answer people: it runs and its database
// answers. A network that is down is no reason to take it out of service.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	status, out := http.StatusOK, map[string]any{"ready": true}
	if why := s.why(ctx); why != "" {
		status, out["ready"], out["why"] = http.StatusServiceUnavailable, false, why
	}
	s.app.degraded(out)
	if state := s.live.state(); state != nil {
		out["config"] = state
	}
	answer(w, status, out)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the other side has gone: nobody to tell
}
