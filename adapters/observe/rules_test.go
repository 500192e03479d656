package observe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"fanli/adapters/observe"
)

const (
	rulesDir  = "../../configs/deploy/observability"
	alertsDoc = "../../docs/alerts.md"
)

// scraped are the labels that Prometheus itself adds.
var scraped = []string{"job", "instance"}

// known returns the labels of every name that may stand in an expression.
func known() map[string][]string {
	out := map[string][]string{
		"up": scraped, "process_start_time_seconds": scraped, "process_resident_memory_bytes": scraped, "process_cpu_seconds_total": scraped,
	}
	for _, m := range observe.Metrics() {
		ls := slices.Concat(m.Labels, scraped)
		if m.Kind != observe.Histogram {
			out[m.Name] = ls
			continue
		}
		out[m.Name+"_bucket"], out[m.Name+"_sum"], out[m.Name+"_count"] = append(slices.Clone(ls), "le"), ls, ls
	}
	return out
}

// wantExpr holds every metric and label of an expression to what there is, and
// returns the metrics.
func wantExpr(t *testing.T, where, expr string) (used []string) {
	t.Helper()
	e, err := parser.ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return nil
	}
	metrics := known()
	has := map[string]bool{}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		ls, ok := metrics[v.Name]
		if !ok {
			t.Errorf("%s: there is no metric %q", where, v.Name)
		}
		used = append(used, v.Name)
		for _, l := range ls {
			has[l] = true
		}
		for _, m := range v.LabelMatchers {
			if m.Name != model.MetricNameLabel && !slices.Contains(ls, m.Name) {
				t.Errorf("%s: %s has no label %q", where, v.Name, m.Name)
			}
		}
		return nil
	})
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		var by []string
		switch n := n.(type) {
		case *parser.AggregateExpr:
			by = n.Grouping
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				by = n.VectorMatching.MatchingLabels
			}
		}
		for _, l := range by {
			if !has[l] {
				t.Errorf("%s: nothing in it has the label %q", where, l)
			}
		}
		return nil
	})
	return used
}

// resulting returns the labels that the result of an expression can have: those of
// its outermost aggregations.
func resulting(e parser.Expr) []string {
	switch e := e.(type) {
	case *parser.AggregateExpr:
		return e.Grouping
	case *parser.BinaryExpr:
		return slices.Concat(resulting(e.LHS), resulting(e.RHS))
	case *parser.ParenExpr:
		return resulting(e.Expr)
	case *parser.Call:
		var out []string
		for _, a := range e.Args {
			out = append(out, resulting(a)...)
		}
		return out
	case *parser.MatrixSelector:
		return resulting(e.VectorSelector)
	case *parser.VectorSelector:
		return known()[e.Name]
	default:
		return nil
	}
}

var mentioned = regexp.MustCompile(`\$labels\.(\w+)`)

// TestAlertRules holds the rules to Prometheus' own reading of them, to the metrics
// that there are, and each rule to its paragraph in docs/alerts.md.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	groups, errs := rulefmt.ParseFile(filepath.Join(rulesDir, "alerts.yaml"), false, model.LegacyValidation)
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	doc := paragraphs(t)
	names := map[string]bool{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			names[r.Alert] = true
			wantExpr(t, r.Alert, r.Expr)
			e, err := parser.ParseExpr(r.Expr)
			if err != nil {
				continue
			}
			for _, m := range mentioned.FindAllStringSubmatch(r.Annotations["description"]+r.Annotations["summary"], -1) {
				if !slices.Contains(resulting(e), m[1]) {
					t.Errorf("%s speaks of %s, which its result does not have", r.Alert, m[1])
				}
			}
			if s := r.Labels["severity"]; s != "page" && s != "ticket" {
				t.Errorf("%s has the severity %q", r.Alert, s)
			}
			if r.Annotations["summary"] == "" || r.Annotations["runbook_url"] != "docs/alerts.md#"+strings.ToLower(r.Alert) {
				t.Errorf("%s: %v", r.Alert, r.Annotations)
			}
			text := doc[r.Alert]
			for _, part := range []string{"*" + r.Labels["severity"] + "*", "**What**", "**Why it matters**", "**Try**"} {
				if !strings.Contains(text, part) {
					t.Errorf("docs/alerts.md does not say %s of %s", part, r.Alert)
				}
			}
		}
	}
	for name := range doc {
		if !names[name] {
			t.Errorf("docs/alerts.md speaks of %s, which is no rule", name)
		}
	}
	if len(names) < 20 {
		t.Errorf("there are only %d rules", len(names))
	}
}

