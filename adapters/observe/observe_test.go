package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanli/adapters/observe"
	"fanli/adapters/observe/otlptest"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// observer returns one that sends everything to c, if there is one.
func observer(t *testing.T, c *otlptest.Collector) *observe.Observer {
	t.Helper()
	o := observe.Options{
		Version: "1.2.3", Targets: []string{"bot"}, Instance: "host/1", Metrics: true, Records: &observe.Records{},
		Now: func() time.Time { return start.Add(time.Minute) }, Log: logtest.New(nil),
	}
	if c != nil {
		o.Trace = observe.Trace{Endpoint: c.URL, Headers: map[string]string{"Authorization": "Bearer secret-of-collector"}, Sample: 100_00, Service: "fanli"}
	}
	w, err := observe.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flush(t, w) })
	return w
}

// flush sends what waits; nothing is sent after it.
func flush(t *testing.T, w *observe.Observer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // as long as a busy machine may take
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Error(err)
	}
}

// scrape returns what Prometheus reads.
func scrape(t *testing.T, w *observe.Observer) string {
	t.Helper()
	rec := httptest.NewRecorder()
	w.Metrics().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("/metrics says %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func wantLine(t *testing.T, text, line string) {
	t.Helper()
	if !strings.Contains(text, "\n"+line+"\n") {
		t.Errorf("there is no line %s in\n%s", line, text)
	}
}

// TestNobodyLooksNothingHappens holds that what is not looked at is not wrapped.
func TestNobodyLooksNothingHappens(t *testing.T) {
	t.Parallel()
	w, err := observe.New(t.Context(), observe.Options{})
	if w != nil || err != nil {
		t.Fatalf("got %v, %v", w, err)
	}
	next := http.NotFoundHandler()
	if got := w.HTTP(next, nil, false); fmt.Sprintf("%p", got) != fmt.Sprintf("%p", next) {
		t.Error("a handler was wrapped")
	}
	c := &http.Client{}
	if w.Client("jd", c) != c || w.Metrics() != nil || w.Dial() != nil || w.Serve() != nil {
		t.Error("something was wrapped")
	}
	ctx, done := w.StartJob(t.Context(), "j", start)
	done(1, nil)
	_, told := w.StartNotice(ctx, "")
	told(nil)
	_, said := w.StartTurn(ctx, "web")
	said("answered")
	w.Audited(true)
	w.Configured(nil)
	w.Call("jd", "links", nil, time.Second)
	w.Watch(observe.Source{})
	if w.Traceparent(ctx) != "" || w.TraceID(ctx) != "" || w.Close(ctx) != nil {
		t.Error("nothing has a trace")
	}
}

// A relayed bus is what a relay and a broker make of an event: it arrives as JSON.
type relayed struct{ hear event.Handler }

func (r relayed) Publish(ctx context.Context, e event.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var there event.Event
	if err := json.Unmarshal(text, &there); err != nil {
		return err
	}
	return r.hear(context.Background(), there)
}

// TestAnEventGoesOnInItsTrace holds that an event that was written within a trace is
// heard within it, whatever trace the relay is in and whatever carried it; and that
// the people's id is the beginning of the trace's.
func TestAnEventGoesOnInItsTrace(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	w := observer(t, c)
	ctx, said := w.StartTurn(t.Context(), "web")
	id := w.TraceID(ctx)
	e := event.Event{ID: "link/7", Name: event.LinkMade, At: start, Data: []byte(`{"secret":"13800000001"}`), Trace: w.Traceparent(ctx)}
	said("answered")
	var within string
	hear := w.Hearer("order", event.LinkMade, func(ctx context.Context, e event.Event) error {
		within = w.TraceID(ctx)
		return fault.New(fault.Unavailable, "order.secret 13800000001")
	})
	run, done := w.StartJob(t.Context(), "relay/bot", start.Add(time.Hour))
	err := w.Bus(relayed{hear}).Publish(run, e)
	done(1, nil)
	flush(t, w)
	if err == nil || within != id || len(id) != 10 {
		t.Errorf("heard in %q, said in %q, %v", within, id, err)
	}
	var names []string
	spans := c.Spans()
	for _, s := range spans {
		if strings.HasPrefix(strings.ToUpper(s.Trace), id) {
			names = append(names, s.Name)
		}
		if s.Name == "say link.made" && len(s.Links) != 1 {
			t.Errorf("saying is not linked with the relay's run: %+v", s)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"hear link.made", "message", "say link.made"}) {
		t.Errorf("the trace has %v of %+v", names, spans)
	}
	text := scrape(t, w)
	wantLine(t, text, `fanli_events_heard_total{event="link.made",result="failed",target="order"} 1`)
	wantLine(t, text, `fanli_events_published_total{event="link.made",result="failed"} 1`)
	wantLine(t, text, `fanli_job_runs_total{job_name="relay/bot",result="ok"} 1`)
	wantLine(t, text, `fanli_chat_turns_total{channel="web",outcome="answered"} 1`)
}

// TestNothingPersonalLeavesWithASpan sends requests full of secrets in both
// directions, and looks for them in everything that the collector has.
func TestNothingPersonalLeavesWithASpan(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	w := observer(t, c)
	var stranger http.Header
	network := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		stranger = r.Header.Clone()
		rw.WriteHeader(http.StatusTeapot)
	}))
	defer network.Close()
	client := w.Client("jd", network.Client())
	served := w.HTTP(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		q, err := http.NewRequestWithContext(r.Context(), http.MethodPost, network.URL+"/router?app_key=SECRET-KEY", strings.NewReader("SECRET-BODY"))
		if err == nil {
			var resp *http.Response
			if resp, err = client.Do(q); err == nil {
				err = resp.Body.Close()
			}
		}
		if err != nil {
			t.Error(err)
		}
		rw.WriteHeader(http.StatusAccepted)
	}), func(*http.Request) string { return "confirm" }, false)
	r := httptest.NewRequest(http.MethodGet, "/pay/confirm/SECRET-TOKEN?who=SECRET-QUERY", nil)
	r.Header.Set("User-Agent", "SECRET-AGENT")
	r.Header.Set("X-Forwarded-For", "203.0.113.77")
	r.RemoteAddr = "203.0.113.78:1234"
	const foreign = "0af7651916cd43dd8448eb211c80319c"
	r.Header.Set("Traceparent", "00-"+foreign+"-b7ad6b7169203331-01")
	served.ServeHTTP(httptest.NewRecorder(), r)
	ctx, done := w.StartJob(t.Context(), "payment/payouts", start)
	_ = ctx
	done(0, fault.Wrap(fault.Internal, "x", errors.New("SECRET-ERROR")))
	flush(t, w)

	spans := c.Spans()
	if len(spans) != 3 {
		t.Fatalf("there are %+v", spans)
	}
	for _, s := range spans {
		if s.Trace == foreign {
			t.Errorf("a stranger's trace was continued: %+v", s)
		}
	}
	if stranger.Get("Traceparent") != "" {
		t.Error("a network learns of the trace")
	}
	for _, secret := range []string{"SECRET", "203.0.113", "/router", "/pay/confirm", "secret-of-collector", network.Listener.Addr().String()} {
		if strings.Contains(c.Raw(), secret) {
			t.Errorf("%q has left with a span", secret)
		}
	}
	if c.Header().Get("Authorization") != "Bearer secret-of-collector" {
		t.Error("the collector did not get its header")
	}
	text := scrape(t, w)
	wantLine(t, text, `fanli_http_requests_total{code="202",method="GET",route="confirm"} 1`)
	wantLine(t, text, `fanli_outside_requests_total{code="418",to="jd"} 1`)
}

