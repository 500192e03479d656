package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/cache"
)

// EdgeOptions are those of an Edge.
type EdgeOptions struct {
	// Proxies are those whose word on who asked is believed.
	Proxies []netip.Prefix
	// Origins are the pages from which browsers may ask the API, as
	// https://app.example.com.
	Origins []string
	// Everywhere bounds what one address may ask of everything, Free excepted.
	Everywhere Limit
	Limiter    cache.Limits
	// Free says which paths are not counted; optional.
	Free func(path string) bool
	// BodyBytes bounds a body, wherever it goes; 0: what takes it does.
	BodyBytes int64
	Log       *slog.Logger
}

// An Edge is what everybody from outside passes: it says who asks and under which id,
// bounds how much, and ends panics. It is safe for concurrent use.
type Edge struct{ o EdgeOptions }

// NewEdge returns one.
func NewEdge(o EdgeOptions) *Edge { return &Edge{o} }

// visit is what is known of a request.
type visit struct {
	id      string
	address netip.Addr
}

type visitKey struct{}

// RequestID returns the id of a request that has passed an Edge.
func RequestID(ctx context.Context) string {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v.id
}

// Address returns who asked, as far as can be known; the zero one before an Edge.
func Address(ctx context.Context) netip.Addr {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v.address
}

// requestIDHeader is where the id of a request travels, in both directions.
const requestIDHeader = "X-Request-Id"

// Wrap puts the edge in front of next.
func (e *Edge) Wrap(next http.Handler) http.Handler {
	// The writer is not wrapped: net/http tells a body that is too large by methods of
	// its own writer, and streams by others.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !wellFormed(id) {
			id = newID()
		}
		v := visit{id, e.address(r)}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		r.Header.Set(requestIDHeader, id) // for whom it is handed on to
		w.Header().Set(requestIDHeader, id)
		defer e.survive(w, r, id)
		if e.o.BodyBytes > 0 && r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, e.o.BodyBytes)
		}
		if wait, over := e.over(r, v.address); over {
			w.Header().Set("Retry-After", seconds(wait))
			http.Error(w, "too many requests; please wait a moment", http.StatusTooManyRequests)
			return
		}
		if strings.HasPrefix(r.URL.Path, Path) && e.cors(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// over reports whether an address has asked too much.
func (e *Edge) over(r *http.Request, from netip.Addr) (time.Duration, bool) {
	l := e.o.Everywhere
	if l.PerMinute == 0 || e.o.Free != nil && e.o.Free(r.URL.Path) {
		return 0, false
	}
	ok, wait, err := e.o.Limiter.Allow(r.Context(), "edge/"+network(from), l.rate(), l.Burst)
	if err != nil { // whoever counts is not well: better to answer than to be shut
		e.o.Log.Warn("requests are not counted", "error", err)
		return 0, false
	}
	return wait, !ok
}

// wordForm is a part of a path that names a place of ours. Others may be numbers of people,
// or what lets whoever knows it look at a page.
var wordForm = regexp.MustCompile(`^([a-z_.-]{0,20}|v[0-9])$`)

// wordsOf is a path without what is nobody's but its caller's.
func wordsOf(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if !wordForm.MatchString(p) {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

// survive ends a panic: it is told to the log, and to the caller as far as nothing was
// said yet. The connection ends with it, so that half an answer does not look like a
// whole one.
func (e *Edge) survive(w http.ResponseWriter, r *http.Request, id string) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	e.o.Log.Error("a request panicked", "request", id, "method", r.Method, "path", wordsOf(r.URL.Path), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	text := "something went wrong here and was noted (ref " + id + ")\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, text)            //nolint:gosec // plain text, and an id of letters and digits; the other side may have gone
	_ = http.NewResponseController(w).Flush() // likewise
	panic(http.ErrAbortHandler)
}

// cors lets pages of configured origins ask. done is true for a question about
// that.
func (e *Edge) cors(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || len(e.o.Origins) == 0 {
		return false
	}
	w.Header().Add("Vary", "Origin")
	known := slices.Contains(e.o.Origins, origin)
	if known {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, Location, ETag")
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if known {
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-Fanli-User, X-Request-Id, Accept-Language")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// address returns who asked: who is connected, or, behind proxies that are
// believed, the last one before them.
func (e *Edge) address(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !e.believed(from) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		from = next.Unmap().WithZone("")
	}
	return from
}

func (e *Edge) believed(a netip.Addr) bool {
	return slices.ContainsFunc(e.o.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// network is what is counted as one address: whoever has one of IPv6 has 2⁶⁴.
func network(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr().String()
		}
	}
	return a.String()
}

// Sizes of a request's id.
const (
	idMin = 8
	idMax = 64
)

// wellFormed reports whether an id of somebody else may stand in our log.
func wellFormed(id string) bool {
	return len(id) >= idMin && len(id) <= idMax && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

func newID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// seconds writes a time to wait, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
