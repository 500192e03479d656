// Package observe shows what fanli does to those who run it: metrics for
// Prometheus, traces for whatever speaks OTLP, and logs that name the trace they
// belong to.
//
// It wraps what the wiring has in hand (handlers, clients, jobs, the bus) and is
// known to nothing else: core and the other adapters work the same without it. A
// nil [Observer] observes nothing, so that nobody who is not looked at pays for it.
//
// # Guarantees
//
//   - Only what is on a short list leaves with a span: methods, routes, codes, names
//     of ours. No address, no path, no query, no text, no error, no event's content.
//     The list is applied to what libraries add, too.
//   - Strangers never receive a trace: it goes with calls between targets and with
//     events, not with those to networks and payers. What strangers send as a trace
//     is not continued.
//   - The number of time series is bounded by the configuration: no label has the
//     name of a user, an order or anything that somebody outside can choose.
//   - Observing never fails what is observed, and never waits for it: spans that the
//     collector does not take are dropped.
//   - What is read from databases when Prometheus asks has a deadline, and is read
//     at most once in [readEvery], however many ask.
package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"fanli/core/fault"
	"fanli/core/money"
)

// Options say what is observed.
type Options struct {
	Version  string
	Targets  []string // that run here
	Instance string   // names this process
	// Metrics are collected; nobody pays for what nobody can read.
	Metrics bool
	Trace   Trace
	// Records counts the log; optional.
	Records *Records
	Now     func() time.Time
	Log     *slog.Logger
}

// Trace says where spans go. Headers may be secret; nothing logs them.
type Trace struct {
	// Endpoint is the collector's, as http://otel:4318; "" for no traces.
	Endpoint string
	Headers  map[string]string
	// Sample is which part of all traces is kept. A trace is kept by all processes
	// or by none.
	Sample  money.Bps
	Service string
}

// String keeps the headers out of logs.
func (t Trace) String() string { return "traces of " + t.Service }

// GoString is String.
func (t Trace) GoString() string { return t.String() }

// CheckEndpoint fails with fault.Invalid for what is no collector's address.
func CheckEndpoint(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return fault.New(fault.Invalid, "trace.endpoint") // without the cause, which may quote a password
	}
	return nil
}

// An Observer observes one process. Nil observes nothing. It is safe for concurrent
// use.
type Observer struct {
	o        Options
	meters   *meters                  // nil without metrics
	provider *sdktrace.TracerProvider // nil without traces
	tracer   trace.Tracer             // nil without traces
}

// New returns what observes as o says; nil if that is nothing. Close it after use.
func New(ctx context.Context, o Options) (*Observer, error) {
	if !o.Metrics && o.Trace.Endpoint == "" {
		return nil, nil
	}
	w := &Observer{o: o}
	if o.Metrics {
		w.meters = newMeters(o)
	}
	if o.Trace.Endpoint != "" {
		if err := CheckEndpoint(o.Trace.Endpoint); err != nil {
			return nil, err
		}
		p, err := newProvider(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		w.provider, w.tracer = p, p.Tracer("fanli")
	}
	return w, nil
}

// Close sends the spans that wait, until ctx ends.
func (w *Observer) Close(ctx context.Context) error {
	if w == nil || w.provider == nil {
		return nil
	}
	if err := w.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// traces reports whether there are spans.
func (w *Observer) traces() bool { return w != nil && w.tracer != nil }

// off reports whether there is nothing to do.
func (w *Observer) off() bool { return w == nil }

// codeOf is how an outcome is called in labels: "ok", "canceled", or the code of a
// fault.
func codeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	if c := fault.CodeOf(err); c != "" {
		return strings.ToLower(string(c))
	}
	return "internal"
}