// TestOurGatewaysTraceGoesOn holds that between processes of ours the trace goes
// along, and that a stream is no span.
func TestOurGatewaysTraceGoesOn(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	w := observer(t, c)
	behind := httptest.NewServer(w.HTTP(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(rw).Flush(); err != nil {
			t.Error(err)
		}
	}), func(*http.Request) string { return "chat" }, true))
	defer behind.Close()
	gateway := &http.Client{Transport: w.Forward(http.DefaultTransport)}
	for _, accept := range []string{"text/html", "text/event-stream"} {
		q, err := http.NewRequestWithContext(t.Context(), "BREW", behind.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept", accept)
		resp, err := gateway.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	flush(t, w)
	spans := c.Spans()
	if len(spans) != 2 || spans[0].Trace != spans[1].Trace {
		t.Errorf("the trace ends at the gateway: %+v", spans)
	}
	wantLine(t, scrape(t, w), `fanli_http_requests_total{code="200",method="other",route="chat"} 2`)
}

// TestAJobThatFoundNothingIsNoSpan holds that of the many runs of jobs only those are
// sent that did something, or failed, or asked somebody.
func TestAJobThatFoundNothingIsNoSpan(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	w := observer(t, c)
	run := func(name string, n int, err error, within func(ctx context.Context)) {
		ctx, done := w.StartJob(t.Context(), name, start)
		within(ctx)
		done(n, err)
	}
	nothing := func(context.Context) {}
	run("idle", 0, nil, nothing)
	run("busy", 3, nil, nothing)
	run("failed", 0, errors.New("no"), nothing)
	run("asks", 0, nil, func(ctx context.Context) {
		_, done := w.StartTurn(ctx, "web")
		done("silent")
	})
	flush(t, w)
	var names []string
	for _, s := range c.Spans() {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"job asks", "job busy", "job failed", "message"}) {
		t.Errorf("got %v", names)
	}
}

