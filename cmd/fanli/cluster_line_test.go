package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A line is one way over the network, in this process, that can be made bad.
type line struct {
	name  string // "rebate/1 to mariadb"
	proxy *toxiproxy.Proxy
}

// newLine makes a line from one address to another, which nobody need answer yet.
func newLine(t *testing.T, name, from, to string) *line {
	t.Helper()
	l := &line{name: name}
	l.proxy = toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), name, from, to)
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

// harm makes the line bad: all that goes over it comes late, or gets lost until the
// line breaks, or breaks the line.
func (l *line) harm(f mishap) error {
	kind, with := "", ""
	switch f.what {
	case delayed:
		kind, with = "latency", fmt.Sprintf(`"latency": %d, "jitter": %d`, f.late.Milliseconds(), f.late.Milliseconds()/2)
	case cutOff:
		kind, with = "timeout", `"timeout": 0`
	default:
		kind, with = "reset_peer", `"timeout": 0`
	}
	for _, way := range ways() {
		text := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": {%s}}`, way, kind, way, with)
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// heal makes the line good again. What was cut off is broken then.
func (l *line) heal() error {
	for _, way := range ways() {
		if err := l.proxy.Toxics.RemoveToxic(context.Background(), way); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// ways are the two directions of a line.
func ways() []string { return []string{"upstream", "downstream"} }
