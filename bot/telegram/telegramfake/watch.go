package telegramfake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Call is one call that the bot made, also one that failed.
type Call struct {
	Method string // in lower case
	Params Params
	At     time.Time
}

// Calls returns the calls of a method in order; all calls for "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.callsOf(method)
}

func (s *Server) callsOf(method string) []Call {
	method = strings.ToLower(method)
	var found []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			found = append(found, c)
		}
	}
	return found
}

// WaitCalls waits until a method was called n times, and returns the calls.
func (s *Server) WaitCalls(ctx context.Context, method string, n int) ([]Call, error) {
	err := s.await(ctx, func() bool { return len(s.callsOf(method)) >= n })
	return s.Calls(method), err
}

// Sent returns what the bot has sent to a chat, in order.
func (s *Server) Sent(chat int64) []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sentTo(chat)
}

func (s *Server) sentTo(chat int64) []Sent {
	r := s.room(chat)
	all := make([]Sent, 0, len(r.sent))
	for _, id := range r.sent {
		all = append(all, r.messages[id].sent)
	}
	return all
}

// Wait waits until the bot has sent n messages to a chat, and returns all.
func (s *Server) Wait(ctx context.Context, chat int64, n int) ([]Sent, error) {
	return s.WaitFor(ctx, chat, func(all []Sent) bool { return len(all) >= n })
}

// WaitFor waits until what the bot has sent to a chat is as wanted, and returns
// it.
func (s *Server) WaitFor(ctx context.Context, chat int64, wanted func([]Sent) bool) ([]Sent, error) {
	err := s.await(ctx, func() bool { return wanted(s.sentTo(chat)) })
	return s.Sent(chat), err
}

// Actions returns what the bot seemed to be doing in a chat, as "typing".
func (s *Server) Actions(chat int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.room(chat).actions)
}

// WaitActions waits until the bot seemed to be doing n things in a chat.
func (s *Server) WaitActions(ctx context.Context, chat int64, n int) error {
	return s.await(ctx, func() bool { return len(s.room(chat).actions) >= n })
}

// await waits until ok, which is called with the server locked.
func (s *Server) await(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		done, changed := ok(), s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Client returns a client whose every request comes here, without a network.
func (s *Server) Client() *http.Client { return Wire(s) }

// Wire returns a client whose every request goes to a handler, without a network.
func Wire(to http.Handler) *http.Client { return &http.Client{Transport: wire{to}} }

// wire carries requests to a server in this process.
type wire struct{ to http.Handler }

// errBroken is a connection that ended before the answer.
var errBroken = errors.New("connection reset by peer")

// RoundTrip implements http.RoundTripper.
func (t wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := []byte{}
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close() // it has been read
		if err != nil {
			return nil, err
		}
	}
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	out := &reply{header: http.Header{}, status: http.StatusOK}
	broken := out.serve(t.to, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if broken {
		return nil, errBroken
	}
	return &http.Response{
		Status: http.StatusText(out.status), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// reply is an answer in memory.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// serve runs the handler and reports whether it broke the connection.
func (w *reply) serve(h http.Handler, r *http.Request) (broken bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
				panic(p)
			}
			broken = true
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// Header implements http.ResponseWriter.
func (w *reply) Header() http.Header { return w.header }

// Write implements http.ResponseWriter.
func (w *reply) Write(b []byte) (int, error) { return w.body.Write(b) }

// WriteHeader implements http.ResponseWriter.
func (w *reply) WriteHeader(status int) { w.status = status }