// TestACollectorThatIsAwayHoldsUpNobody holds that lost traces are a line in the log.
func TestACollectorThatIsAwayHoldsUpNobody(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "no", http.StatusBadRequest) }))
	defer away.Close()
	var said bytes.Buffer
	w, err := observe.New(t.Context(), observe.Options{
		Now: time.Now, Log: logtest.New(&said),
		Trace: observe.Trace{Endpoint: away.URL, Sample: 100_00, Service: "fanli", Headers: map[string]string{"k": "SECRET"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, done := w.StartTurn(t.Context(), "web")
	done("answered")
	flush(t, w)
	if n := strings.Count(said.String(), "traces are lost"); n != 1 || strings.Contains(said.String(), "SECRET") {
		t.Errorf("the log says %q", said.String())
	}
}

// TestSampleIsOfTraces holds that none of the traces is kept at 0 %, and that logs
// have their ids all the same.
func TestSampleIsOfTraces(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	w, err := observe.New(t.Context(), observe.Options{Now: time.Now, Log: logtest.New(nil), Trace: observe.Trace{Endpoint: c.URL + "/v1/traces", Service: "fanli"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := w.StartTurn(t.Context(), "web")
	if !strings.HasSuffix(w.Traceparent(ctx), "-00") || w.TraceID(ctx) == "" {
		t.Errorf("the trace is %q, %q", w.Traceparent(ctx), w.TraceID(ctx))
	}
	done("answered")
	flush(t, w)
	if len(c.Spans()) != 0 {
		t.Errorf("got %+v", c.Spans())
	}
}

// TestALineSaysItsTrace holds what a line of the log has.
func TestALineSaysItsTrace(t *testing.T) {
	t.Parallel()
	w := observer(t, otlptest.New(t))
	var out bytes.Buffer
	counts := &observe.Records{}
	log := slog.New(observe.Log(slog.NewJSONHandler(logtest.Tee(&out, logtest.App), nil), counts)).With("version", "1").WithGroup("g")
	ctx, done := w.StartTurn(t.Context(), "web")
	log.ErrorContext(ctx, "within", "k", "v")
	done("answered")
	log.WarnContext(t.Context(), "without", "k", "v")
	log.Debug("not at all")
	type line struct {
		Version string
		G       struct {
			K       string
			TraceID string `json:"trace_id"`
			SpanID  string `json:"span_id"`
		}
	}
	var lines []line
	for d := json.NewDecoder(&out); ; {
		var l line
		if err := d.Decode(&l); err != nil {
			break
		}
		lines = append(lines, l)
	}
	if len(lines) != 2 || lines[0].Version != "1" || lines[0].G.K != "v" || len(lines[0].G.TraceID) != 32 || len(lines[0].G.SpanID) != 16 {
		t.Fatalf("got %+v", lines)
	}
	if !strings.HasPrefix(strings.ToUpper(lines[0].G.TraceID), w.TraceID(ctx)) || lines[1].G.TraceID != "" {
		t.Errorf("got %+v", lines)
	}
}

// TestSourcesAreReadNowAndThen holds that a source is not asked for every scrape, and
// that one that fails says nothing while the others go on.
func TestSourcesAreReadNowAndThen(t *testing.T) {
	t.Parallel()
	w := observer(t, nil)
	reads := 0
	w.Watch(observe.Source{Name: "outbox", Read: func(ctx context.Context, say observe.Say) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("it may take for ever")
		}
		reads++
		say(observe.OutboxEvents, 3, "bot")
		say(observe.OutboxEvents, 3, "bot", "too many labels")
		return nil
	}}, observe.Source{Name: "broken", Read: func(_ context.Context, say observe.Say) error {
		say(observe.Ready, 1)
		return errors.New("the database is away")
	}})
	scrape(t, w)
	text := scrape(t, w)
	wantLine(t, text, `fanli_outbox_events{target="bot"} 3`)
	wantLine(t, text, `fanli_read_errors_total{source="broken"} 1`)
	if reads != 1 || regexp.MustCompile(`(?m)^fanli_ready`).MatchString(text) {
		t.Errorf("read %d times\n%s", reads, text)
	}
}
