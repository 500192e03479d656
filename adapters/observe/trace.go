package observe

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"fanli/core/money"
)

// Limits of sending spans.
const (
	exportTimeout = 5 * time.Second
	exportEvery   = 2 * time.Second
	complainEvery = time.Minute // about a collector that does not answer
	shownDigits   = 10          // of a trace id, to people
)

// wire is how a trace travels: W3C's traceparent, without baggage.
var wire = propagation.TraceContext{}

// parentKey is the header's name.
const parentKey = "traceparent"

// Attributes of ours.
const (
	jobKey     = attribute.Key("fanli.job")
	doneKey    = attribute.Key("fanli.done")
	eventKey   = attribute.Key("fanli.event")
	targetKey  = attribute.Key("fanli.target")
	channelKey = attribute.Key("fanli.channel")
	outcomeKey = attribute.Key("fanli.outcome")
	toKey      = attribute.Key("fanli.to")
	codeKey    = attribute.Key("fanli.code")
)

// leaves reports whether an attribute may leave this process. This is the whole
// list: what a library adds beyond it stays here.
func leaves(k attribute.Key) bool {
	switch k {
	case jobKey, doneKey, eventKey, targetKey, channelKey, outcomeKey, toKey, codeKey,
		"http.request.method", "http.response.status_code", "http.route",
		"rpc.system", "rpc.system.name", "rpc.service", "rpc.method", "rpc.grpc.status_code", "rpc.response.status_code",
		"messaging.system", "error.type":
		return true
	default:
		return false
	}
}

// newProvider returns what makes spans and sends them.
func newProvider(ctx context.Context, o Options) (*sdktrace.TracerProvider, error) {
	endpoint := strings.TrimSuffix(o.Trace.Endpoint, "/")
	if !strings.HasSuffix(endpoint, "/v1/traces") {
		endpoint += "/v1/traces"
	}
	e, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithHeaders(o.Trace.Headers),
		otlptracehttp.WithTimeout(exportTimeout), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, err
	}
	return sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(o.Trace.Sample)/float64(money.Whole)))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", o.Trace.Service), attribute.String("service.version", o.Version),
			attribute.String("service.instance.id", o.Instance), attribute.StringSlice("fanli.targets", o.Targets),
		)),
		sdktrace.WithSpanProcessor(awake{sdktrace.NewBatchSpanProcessor(&sieve{SpanExporter: e, log: o.Log},
			sdktrace.WithBatchTimeout(exportEvery), sdktrace.WithExportTimeout(exportTimeout))}),
	), nil
}

// awake drops the spans of jobs that found nothing to do, of which there are several
// each second.
type awake struct{ sdktrace.SpanProcessor }

// OnEnd implements sdktrace.SpanProcessor.
func (a awake) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.ChildSpanCount() == 0 && s.Status().Code != codes.Error && idle(s) {
		return
	}
	a.SpanProcessor.OnEnd(s)
}

func idle(s sdktrace.ReadOnlySpan) bool {
	job := false
	for _, a := range s.Attributes() {
		switch a.Key {
		case jobKey:
			job = true
		case doneKey:
			if a.Value.AsInt64() > 0 {
				return false
			}
		}
	}
	return job
}

// A sieve lets out of a span what may leave. A collector that does not answer is a
// line in the log now and then, and no error.
type sieve struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	said atomic.Int64 // when, in seconds
}

// ExportSpans implements sdktrace.SpanExporter.
func (v *sieve) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = bare{s}
	}
	err := v.SpanExporter.ExportSpans(ctx, out)
	if err == nil {
		return nil
	}
	now, said := time.Now().Unix(), v.said.Load()
	if now-said >= int64(complainEvery/time.Second) && v.said.CompareAndSwap(said, now) {
		v.log.Warn("traces are lost", "spans", len(spans), "try", "look whether trace.endpoint is right and its collector runs")
	}
	return nil
}

// A bare span has only what may leave.
type bare struct{ sdktrace.ReadOnlySpan }

// Attributes implements sdktrace.ReadOnlySpan.
func (b bare) Attributes() (out []attribute.KeyValue) {
	for _, a := range b.ReadOnlySpan.Attributes() {
		if leaves(a.Key) {
			out = append(out, a)
		}
	}
	return out
}

// Events implements sdktrace.ReadOnlySpan: they hold errors.
func (bare) Events() []sdktrace.Event { return nil }

// Links implements sdktrace.ReadOnlySpan.
func (b bare) Links() []sdktrace.Link {
	out := make([]sdktrace.Link, 0, len(b.ReadOnlySpan.Links()))
	for _, l := range b.ReadOnlySpan.Links() {
		out = append(out, sdktrace.Link{SpanContext: l.SpanContext})
	}
	return out
}

// Status implements sdktrace.ReadOnlySpan: its words are an error's.
func (b bare) Status() sdktrace.Status { return sdktrace.Status{Code: b.ReadOnlySpan.Status().Code} }

// Traceparent is the trace of ctx as it is kept with events; "" for none.
func (w *Observer) Traceparent(ctx context.Context) string {
	if !w.traces() {
		return ""
	}
	c := propagation.MapCarrier{}
	wire.Inject(ctx, c)
	return c[parentKey]
}

// TraceID is what people are shown of the trace of ctx: the first digits of the id
// that logs and traces have; "" for none.
func (w *Observer) TraceID(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	if !w.traces() || !sc.HasTraceID() {
		return ""
	}
	return strings.ToUpper(sc.TraceID().String()[:shownDigits])
}

// within returns ctx within the trace that was kept; ctx itself for none.
func within(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return wire.Extract(ctx, propagation.MapCarrier{parentKey: parent})
}

// start begins a span; it is a no-op without traces.
func (w *Observer) start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !w.traces() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return w.tracer.Start(ctx, name, o...)
}

// end ends a span with what came of it.
func end(s trace.Span, err error) {
	s.SetAttributes(codeKey.String(codeOf(err)))
	if err != nil {
		s.SetStatus(codes.Error, "")
	}
	s.End()
}
