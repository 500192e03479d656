// Package gateway is the HTTP edge for programs: the REST API under /api/v1, and
// what everybody who comes from outside passes.
//
// [New] makes the API. Its routes, what each needs, takes and answers stand in one
// table, from which the OpenAPI document is made, too. [NewEdge] makes what is in
// front of everything: ids, addresses, limits, and the end of panics.
//
// # Guarantees
//
//   - Nothing is answered before it is known who asks, but for the health, and the
//     document, which has nothing of anybody.
//   - A caller does what its scopes say, for whom it may act: a client's key for the
//     client's own users, a user's key and a token for that user.
//   - Money is a whole number of fen, in fields that end in _fen.
//   - Asking twice for a withdrawal with one Idempotency-Key makes one.
//   - What is wrong is said as RFC 9457 has it, in the caller's language and with the
//     id under which the log says more. Causes do not leave the log.
//   - A body with a field that is not known, or twice there, is refused, and so is
//     what is too long, too deep, or has something behind it.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"fanli/core/access"
	"fanli/core/cache"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Path is where the API is.
const Path = "/api/v1/"

// Opener knows API keys. An access.Keeper is one.
type Opener interface {
	Open(ctx context.Context, text string, from netip.Addr) (access.Key, error)
}

// A Limit is how often something may happen.
type Limit struct {
	PerMinute int // 0: as often as you like
	Burst     int // at once after a pause
}

func (l Limit) rate() cache.Rate { return cache.Rate{Count: l.PerMinute, Per: time.Minute} }

// Limits are those of the API.
type Limits struct {
	Address, Caller, User Limit
}

// Options are what an API needs. Those that are called optional may stay empty.
type Options struct {
	Users    user.Service
	Links    link.Service
	Orders   order.Service
	Rebates  rebate.Service
	Wallets  credit.Wallets
	Payouts  withdraw.Service
	Switches control.Service

	Keys   Opener
	Tokens []*Issuer // whose tokens are believed; optional
	// Limiter counts for Limits.
	Limiter cache.Limits
	Limits  Limits
	// Say puts what went wrong into words of a language, for who reads them; ref is
	// the id under which the log says more.
	Say func(language, ref string, err error) string
	// Caveat returns the sentence of a stable key; optional.
	Caveat func(language, key string) (text string, ok bool)
	// ConfirmURL returns the page on which the payee of a withdrawal confirms it;
	// optional.
	ConfirmURL func(w withdraw.Withdrawal) string
	Log        *slog.Logger
	Now        func() time.Time
}

// An API answers below Path. It is safe for concurrent use.
type API struct {
	o        Options
	mux      *http.ServeMux
	document func() ([]byte, error) // made when it is first asked for
}

// New returns an API.
func New(o Options) *API {
	a := &API{o: o, mux: http.NewServeMux(), document: sync.OnceValues(Document)}
	allowed := map[string]string{}
	for _, e := range endpoints() {
		a.mux.Handle(e.method+" "+e.path, a.serve(e))
		if allowed[e.path] != "" {
			allowed[e.path] += ", "
		}
		allowed[e.path] += e.method
	}
	for path, methods := range allowed {
		a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", methods)
			a.problem(w, r, refuse(http.StatusMethodNotAllowed, "api.method", ""))
		})
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.problem(w, r, refuse(http.StatusNotFound, "api.no_such_path", ""))
	})
	return a
}

// ServeHTTP answers a request below Path.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language, Authorization")
	a.mux.ServeHTTP(w, r)
}
