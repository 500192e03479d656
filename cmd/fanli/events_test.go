package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

var update = flag.Bool("update", false, "rewrite golden files")

// contents are the contents of all events.
var contents = map[event.Name]any{
	event.LinkMade:          link.LinkMade{},
	event.UserJoined:        user.Joined{},
	event.OrderChanged:      order.Changed{},
	event.ClaimChanged:      order.ClaimChanged{},
	event.RebateChanged:     rebate.Changed{},
	event.LedgerPosted:      credit.Posted{},
	event.WithdrawalChanged: withdraw.Changed{},
	event.BonusGiven:        credit.Given{},
	event.AutopayHeld:       withdraw.Held{},
	event.StaffActed:        audit.Acted{},
	event.ChargeChanged:     collect.Changed{},
	event.MembershipChanged: user.MembershipChanged{},
	event.PayeeChanged:      user.PayeeChanged{},
	event.MergeChanged:      user.MergeChanged{},
	event.MergeAnswered:     user.MergeAnswered{},
}

// TestEventSchemas keeps docs/events true: another process, or an older one, may
// have to read these events, so a change of their form must be seen in a review.
func TestEventSchemas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "docs", "events")
	for name, v := range contents {
		got, err := json.MarshalIndent(map[string]any{
			"$schema": "https://json-schema.org/draft/2020-12/schema", "title": string(name), "content": schema(reflect.TypeOf(v)),
		}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		path := filepath.Join(dir, string(name)+".json")
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code says; run this test with -update and look at the difference", path)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != len(contents) {
		t.Errorf("%d schemas for %d events, %v", len(files), len(contents), err)
	}
}

// schema describes a type as JSON schema does.
func schema(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		return map[string]any{"type": "array", "items": schema(t.Elem())}
	case t.Kind() == reflect.Struct:
		props := map[string]any{}
		var required []string
		for i := range t.NumField() {
			name, opts, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			props[name] = schema(t.Field(i).Type)
			if opts == "" {
				required = append(required, name)
			}
		}
		return map[string]any{"type": "object", "properties": props, "required": required}
	case t.Kind() == reflect.String:
		return map[string]any{"type": "string"}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	default:
		return map[string]any{"type": "integer", "description": t.String()}
	}
}

// TestTargetsSayAndHear: every event is said by some target, and nobody waits for one
// that nobody says. Whoever is asked is a target.
func TestTargetsSayAndHear(t *testing.T) {
	t.Parallel()
	said, names := map[event.Name]bool{}, configs.Targets()
	for i, x := range targets() {
		if x.name != names[i] || !slices.Contains(wiring(), x.name) {
			t.Errorf("target %d is %s; the configuration knows %v, and wired are %v", i, x.name, names, wiring())
		}
		for _, n := range x.says {
			said[n] = true
		}
		for _, name := range x.asks {
			if slices.Index(wiring(), name) > slices.Index(wiring(), x.name) {
				t.Errorf("%s asks %s, which is wired later", x.name, name)
			}
		}
	}
	for name := range contents {
		if !said[name] {
			t.Errorf("nobody says %s", name)
		}
	}
	for name, who := range hearers() {
		if !said[name] {
			t.Errorf("%v hear %s, which nobody says", who, name)
		}
	}
}

// TestWhatATargetSaysIsDeclared looks into every outbox while the whole story is told.
func TestWhatATargetSaysIsDeclared(t *testing.T) {
	t.Parallel()
	w := newLittle(t).mustOpen()
	seen := map[string]map[event.Name]bool{}
	w.hook = func(point string) error {
		if point != "outbox.begin" { // a relay is about to forget what was heard
			return nil
		}
		for _, o := range w.app.db.Outboxes() {
			waiting, err := o.Waiting(context.Background(), w.now().AddDate(10, 0, 0), 1000)
			if err != nil {
				return err
			}
			for _, s := range waiting {
				if seen[o.Name()] == nil {
					seen[o.Name()] = map[event.Name]bool{}
				}
				seen[o.Name()][s.Event.Name] = true
			}
		}
		return nil
	}
	s := &tale{w: w, lines: map[string]string{}}
	for _, step := range s.steps() {
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
	}
	n := 0
	for _, x := range targets() {
		for name := range seen[x.name] {
			n++
			if !slices.Contains(x.says, name) {
				t.Errorf("%s says %s and does not declare it", x.name, name)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %v was seen", seen)
	}
}