// paragraphs are those of docs/alerts.md, by alert.
func paragraphs(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(alertsDoc)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range strings.Split(string(text), "\n### ")[1:] {
		name, rest, _ := strings.Cut(p, "\n")
		out[name] = rest
	}
	return out
}

// A dashboard is as much of Grafana's format as ours use: a key beyond it is a
// slip of the hand.
type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Version       int      `json:"version"`
	Editable      bool     `json:"editable"`
	Refresh       string   `json:"refresh"`
	Timezone      string   `json:"timezone"`
	Time          struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"time"`
	Templating struct {
		List []struct {
			Name  string `json:"name"`
			Label string `json:"label"`
			Type  string `json:"type"`
			Query string `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID          int    `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Type        string `json:"type"`
	GridPos     struct{ X, Y, W, H int }
	Datasource  struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	} `json:"datasource"`
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
			Min  *int   `json:"min"`
		} `json:"defaults"`
		Overrides []struct{} `json:"overrides"`
	} `json:"fieldConfig"`
	Targets []struct {
		RefID        string `json:"refId"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

var legend = regexp.MustCompile(`\{\{(\w+)\}\}`)

// TestDashboards holds every expression of the dashboards to the metrics that there
// are, and their panels to fit.
func TestDashboards(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"overview.json", "money.json"} {
		text, err := os.ReadFile(filepath.Join(rulesDir, name))
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		in := json.NewDecoder(bytes.NewReader(text))
		in.DisallowUnknownFields()
		if err := in.Decode(&d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := in.Token(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: something follows", name)
		}
		if d.UID == "" || d.Title == "" || len(d.Panels) < 10 || len(d.Templating.List) != 1 || d.Templating.List[0].Name != "datasource" {
			t.Errorf("%s is not whole: %+v", name, d)
		}
		ids, cells := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			where := name + ": " + p.Title
			if ids[p.ID] || p.Title == "" || p.Description == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" || p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("%s is not whole: %+v", where, p)
			}
			ids[p.ID] = true
			p.fits(t, where, cells)
			for _, q := range p.Targets {
				wantExpr(t, where, q.Expr)
				e, err := parser.ParseExpr(q.Expr)
				if err != nil {
					continue
				}
				for _, m := range legend.FindAllStringSubmatch(q.LegendFormat, -1) {
					if !slices.Contains(resulting(e), m[1]) {
						t.Errorf("%s: its legend speaks of %s, which the result does not have", where, m[1])
					}
				}
			}
		}
	}
}

// fits enters the cells of a panel, of which each has one.
func (p panel) fits(t *testing.T, where string, cells map[[2]int]string) {
	t.Helper()
	g := p.GridPos
	if g.X < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
		t.Errorf("%s is outside: %+v", where, g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if other, ok := cells[[2]int{x, y}]; ok {
				t.Errorf("%s lies on %s", where, other)
				return
			}
			cells[[2]int{x, y}] = where
		}
	}
}

// TestEveryMetricIsLookedAt holds that no metric of money or of what waits is only
// counted: a rule or a panel shows it.
func TestEveryMetricIsLookedAt(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	for _, name := range []string{"alerts.yaml", "overview.json", "money.json"} {
		text, err := os.ReadFile(filepath.Join(rulesDir, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	// Of these a glance at /metrics is enough.
	quiet := map[string]bool{
		"fanli_network_call_duration_seconds": true, "fanli_network_calls_refused_total": true, "fanli_job_last_success_timestamp_seconds": true,
		"fanli_job_done_total": true, "fanli_events_published_total": true, "fanli_feed_failures": true, "fanli_target_info": true,
		"fanli_grpc_server_calls_total": true,
	}
	for _, m := range observe.Metrics() {
		shown := regexp.MustCompile(m.Name + `(_bucket|_sum|_count)?\b`).Match(all.Bytes())
		if shown == quiet[m.Name] {
			t.Errorf("%s: shown %v, listed here as not shown %v", m.Name, shown, quiet[m.Name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(quiet)) {
		if !slices.ContainsFunc(observe.Metrics(), func(m observe.Metric) bool { return m.Name == name }) {
			t.Errorf("%s is no metric", name)
		}
	}
}
