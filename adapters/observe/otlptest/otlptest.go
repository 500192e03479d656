// Package otlptest is a collector of traces for tests: it takes OTLP over HTTP, as
// protobuf, and keeps what it was sent.
package otlptest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// bodyMax bounds one export.
const bodyMax = 16 << 20

// A Span is one that was received.
type Span struct {
	Trace, ID, Parent string // in hex; Parent is "" for a root
	Name              string
	Kind              string // "SPAN_KIND_SERVER"
	Failed            bool
	Instance          string // of the process that sent it
	Attributes        map[string]string
	Links             []string // traces
}

// A Collector is a server that takes traces.
type Collector struct {
	*httptest.Server

	mu     sync.Mutex
	spans  []Span
	bodies []byte // everything that was sent, to look for what must not be there
	header http.Header
}

// New starts a collector; it ends with the test.
func New(t testing.TB) *Collector {
	c := &Collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	raw, err := io.ReadAll(io.LimitReader(body, bodyMax))
	var req collect.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(raw, &req)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "that is no export", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.header = r.Header.Clone()
	c.bodies = append(c.bodies, raw...)
	c.spans = append(c.spans, spans(&req)...)
	c.mu.Unlock()
	out, _ := proto.Marshal(&collect.ExportTraceServiceResponse{}) // an empty message
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

func spans(req *collect.ExportTraceServiceRequest) (out []Span) {
	for _, rs := range req.ResourceSpans {
		instance := attributes(rs.Resource.GetAttributes())["service.instance.id"]
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				one := Span{
					Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
					Name: s.Name, Kind: s.Kind.String(), Failed: s.Status.GetCode() == 2, Instance: instance, Attributes: attributes(s.Attributes),
				}
				for _, l := range s.Links {
					one.Links = append(one.Links, hex.EncodeToString(l.TraceId))
				}
				out = append(out, one)
			}
		}
	}
	return out
}

func attributes(kvs []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range kvs {
		if s, ok := kv.Value.GetValue().(*common.AnyValue_StringValue); ok {
			out[kv.Key] = s.StringValue
			continue
		}
		out[kv.Key] = kv.Value.String()
	}
	return out
}

// Spans returns what has come.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Trace returns the spans of one trace.
func (c *Collector) Trace(id string) (out []Span) {
	for _, s := range c.Spans() {
		if s.Trace == id {
			out = append(out, s)
		}
	}
	return out
}

// Raw returns every byte of what has come, unpacked.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.bodies)
}

// Header returns the header of the newest export.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header
}
