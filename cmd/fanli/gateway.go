package main

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"

	rest "fanli/adapters/gateway"
	"fanli/core/fault"
)

// A gateway hands requests on to the targets that answer them: what payers and payees
// ask to payment, everything else to bot.
type gateway struct {
	bot, payment http.Handler
}

// newGateway returns the gateway of a process that runs none of the two; nil where
// nothing is handed on.
func newGateway(a *app) (*gateway, error) {
	if !a.cfg.Split() || !a.here(gatewayTarget) {
		return nil, nil
	}
	g := &gateway{bot: http.NotFoundHandler(), payment: http.NotFoundHandler()}
	for name, to := range map[string]*http.Handler{botTarget: &g.bot, paymentTarget: &g.payment} {
		if a.here(name) {
			continue
		}
		p, err := a.poolOf(name)
		if err != nil {
			return nil, err
		}
		if p != nil {
			p.transport = a.obs.Forward(p.transport)
			*to = handOn(a.resilience.pages(name, p), a.log.With("target", name))
		}
	}
	return g, nil
}

// handOn hands requests on to the processes of a target. Who asked stands in
// X-Forwarded-For, and what a stranger has put there does not.
func handOn(to http.RoundTripper, log *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			if from := rest.Address(r.In.Context()); from.IsValid() {
				r.Out.Header.Set("X-Forwarded-For", from.String())
			}
		},
		Transport:     to,
		FlushInterval: -1, // the chat is a stream
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil && fault.ReasonOf(err) == "" { // else whoever asked has gone, or nobody was asked, which was said before
				log.Warn("a request was not answered", "error", err)
			}
			notAnswered(w, r, err)
		},
	}
}

// payPath is below which payers and payees ask.
const payPath = "/pay/"

// handsOn reports whether a path is answered by another process.
func (g *gateway) handsOn(a *app, path string) bool {
	if strings.HasPrefix(path, payPath) {
		return !a.here(paymentTarget)
	}
	return !a.here(botTarget)
}

// ServeHTTP hands a request on.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, payPath) {
		g.payment.ServeHTTP(w, r)
		return
	}
	g.bot.ServeHTTP(w, r)
}
