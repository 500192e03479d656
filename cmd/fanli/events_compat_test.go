package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// publish rewrites the published forms and samples of events, as is done once for each
// release.
var publish = flag.Bool("publish", false, "publish the events' forms and samples, for a release")

// published is where they are.
func published(parts ...string) string {
	return filepath.Join(append([]string{"..", "..", "docs", "events", "published"}, parts...)...)
}

// A form is a part of a schema.
type form struct {
	Type       string          `json:"type"`
	Format     string          `json:"format,omitempty"`
	Items      *form           `json:"items,omitempty"`
	Properties map[string]form `json:"properties,omitempty"`
	Required   []string        `json:"required,omitempty"`
}

type document struct {
	Title   string `json:"title"`
	Content form   `json:"content"`
}

// breaks says where a new form cannot be read by who knows the old one, or the other
// way round: events wait in outboxes and queues while processes are updated, and
// processes of both kinds run side by side.
func breaks(at string, old, now form) (out []string) {
	if old.Type != now.Type || old.Format != now.Format {
		return []string{fmt.Sprintf("%s was %s%s and is %s%s", at, old.Type, old.Format, now.Type, now.Format)}
	}
	if old.Items != nil && now.Items != nil {
		out = append(out, breaks(at+"[]", *old.Items, *now.Items)...)
	}
	for _, name := range slices.Sorted(maps.Keys(old.Properties)) {
		field := at + "." + name
		n, still := now.Properties[name]
		switch {
		case !still:
			out = append(out, field+" is gone (or has another name)")
			continue
		case slices.Contains(old.Required, name) && !slices.Contains(now.Required, name):
			out = append(out, field+" was always there and need not be any more")
		case !slices.Contains(old.Required, name) && slices.Contains(now.Required, name):
			out = append(out, field+" need not have been there and must be now")
		}
		out = append(out, breaks(field, old.Properties[name], n)...)
	}
	for _, name := range slices.Sorted(maps.Keys(now.Properties)) {
		if _, was := old.Properties[name]; !was && slices.Contains(now.Required, name) {
			out = append(out, at+"."+name+" is new and must be there: old events do not have it; make it optional (omitempty, omitzero)")
		}
	}
	return out
}

// advice is what to do about it.
const advice = "\nEvents of the last release are in outboxes and queues, and its processes run beside new ones. Add optional fields only; " +
	"for anything else give the event a new name (order.changed.2), say both until nobody runs the last release, then retire the old one. " +
	"See docs/events/README.md."

func formOf(v any) (f form, err error) {
	b, err := json.Marshal(schema(reflect.TypeOf(v)))
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}

