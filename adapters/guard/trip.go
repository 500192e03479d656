package guard

import (
	"context"
	"errors"
	"net/http"

	"fanli/core/fault"
)

// errSlow says that an answer did not begin in time.
var errSlow = errors.New("the answer did not begin in time")

// RoundTripper returns base with its requests on the line. One is under way, and its
// deadline counts, until its answer begins: what comes after that may last, as a stream
// does, and takes no seat.
func (l *Line) RoundTripper(base http.RoundTripper) http.RoundTripper { return trips{l, base} }

type trips struct {
	line *Line
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t trips) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	err = t.line.Do(r.Context(), func(bounded context.Context) (err error) {
		ctx, cancel := context.WithCancel(r.Context()) // which ends with the request, at the latest
		begun := context.AfterFunc(bounded, cancel)
		resp, err = t.base.RoundTrip(r.WithContext(ctx)) //nolint:bodyclose // whoever asked closes it
		switch inTime := begun(); {
		case errors.As(err, &withdrawn{}):
			cancel()
		case !inTime && r.Context().Err() == nil:
			if err == nil { // at the last moment, and cut off already
				_ = resp.Body.Close()
			}
			return &fault.Error{Code: fault.Unavailable, Op: "guard." + t.line.name, Err: errSlow}
		case err != nil:
			cancel()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}
