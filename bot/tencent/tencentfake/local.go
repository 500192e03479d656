package tencentfake

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// Local returns a client whose requests are answered by a handler in this process,
// whatever their address: for our calls to the platform, and for its to us.
func Local(to http.Handler) *http.Client { return &http.Client{Transport: local{to}} }

type local struct{ to http.Handler }

// errBroken is a connection that ended before the answer.
var errBroken = errors.New("connection reset by peer")

// RoundTrip implements http.RoundTripper. It returns when the request's context ends,
// though the handler may go on; of a request whose context has ended it hears nothing.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close() // it has been read
		if err != nil {
			return nil, err
		}
	}
	in := r.Clone(r.Context())
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), "192.0.2.1:1234", r.URL.Host
	out := &reply{header: http.Header{}, status: http.StatusOK}
	done := make(chan bool, 1)
	go func() { done <- out.serve(l.to, in) }()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case broken := <-done:
		if broken {
			return nil, errBroken
		}
	}
	return &http.Response{
		Status: http.StatusText(out.status), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// A reply is what a handler writes.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
	wrote  bool
}

func (r *reply) Header() http.Header { return r.header }

func (r *reply) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

func (r *reply) Write(b []byte) (int, error) {
	r.wrote = true
	return r.body.Write(b)
}

// serve runs a handler; broken says that it panicked, as a handler does that drops the
// connection.
func (r *reply) serve(h http.Handler, in *http.Request) (broken bool) {
	defer func() { broken = recover() != nil }()
	h.ServeHTTP(r, in)
	return false
}
