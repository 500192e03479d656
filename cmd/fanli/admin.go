package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // it registers with a mux that nothing here serves
	"strings"
	"time"

	"fanli/adapters/observe"
	"fanli/configs"
	"fanli/jobs"
)

// An adminPort shows operators how this process is, on an address of its own: never
// where people are served.
type adminPort struct {
	srv  *http.Server
	done chan struct{}
}

// openAdmin opens the configured one; nil where there is none.
func (s *server) openAdmin(ctx context.Context, cfg configs.Config) (*adminPort, error) {
	if cfg.Admin.Listen == "" {
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Admin.Listen)
	if err != nil {
		return nil, err
	}
	log := s.app.log
	p := &adminPort{done: make(chan struct{}), srv: &http.Server{
		Handler: s.adminHandler(cfg.Admin), ReadHeaderTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytesMax,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	go func() {
		defer close(p.done)
		if err := p.srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin port is closed", "error", err)
		}
	}()
	log.Info("the admin port is open", "address", ln.Addr().String())
	return p, nil
}

// close ends it at once.
func (p *adminPort) close() error {
	if p == nil {
		return nil
	}
	err := p.srv.Close()
	<-p.done
	return err
}

// adminHandler answers on the admin port: health to everybody who reaches it, the
// rest to who has the token, if there is one. What can be seen of the memory of the
// process is shown on this machine or with a token only.
func (s *server) adminHandler(c configs.Admin) http.Handler {
	s.app.obs.Watch(append(s.app.sources(), observe.Source{Name: "ready", Read: s.readReady})...)
	closed := http.NewServeMux()
	if m := s.app.obs.Metrics(); m != nil {
		closed.Handle("GET /metrics", m)
	}
	profile := http.NewServeMux()
	profile.HandleFunc("/debug/pprof/", pprof.Index)
	profile.HandleFunc("/debug/pprof/cmdline", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }) // it may have secrets
	profile.HandleFunc("/debug/pprof/profile", pprof.Profile)
	profile.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	profile.HandleFunc("/debug/pprof/trace", pprof.Trace)
	closed.HandleFunc("/debug/pprof/", func(w http.ResponseWriter, r *http.Request) {
		if c.Token == "" && !fromHere(r) {
			answer(w, http.StatusForbidden, map[string]any{"error": "profiles are shown on this machine only, or to who has admin.token"})
			return
		}
		profile.ServeHTTP(w, r)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]any{"alive": true}) })
	mux.HandleFunc("GET /readyz", s.readyDetails)
	mux.Handle("/", withToken(c.Token, closed))
	return mux
}

// fromHere reports whether a request comes from this machine.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// withToken lets in who has the token; everybody where there is none.
func withToken(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(said))
		if !ok || subtle.ConstantTimeCompare(sum[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, map[string]any{"error": "admin.token is needed, as Authorization: Bearer …"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// why says why this process cannot answer people; "" if it can.
func (s *server) why(ctx context.Context) string {
	if !s.ready.Load() {
		return "starting or stopping"
	}
	if err := s.app.db.Ping(ctx); err != nil {
		return "the database does not answer"
	}
	return ""
}

func (s *server) readReady(ctx context.Context, say observe.Say) error {
	if s.why(ctx) == "" {
		say(observe.Ready, 1)
		return nil
	}
	say(observe.Ready, 0)
	return nil
}

// readyDetails says what /readyz says, and of what it depends on how each is. Its
// status is that of /readyz: another target that is down is no reason to take this
// process out of service.
func (s *server) readyDetails(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	a := s.app
	out := map[string]any{"ready": true, "version": version}
	status := http.StatusOK
	if why := s.why(ctx); why != "" {
		status, out["ready"], out["why"] = http.StatusServiceUnavailable, false, why
	}
	var here []string
	databases := map[string]string{}
	for _, t := range a.targetsHere() {
		here = append(here, t.name)
		if db := a.db.of[t.name]; db != nil {
			databases[t.name] = "answers"
			if db.Ping(ctx) != nil {
				databases[t.name] = "does not answer"
			}
		}
	}
	out["targets"], out["databases"], out["jobs"] = here, databases, failing(a.runner.Status())
	if a.peers != nil {
		lines := map[string]string{}
		for _, c := range a.peers.conns {
			lines[c.Target()] = strings.ToLower(c.GetState().String())
		}
		out["peers"] = lines
	}
	answer(w, status, out)
}

// failing are the jobs whose last run failed.
func failing(all []jobs.Status) map[string]any {
	out := map[string]any{}
	for _, j := range all {
		if j.Fails > 0 {
			out[j.Name] = map[string]any{"fails": j.Fails, "error": j.Error, "last_ok": j.LastOK.Format(time.RFC3339)}
		}
	}
	return out
}
