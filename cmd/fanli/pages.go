package main

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"fanli/adapters/guard"
)

// pagesKind begins the names of what the gateway hands requests on to, among
// dependencies: bot and payment as pages, apart from what is asked of them by gRPC.
const pagesKind = "pages/"

// pages is the way to the pages of a target: where nobody answers, requests are sent
// away at once until somebody does, and never so many wait that others find no place.
func (r *resilience) pages(target string, p *pool) http.RoundTripper {
	name := pagesKind + target
	l := r.line(name, func(err error) bool { return err != nil })
	p.patience(r.cfg.Line(name).Timeout * 4 / 5) // before the line's own ends, so that whoever was slow is known
	by := keeping{l.RoundTripper(p)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pools[name] = func(ctx context.Context) {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target+"/livez", http.NoBody)
		if err != nil {
			return
		}
		if resp, err := by.RoundTrip(q); err == nil {
			_ = resp.Body.Close()
		}
	}
	return by
}

// keeping takes the body of a request before there is somebody to wait for: who sends
// slowly holds up nobody, and does not make the other side look slow.
type keeping struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (k keeping) RoundTrip(r *http.Request) (*http.Response, error) {
	content, err := keep(r)
	if err != nil {
		return nil, err
	}
	out := r.WithContext(r.Context())
	out.Body = content
	return k.next.RoundTrip(out)
}

// notAnswered tells whoever asked that there is no answer. If nothing can have come of
// the request it is 503, and can be asked again; otherwise 502, since nobody knows.
func notAnswered(w http.ResponseWriter, r *http.Request, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	var sent *bodyError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		answer(w, http.StatusRequestEntityTooLarge, map[string]any{"error": "the request is too large"})
		return
	case errors.As(err, &sent):
		answer(w, http.StatusBadRequest, map[string]any{"error": "the request did not arrive whole"})
		return
	}
	status := http.StatusBadGateway
	if idle(r) || notLeft(err) {
		status = http.StatusServiceUnavailable
	}
	h.Set("Retry-After", "5")
	if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		answer(w, status, map[string]any{"error": "that part of fanli does not answer; please try again in a moment"})
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = awayHTML.Execute(w, nil) // the other side has gone: nobody to tell
}

// awayHTML is what people read while a page is away. It asks again by itself.
var awayHTML = template.Must(template.New("away").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10"><title>马上回来 · Back in a moment</title></head>
<body style="font-family:system-ui,sans-serif;text-align:center;margin:2rem auto;max-width:22rem">
<h1>马上回来</h1><p>这个页面正在恢复，稍后会自动刷新。你的订单和钱都在账上，一分不少。</p>
<p lang="en"><small>Back in a moment. This page asks again by itself. Your orders and your money are safe.</small></p>
</body></html>`))

// notLeft reports whether nothing of a request has reached anybody.
func notLeft(err error) bool {
	var alone *unreachedError
	return errors.As(err, &alone) || guard.Refused(err)
}
