package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fanli/adapters/guard"
)

// What handing on may take.
const (
	// proxyHeaderMax is how long a target may take to begin an answer. What it says
	// after that may last, as a stream does.
	proxyHeaderMax = 30 * time.Second
	// proxyDialMax is how long a process may take to pick up.
	proxyDialMax = 2 * time.Second
	// proxyIdleMax is shorter than what the other side allows, so that a request
	// does not meet a line that is being closed.
	proxyIdleMax = idleTimeout / 4
	// restMin is for how long one that did not pick up is asked last.
	restMin = 2 * time.Second
	// keptBytesMax is up to where a body is kept, so that it can be sent again if
	// none of it has left.
	keptBytesMax = 64 << 10
)

// drainingHeader stands in the answers of a process that is about to stop.
const drainingHeader = "Fanli-Draining"

var errNobodyThere = errors.New("no process of it is known")

// A pool is the processes to which requests for a target are handed on, in turn. One
// that does not pick up, or is about to stop, is asked last for a while. A request
// goes to a second process if nothing of it can have reached the first, or if it only
// looks; any other one is never sent twice. It is safe for concurrent use.
type pool struct {
	log       *slog.Logger
	transport http.RoundTripper
	direct    *http.Transport // what transport is, below what watches it

	mu   sync.Mutex
	all  []*backend
	turn int
}

// A backend is one process of a pool.
type backend struct {
	to    *url.URL
	rests time.Time // until then it is asked last
}

func newPool(log *slog.Logger) *pool {
	t := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: proxyDialMax}).DialContext,
		ResponseHeaderTimeout: proxyHeaderMax, MaxIdleConnsPerHost: 64, IdleConnTimeout: proxyIdleMax,
	}
	return &pool{log: log, transport: t, direct: t}
}

// patience is how long one process may take to begin an answer. It is set before the
// first request.
func (p *pool) patience(d time.Duration) { p.direct.ResponseHeaderTimeout = d }

// A bodyError says that a request's body did not arrive.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

// An unreachedError says that nothing of a request has reached any process.
type unreachedError struct{ error }

func (e *unreachedError) Unwrap() error { return e.error }

// set says where the processes are. It takes over those that it can read.
func (p *pool) set(at []string) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*backend
	for _, text := range at {
		u, bad := url.Parse(text)
		if bad != nil || u.Host == "" {
			err = errors.Join(err, errors.New("an address such as http://bot:8080 is needed"))
			continue
		}
		same := func(b *backend) bool { return *b.to == *u }
		if slices.ContainsFunc(all, same) {
			continue // it came back where it was
		}
		b := &backend{to: u}
		if i := slices.IndexFunc(p.all, same); i >= 0 {
			b = p.all[i]
		}
		all = append(all, b)
	}
	p.all = all
	return err
}

// order returns whom to ask, one after the other.
func (p *pool) order() []*backend {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.all)
	if n == 0 {
		return nil
	}
	p.turn = (p.turn + 1) % n
	var well, resting []*backend
	now := time.Now()
	for i := range n {
		b := p.all[(p.turn+i)%n]
		if now.Before(b.rests) {
			resting = append(resting, b)
		} else {
			well = append(well, b)
		}
	}
	return append(well, resting...)
}

// rest has one asked last for a while.
func (p *pool) rest(b *backend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.rests = time.Now().Add(restMin)
}

// RoundTrip implements http.RoundTripper.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	content, kept := r.Body.(*body)
	if !kept {
		var err error
		if content, err = keep(r); err != nil {
			return nil, err
		}
	}
	err := errNobodyThere
	arrived := false
	for _, b := range p.order() {
		var resp *http.Response
		var reached bool
		resp, reached, err = p.try(b, r, content)
		if err == nil {
			if resp.Header.Get(drainingHeader) != "" {
				resp.Header.Del(drainingHeader)
				p.rest(b)
			}
			return resp, nil
		}
		var sent *bodyError
		switch {
		case errors.As(err, &sent):
			return nil, err
		case r.Context().Err() != nil && content.waits():
			return nil, guard.Withdrawn(&bodyError{err})
		case r.Context().Err() != nil: // whoever asked has gone
			return nil, err
		}
		arrived = arrived || reached
		p.rest(b)
		p.log.Info("a process does not answer", "at", b.to.Host, "error", err)
		if reached && !looks(r, err) || content.spent() {
			return nil, err
		}
	}
	if !arrived {
		err = &unreachedError{err}
	}
	return nil, err
}

// try sends a request to one process. reached reports whether something of it may
// have arrived.
func (p *pool) try(b *backend, r *http.Request, content *body) (resp *http.Response, reached bool, err error) {
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { reached = true },
	})
	out := r.Clone(ctx)
	(&httputil.ProxyRequest{In: r, Out: out}).SetURL(b.to)
	out.Host = r.Host
	content.fill(out)
	resp, err = p.transport.RoundTrip(out)
	return resp, reached, err
}

// looks reports whether a request whose answer got lost may be asked again: it
// changes nothing, and it is not that the answer took too long.
func looks(r *http.Request, err error) bool {
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return false
	}
	return idle(r)
}

// idle reports whether a request only looks.
func idle(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// A body is that of a request which may have to be sent to several.
type body struct {
	kept   []byte      // all of it, if it is small
	stream io.Reader   // or what it is read from
	read   atomic.Bool // something of the stream was
	ended  atomic.Bool // all of it was
}

// keep takes a request's body.
func keep(r *http.Request) (*body, error) {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		return &body{}, nil
	case r.ContentLength < 0 || r.ContentLength > keptBytesMax:
		return &body{stream: r.Body}, nil
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, keptBytesMax))
	if err != nil {
		err = guard.Withdrawn(&bodyError{err})
	}
	return &body{kept: text}, err
}

// fill gives a request the body.
func (b *body) fill(r *http.Request) {
	switch {
	case b.stream != nil:
		r.Body = io.NopCloser(b) // the server closes what is behind it
	case b.kept != nil:
		r.Body = io.NopCloser(bytes.NewReader(b.kept))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.kept)), nil }
	default:
		r.Body = http.NoBody
	}
}

// Read implements io.Reader for what is not kept.
func (b *body) Read(to []byte) (int, error) {
	b.read.Store(true)
	n, err := b.stream.Read(to)
	switch {
	case errors.Is(err, io.EOF):
		b.ended.Store(true)
	case err != nil:
		err = guard.Withdrawn(&bodyError{err})
	}
	return n, err
}

// Close implements io.Closer; the server closes what it has given us.
func (b *body) Close() error { return nil }

// waits reports whether its sender has not sent all of it.
func (b *body) waits() bool { return b.stream != nil && !b.ended.Load() }

// spent reports whether a part of it is gone for good.
func (b *body) spent() bool { return b.read.Load() }
