package observe_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"fanli/adapters/observe"
	"fanli/core/event"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const (
	metricsDoc = "../../docs/metrics.md"
	listBegin  = "<!-- the list: go test ./adapters/observe -run MetricsDoc -update -->\n"
	listEnd    = "<!-- end of the list -->\n"
)

// TestMetricsDoc holds docs/metrics.md to the list of metrics.
func TestMetricsDoc(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| metric | type | labels | |\n|---|---|---|---|\n")
	for _, m := range observe.Metrics() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, strings.Join(m.Labels, ", "), m.Help)
	}
	text, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), listBegin)
	is, after, ok2 := strings.Cut(rest, listEnd)
	if !ok || !ok2 {
		t.Fatal("the list has no place in it")
	}
	if is == b.String() {
		return
	}
	if !*update {
		t.Fatal("docs/metrics.md is not what there is: run with -update and read the difference")
	}
	if err := os.WriteFile(metricsDoc, []byte(before+listBegin+b.String()+listEnd+after), 0o644); err != nil {
		t.Error(err)
	}
}

// A seen metric is one that Prometheus was told of.
type seen struct {
	kind, help string
	labels     []string
}

var sample = regexp.MustCompile(`^(fanli_[a-z_]+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)

// gathered reads Prometheus' format.
func gathered(t *testing.T, text string) map[string]seen {
	t.Helper()
	out := map[string]seen{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for _, what := range []string{"HELP", "TYPE"} {
			rest, ok := strings.CutPrefix(line, "# "+what+" ")
			if !ok || !strings.HasPrefix(rest, "fanli_") {
				continue
			}
			name, value, _ := strings.Cut(rest, " ")
			s := out[name]
			if what == "HELP" {
				s.help = value
			} else {
				s.kind = value
			}
			out[name] = s
		}
		if m := sample.FindStringSubmatch(line); m != nil {
			s, ok := out[m[1]]
			if !ok {
				t.Errorf("%s has no type", m[1])
			}
			s.labels = nil
			for _, l := range regexp.MustCompile(`([a-z_]+)="`).FindAllStringSubmatch(m[2], -1) {
				if l[1] != "le" {
					s.labels = append(s.labels, l[1])
				}
			}
			out[m[1]] = s
		}
	}
	return out
}

// TestTheListIsWhatPrometheusReads has everything happen once, and holds what
// Prometheus reads to the list, both ways.
func TestTheListIsWhatPrometheusReads(t *testing.T) {
	t.Parallel()
	w := observer(t, nil)
	everything(t, w)
	got := gathered(t, scrape(t, w))
	for _, m := range observe.Metrics() {
		s, ok := got[m.Name]
		slices.Sort(s.labels)
		want := slices.Sorted(slices.Values(m.Labels))
		if !ok || s.kind != string(m.Kind) || s.help != m.Help || !slices.Equal(s.labels, want) {
			t.Errorf("%s: read as %+v, listed as %+v", m.Name, s, m)
		}
		delete(got, m.Name)
	}
	for name := range got {
		t.Errorf("%s is not on the list", name)
	}
}

// TestNamesFollowPrometheus holds names to the conventions.
func TestNamesFollowPrometheus(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range observe.Metrics() {
		switch {
		case known[m.Name]:
			t.Errorf("%s is there twice", m.Name)
		case !regexp.MustCompile(`^fanli_[a-z]+(_[a-z]+)*$`).MatchString(m.Name):
			t.Errorf("%s is no name", m.Name)
		case (m.Kind == observe.Counter) != strings.HasSuffix(m.Name, "_total"):
			t.Errorf("%s: counters, and nothing else, end with _total", m.Name)
		case m.Kind == observe.Histogram && !strings.HasSuffix(m.Name, "_seconds"):
			t.Errorf("%s: what takes time is in seconds", m.Name)
		case m.Help == "" || !strings.HasSuffix(m.Help, "."):
			t.Errorf("%s: its help is no sentence", m.Name)
		}
		for _, l := range m.Labels {
			if slices.Contains([]string{"user", "order", "number", "item", "path", "token", "account_name"}, l) {
				t.Errorf("%s: %s has no bound", m.Name, l)
			}
		}
		known[m.Name] = true
	}
}

// everything has everything happen.
func everything(t *testing.T, w *observe.Observer) {
	t.Helper()
	failed := errors.New("failed")
	_, done := w.StartJob(t.Context(), "payment/payouts", start)
	done(1, nil)
	_, said := w.StartTurn(t.Context(), "web")
	said("answered")
	_, told := w.StartNotice(t.Context(), "")
	told(failed)
	hear := w.Hearer("order", event.LinkMade, func(context.Context, event.Event) error { return nil })
	if err := w.Bus(relayed{hear}).Publish(t.Context(), event.Event{ID: "a", Name: event.LinkMade, At: start}); err != nil {
		t.Error(err)
	}
	w.LinkMade("jd")
	w.Channel("wechat", "refused", "signature")
	w.Call("jd/main", "links", failed, time.Second)
	w.Refused("jd/main", "links")
	w.Breaker("jd/main", "links", "open")
	w.Balance("alipay", 100_00, 50_00)
	w.Audited(false)
	w.Audited(true)
	w.Configured(failed)
	served := httptest.NewServer(w.HTTP(http.NotFoundHandler(), func(*http.Request) string { return "other" }, false))
	defer served.Close()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, served.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.Client("jd", served.Client()).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	calls(t, w)
	w.Watch(observe.Source{Name: "all", Read: func(_ context.Context, say observe.Say) error {
		for _, m := range observe.Metrics() {
			if m.Read && m.Name != "fanli_log_records_total" {
				say(m.Name, 1, make([]string, len(m.Labels))...)
			}
		}
		return nil
	}}, observe.Source{Name: "broken", Read: func(context.Context, observe.Say) error { return failed }})
	scrape(t, w)
}

// calls makes one call over gRPC.
func calls(t *testing.T, w *observe.Observer) {
	t.Helper()
	s := grpc.NewServer(w.Serve()...)
	healthpb.RegisterHealthServer(s, health.NewServer())
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	c, err := grpc.NewClient(ln.Addr().String(), append(w.Dial(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := healthpb.NewHealthClient(c).Check(t.Context(), &healthpb.HealthCheckRequest{Service: "nobody"}); err == nil {
		t.Error("nobody is well")
	}
	_ = c.Close()
	s.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
