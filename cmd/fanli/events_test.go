package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

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
