package configs

import (
	"maps"
	"slices"
	"strings"

	"fanli/adapters/observe"
	"fanli/core/money"
)

// Trace says where traces go. Headers may be secret.
type Trace struct {
	Endpoint string            `yaml:"endpoint"`
	Headers  map[string]string `yaml:"headers"`
	Sample   Percent           `yaml:"sample"`
	Service  string            `yaml:"service"`
}

// String keeps the headers out of logs.
func (t Trace) String() string { return "traces of " + t.Service }

// GoString is String.
func (t Trace) GoString() string { return t.String() }

// Options returns what package observe works with.
func (t Trace) Options() observe.Trace {
	return observe.Trace{Endpoint: t.Endpoint, Headers: t.Headers, Sample: money.Bps(t.Sample), Service: t.Service}
}

func (c Config) checkTrace(k *checker) {
	t := c.Trace
	if t.Endpoint != "" && observe.CheckEndpoint(t.Endpoint) != nil {
		k.bad("trace.endpoint", "it is not an address such as http://otel:4318, without a user or a query")
	}
	if t.Sample < 0 || money.Bps(t.Sample) > money.Whole {
		k.bad("trace.sample", "it is not between 0%% and 100%%")
	}
	if t.Service == "" || strings.ContainsFunc(t.Service, func(r rune) bool { return r <= ' ' }) {
		k.bad("trace.service", "%q is not a name", t.Service)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		if strings.ContainsAny(name, " :\r\n") || strings.ContainsAny(t.Headers[name], "\r\n") {
			k.bad(join("trace.headers", name), "it is not a header")
		}
	}
}
