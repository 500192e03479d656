package observe

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// How sources are read.
const (
	readTimeout = 2 * time.Second // one source
	readEvery   = 5 * time.Second // what was read counts that long
)

// meters are the metrics of one process.
type meters struct {
	reg        *prometheus.Registry
	counters   map[string]*prometheus.CounterVec
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec
	read       *reader
}

func newMeters(o Options) *meters {
	m := &meters{
		reg: prometheus.NewRegistry(), counters: map[string]*prometheus.CounterVec{},
		gauges: map[string]*prometheus.GaugeVec{}, histograms: map[string]*prometheus.HistogramVec{},
		read: &reader{log: o.Log, descs: map[string]described{}},
	}
	for _, t := range Metrics() {
		m.enter(t)
	}
	m.read.failed = m.counters[readErrors]
	m.reg.MustRegister(m.read, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauges[buildInfo].WithLabelValues(o.Version, runtime.Version()).Set(1)
	for _, t := range o.Targets {
		m.gauges[targetInfo].WithLabelValues(t).Set(1)
	}
	if o.Records != nil {
		m.read.sources = append(m.read.sources, o.Records.source())
	}
	return m
}

// enter makes one metric of the table.
func (m *meters) enter(t Metric) {
	switch {
	case t.Read:
		kind := prometheus.GaugeValue
		if t.Kind == Counter {
			kind = prometheus.CounterValue
		}
		m.read.descs[t.Name] = described{prometheus.NewDesc(t.Name, t.Help, t.Labels, nil), kind}
	case t.Kind == Counter:
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: t.Name, Help: t.Help}, t.Labels)
		m.counters[t.Name] = v
		m.reg.MustRegister(v)
	case t.Kind == Gauge:
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: t.Name, Help: t.Help}, t.Labels)
		m.gauges[t.Name] = v
		m.reg.MustRegister(v)
	default:
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: t.Name, Help: t.Help, Buckets: buckets(t.Name)}, t.Labels)
		m.histograms[t.Name] = v
		m.reg.MustRegister(v)
	}
}

// buckets are where a histogram looks closely.
func buckets(name string) []float64 {
	switch name {
	case jobDuration:
		return []float64{.01, .05, .25, 1, 5, 30, 120, 600}
	case eventDelay:
		return []float64{.05, .25, 1, 2.5, 5, 10, 30, 60, 300, 1800}
	default:
		return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	}
}

// add adds n to a counter.
func (w *Observer) add(name string, n float64, labels ...string) {
	if w == nil || w.meters == nil {
		return
	}
	w.meters.counters[name].WithLabelValues(labels...).Add(n)
}

// set sets a gauge.
func (w *Observer) set(name string, v float64, labels ...string) {
	if w == nil || w.meters == nil {
		return
	}
	w.meters.gauges[name].WithLabelValues(labels...).Set(v)
}

// watch enters how long something took.
func (w *Observer) watch(name string, took time.Duration, labels ...string) {
	if w == nil || w.meters == nil {
		return
	}
	w.meters.histograms[name].WithLabelValues(labels...).Observe(took.Seconds())
}

// seconds is a moment as Prometheus writes it; 0 for none.
func seconds(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}

// Metrics answers Prometheus; nil without metrics.
func (w *Observer) Metrics() http.Handler {
	if w == nil || w.meters == nil {
		return nil
	}
	return promhttp.HandlerFor(w.meters.reg, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(w.o.Log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
	})
}

// A Source reads some of the metrics that are read.
type Source struct {
	Name string
	Read func(ctx context.Context, say Say) error
}

// Say says the value of a metric, with the values of its labels.
type Say func(name string, value float64, labels ...string)

// Seconds is a moment as metrics have it; 0 for none.
func Seconds(at time.Time) float64 { return seconds(at) }

// Watch has sources read whenever Prometheus asks.
func (w *Observer) Watch(sources ...Source) {
	if w == nil || w.meters == nil {
		return
	}
	r := w.meters.read
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, sources...)
}

type described struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// A reader reads sources.
type reader struct {
	log    *slog.Logger
	failed *prometheus.CounterVec
	descs  map[string]described

	mu      sync.Mutex
	sources []Source
	at      time.Time
	kept    []prometheus.Metric
}

// Describe implements prometheus.Collector.
func (r *reader) Describe(to chan<- *prometheus.Desc) {
	for _, d := range r.descs {
		to <- d.desc
	}
}

// Collect implements prometheus.Collector. A source that fails says nothing, and
// the others go on.
func (r *reader) Collect(to chan<- prometheus.Metric) {
	for _, m := range r.all() {
		to <- m
	}
}

func (r *reader) all() []prometheus.Metric {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || time.Since(r.at) >= readEvery {
		r.kept = nil
		for _, s := range r.sources {
			r.kept = append(r.kept, r.one(s)...)
		}
		r.at = time.Now()
	}
	return r.kept
}

func (r *reader) one(s Source) (out []prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	err := s.Read(ctx, func(name string, value float64, labels ...string) {
		d := r.descs[name]
		if m, err := prometheus.NewConstMetric(d.desc, d.kind, value, labels...); err == nil {
			out = append(out, m)
		}
	})
	if err != nil {
		r.failed.WithLabelValues(s.Name).Inc()
		r.log.Warn("a metric could not be read", "source", s.Name, "error", err)
		return nil
	}
	return out
}