// TestPublishedEventsCanStillBeRead holds the events as they are to those of the last
// release.
func TestPublishedEventsCanStillBeRead(t *testing.T) {
	t.Parallel()
	if *publish {
		for name := range contents {
			b, err := os.ReadFile(filepath.Join("..", "..", "docs", "events", string(name)+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(published(string(name)+".json"), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(published("*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is published, %v", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d document
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(path, err)
		}
		v, ok := contents[event.Name(d.Title)]
		if !ok {
			t.Errorf("%s is no event any more.%s", d.Title, advice)
			continue
		}
		now, err := formOf(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range breaks(d.Title, d.Content, now) {
			t.Errorf("%s.%s", s, advice)
		}
	}
}

// TestBreakingChangesAreSeen plants one of each kind, at both depths.
func TestBreakingChangesAreSeen(t *testing.T) {
	t.Parallel()
	type line struct {
		ID   int64     `json:"id"`
		Note string    `json:"note,omitempty"`
		At   time.Time `json:"at"`
	}
	type was struct {
		ID    int64  `json:"id"`
		Lines []line `json:"lines"`
	}
	type added struct {
		ID   int64     `json:"id"`
		Note string    `json:"note,omitempty"`
		At   time.Time `json:"at"`
		More string    `json:"more,omitempty"`
	}
	type gone struct {
		ID int64     `json:"id"`
		At time.Time `json:"at"`
	}
	type renamed struct {
		ID     int64     `json:"id"`
		Remark string    `json:"remark,omitempty"`
		At     time.Time `json:"at"`
	}
	type retyped struct {
		ID   string    `json:"id"`
		Note string    `json:"note,omitempty"`
		At   time.Time `json:"at"`
	}
	type reformed struct {
		ID   int64  `json:"id"`
		Note string `json:"note,omitempty"`
		At   string `json:"at"`
	}
	type demanded struct {
		ID   int64     `json:"id"`
		Note string    `json:"note"`
		At   time.Time `json:"at"`
	}
	type loosened struct {
		ID   int64     `json:"id,omitempty"`
		Note string    `json:"note,omitempty"`
		At   time.Time `json:"at"`
	}
	type imposed struct {
		ID   int64     `json:"id"`
		Note string    `json:"note,omitempty"`
		At   time.Time `json:"at"`
		More string    `json:"more"`
	}
	old, err := formOf(was{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lines any
		want  string
	}{
		{[]line{}, ""}, {[]added{}, ""},
		{[]gone{}, "x.lines[].note is gone"}, {[]renamed{}, "x.lines[].note is gone"},
		{[]retyped{}, "x.lines[].id was integer and is string"}, {[]reformed{}, "x.lines[].at was stringdate-time and is string"},
		{[]demanded{}, "x.lines[].note need not have been there and must be now"},
		{[]loosened{}, "x.lines[].id was always there"}, {[]imposed{}, "x.lines[].more is new and must be there"},
		{line{}, "x.lines was array and is object"},
	} {
		now := old
		now.Properties = maps.Clone(old.Properties)
		if now.Properties["lines"], err = formOf(c.lines); err != nil {
			t.Fatal(err)
		}
		got := breaks("x", old, now)
		if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.want)) {
			t.Errorf("%T: %v, want %s", c.lines, got, c.want)
		}
	}
}

// samplesMax is how many samples of an event a tale gives.
const samplesMax = 2

// sample tells the tales and keeps events of each name as they went by; what happens in
// none of them is written here.
func sample(t *testing.T) map[event.Name][]event.Event {
	t.Helper()
	out := map[event.Name][]event.Event{}
	for _, l := range legends() {
		seen := map[event.Name]int{}
		w := newLittle(t)
		w.tune = l.tune
		w.equip = func(a *app) {
			for name := range contents {
				a.bus.Hear(name, "sample", func(_ context.Context, e event.Event) error {
					if seen[name]++; seen[name] <= samplesMax {
						out[name] = append(out[name], e)
					}
					return nil
				})
			}
			a.bot.Rand, a.desk.Deadline = hourRand{w}, time.Hour
			if l.equip != nil {
				l.equip(w, a)
			}
		}
		s := &tale{w: w.mustOpen(), lines: map[string]string{}, last: map[string]string{}}
		for _, step := range l.steps(s) {
			if err := step.do(); err != nil {
				t.Fatal(l.name, step.name, err)
			}
		}
	}
	at := time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)
	for _, e := range []struct {
		id   string
		name event.Name
		v    any
	}{
		{"charge/1/3", event.ChargeChanged, collect.Changed{ID: 1, Purpose: collect.Membership, User: 7, What: user.What(2, 30), Amount: 990, Paid: 990, Stage: collect.Received, At: at}},
		{"membership/charge/1", event.MembershipChanged, user.MembershipChanged{User: 7, Level: 2, Until: at.AddDate(0, 1, 0), Days: 30}},
		{"payee/7/1", event.PayeeChanged, user.PayeeChanged{User: 7, Method: "alipay", Payee: "138****0000 (*三)"}},
		{"bonus/campaign/7", event.BonusGiven, credit.Given{User: 7, Kind: ledger.Bonus, Amount: 500, Name: "double eleven"}},
		{"autopay/7/2", event.AutopayHeld, withdraw.Held{User: 7, Threshold: 1000}},
	} {
		x, err := event.New(e.id, e.name, at, e.v)
		if err != nil {
			t.Fatal(err)
		}
		if len(out[e.name]) == 0 {
			out[e.name] = []event.Event{x}
		}
	}
	return out
}

// TestEventsOfTheLastReleaseAreHeard replays what the last release left in outboxes
// through every hearer of today, twice.
func TestEventsOfTheLastReleaseAreHeard(t *testing.T) {
	t.Parallel()
	if *publish {
		for name, es := range sample(t) {
			b, err := json.MarshalIndent(es, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(published("samples", string(name)+".json"), append(b, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := newLittle(t)
	w.tune = generous
	w.mustOpen()
	for i := range 9 { // whoever the samples are about
		if _, _, err := w.app.users.Resolve(t.Context(), identityOf(fmt.Sprint("p", i)), "zh"); err != nil {
			t.Fatal(err)
		}
	}
	heard := 0
	for name := range contents {
		b, err := os.ReadFile(published("samples", string(name)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var es []event.Event
		if err := json.Unmarshal(b, &es); err != nil || len(es) == 0 {
			t.Fatalf("%s: %d samples, %v", name, len(es), err)
		}
		for _, e := range es {
			if err := hearAll(t.Context(), w.app, e, &heard); err != nil {
				t.Errorf("%s of the last release: %v.%s", e.ID, err, advice)
			}
			if err := hearAll(t.Context(), w.app, twisted(e), new(int)); err == nil && len(hearers()[name]) > 0 {
				t.Errorf("%s with another form is heard as if it were nothing", e.ID)
			}
		}
	}
	if heard < 2*len(contents) {
		t.Errorf("hearers were called %d times", heard)
	}
}

// hearAll lets every hearer of an event hear it twice.
func hearAll(ctx context.Context, a *app, e event.Event, heard *int) error {
	for _, x := range targets() {
		for _, h := range x.hears(a) {
			for range 2 {
				if h.name != e.Name {
					continue
				}
				*heard++
				if err := h.handle(ctx, e); err != nil {
					return fmt.Errorf("%s: %w", x.name, err)
				}
			}
		}
	}
	return nil
}

// twisted is the event with every field of another type.
func twisted(e event.Event) event.Event {
	var fields map[string]any
	if json.Unmarshal(e.Data, &fields) != nil {
		return e
	}
	for name := range fields {
		fields[name] = map[string]any{"?": true}
	}
	e.ID += "/broken"
	e.Data, _ = json.Marshal(fields)
	return e
}
