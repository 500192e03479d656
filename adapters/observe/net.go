package observe

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/felixge/httpsnoop"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// methodOf is an HTTP method that exists.
func methodOf(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	default:
		return "other"
	}
}

// streams reports whether the answer to r lasts as long as somebody looks.
func streams(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// HTTP returns next, observed. route names what answers a request, out of a few
// names. A trace that a request brings is continued only where inside says that
// all requests come from our own gateway.
func (w *Observer) HTTP(next http.Handler, route func(*http.Request) string, inside bool) http.Handler {
	if w.off() {
		return next
	}
	traced := next
	if w.traces() {
		traced = otelhttp.NewHandler(next, "http", otelhttp.WithTracerProvider(w.provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
			otelhttp.WithPropagators(wire), otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return !inside }),
			otelhttp.WithFilter(func(r *http.Request) bool { return !streams(r) && r.URL.Path != "/livez" && r.URL.Path != "/readyz" }),
			otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return methodOf(r.Method) + " " + route(r) }))
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		m := httpsnoop.CaptureMetrics(traced, rw, r)
		name := route(r)
		w.add(httpRequests, 1, name, methodOf(r.Method), strconv.Itoa(m.Code))
		if !streams(r) {
			w.watch(httpDuration, m.Duration, name)
		}
	})
}

// Forward returns a transport to other processes of ours: the trace goes along.
func (w *Observer) Forward(base http.RoundTripper) http.RoundTripper {
	if !w.traces() {
		return base
	}
	return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(w.provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(wire), otelhttp.WithFilter(func(r *http.Request) bool { return !streams(r) }),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return methodOf(r.Method) + " onward" }))
}

// Client returns a client for somebody outside, who is called to in metrics. They
// learn nothing of a trace.
func (w *Observer) Client(to string, c *http.Client) *http.Client {
	if w.off() || c == nil {
		return c
	}
	own := *c
	base := c.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	own.Transport = outside{w, to, base}
	return &own
}

// outside is the transport to somebody outside.
type outside struct {
	w    *Observer
	to   string
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o outside) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := o.w.start(r.Context(), "ask "+o.to, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(toKey.String(o.to)))
	from := time.Now()
	resp, err := o.base.RoundTrip(r.WithContext(ctx))
	code := "none"
	if err == nil {
		code = strconv.Itoa(resp.StatusCode)
	}
	span.SetAttributes(codeKey.String(code))
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
	o.w.add(outsideRequests, 1, o.to, code)
	o.w.watch(outsideDuration, time.Since(from), o.to)
	return resp, err
}

// Dial returns what observes calls to other targets.
func (w *Observer) Dial() (out []grpc.DialOption) {
	if w.off() {
		return nil
	}
	out = append(out, grpc.WithChainUnaryInterceptor(w.asked))
	if w.traces() {
		out = append(out, grpc.WithStatsHandler(otelgrpc.NewClientHandler(w.rpcOptions()...)))
	}
	return out
}

// Serve returns what observes the answers to other targets.
func (w *Observer) Serve() (out []grpc.ServerOption) {
	if w.off() {
		return nil
	}
	out = append(out, grpc.ChainUnaryInterceptor(w.answered))
	if w.traces() {
		out = append(out, grpc.StatsHandler(otelgrpc.NewServerHandler(w.rpcOptions()...)))
	}
	return out
}

func (w *Observer) rpcOptions() []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(w.provider), otelgrpc.WithMeterProvider(noop.NewMeterProvider()), otelgrpc.WithPropagators(wire),
		otelgrpc.WithFilter(func(i *stats.RPCTagInfo) bool { return strings.HasPrefix(i.FullMethodName, "/fanli.") }),
	}
}

// asked counts a call of ours, with all its repetitions.
func (w *Observer) asked(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	from := time.Now()
	err := invoke(ctx, method, req, reply, cc, opts...)
	w.add(grpcAsked, 1, method, status.Code(err).String())
	w.watch(grpcAskedDuration, time.Since(from), method)
	return err
}

// answered counts a call to us that has the token, and so a method that exists.
func (w *Observer) answered(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	from := time.Now()
	resp, err := handle(ctx, req)
	w.add(grpcAnswered, 1, info.FullMethod, codeOf(err))
	w.watch(grpcAnsweredDuration, time.Since(from), info.FullMethod)
	return resp, err
}
