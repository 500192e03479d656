package webhook_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/webhook"
	"fanli/core/withdraw"
)

var update = flag.Bool("update", false, "rewrite the examples in docs/webhooks.md")

// TestTheDocumentsExamples keeps the bodies in docs/webhooks.md true.
func TestTheDocumentsExamples(t *testing.T) {
	t.Parallel()
	const path = "../../docs/webhooks.md"
	text, err := os.ReadFile(path)
	must(t, err)
	doc := string(text)
	for _, name := range append(webhook.Events(), webhook.Test) {
		begin := "<!-- " + string(name) + " -->\n```json\n"
		before, rest, ok := strings.Cut(doc, begin)
		is, after, end := strings.Cut(rest, "```\n")
		if !ok || !end {
			t.Fatalf("%s has no example of %s", path, name)
		}
		want := example(t, name)
		if is != want && !*update {
			t.Errorf("the example of %s is not what is posted; run this test with -update and look at the difference:\n%s", name, want)
		}
		doc = before + begin + want + "```\n" + after
	}
	if *update {
		must(t, os.WriteFile(path, []byte(doc), 0o600))
	}
}

// example is the body of an event.
func example(t *testing.T, name event.Name) string {
	t.Helper()
	w := open(t)
	h := w.add("shop", "shop")
	w.join("shop", 7)
	k, day := order.Key{Network: "jd", Account: "main", ID: "302918374650-1"}, 24*time.Hour
	switch name {
	case event.OrderChanged:
		w.hear("order/jd/batch/184", name, order.Changed{Lines: []order.ChangedLine{{
			Line: 4211, Key: k, Rev: 3, Order: "302918374650", Title: "保温杯", User: 7, State: order.Received, Price: 8900, Commission: 445,
			CreatedAt: start.Add(-5 * day),
		}}})
	case event.RebateChanged:
		w.hear("ledger/184", event.LedgerPosted, credit.Posted{Changes: []credit.Change{{
			Key: k, Seq: 5, User: 7, Order: "302918374650", Title: "保温杯", State: order.Settled, Was: rebate.Pending, Stage: rebate.Available,
			Before: 311, Now: 311,
		}}})
	case event.WithdrawalChanged:
		w.hear("withdrawal/31/paid", name, withdraw.Changed{ID: 31, User: 7, Amount: 5000, State: withdraw.Failed, Was: withdraw.Sending, Reason: "payout.no_such_account", Payee: "138****0000"})
	case event.ClaimChanged:
		w.hear("claim/12/granted", name, order.ClaimChanged{ID: 12, User: 7, Network: "jd", Order: "302918374650", State: order.ClaimWaiting, Until: start.Add(30 * day)})
	default:
		_, err := w.Ping(t.Context(), h.ID, webhook.Staff{By: "cli"})
		must(t, err)
	}
	var out bytes.Buffer
	must(t, json.Indent(&out, w.newest(h.ID).Body, "", "  "))
	return out.String() + "\n"
}
