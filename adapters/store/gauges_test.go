package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/withdraw"
)

type traceKey struct{}

// TestATraceIsKeptWithWhatIsWrittenWithinIt holds that events and messages keep the
// trace of the context of their transaction, also once they are buried, and that what
// is too long to be one is none.
func TestATraceIsKeptWithWhatIsWrittenWithinIt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		here.Trace = func(ctx context.Context) string {
			s, _ := ctx.Value(traceKey{}).(string)
			return s
		}
		db := open(t, here)
		const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		within := context.WithValue(t.Context(), traceKey{}, trace)
		o := outboxOf(t, db, "order")
		emitIn := func(ctx context.Context, e event.Event) {
			must(t, db.Orders().InTx(ctx, func(tx order.Tx) error { return tx.Emit(e) }))
		}
		emitIn(within, event.Event{ID: "a", Name: event.OrderChanged, At: start, Data: []byte("{}")})
		emitIn(t.Context(), event.Event{ID: "b", Name: event.OrderChanged, At: start, Data: []byte("{}")})
		emitIn(within, event.Event{ID: "c", Name: event.OrderChanged, At: start, Data: []byte("{}"), Trace: "its own"})
		emitIn(context.WithValue(t.Context(), traceKey{}, strings.Repeat("x", 200)), event.Event{ID: "d", Name: event.OrderChanged, At: start, Data: []byte("{}")})
		for i, want := range []string{trace, "", "its own", ""} {
			if got := wantWaiting(t, o, start, "a", "b", "c", "d")[i].Event.Trace; got != want {
				t.Errorf("event %d has the trace %q, want %q", i, got, want)
			}
		}
		must(t, o.Bury(t.Context(), event.Event{ID: "e", Name: event.OrderChanged, At: start, Data: []byte("{}"), Trace: trace}, "cause"))
		dead, err := o.Dead(t.Context(), 0, 10)
		must(t, err)
		if n, err := o.Buried(t.Context()); err != nil || n != 1 || len(dead) != 1 || dead[0].Event.Trace != trace {
			t.Errorf("buried: %d %v, %+v", n, err, dead)
		}

		must(t, db.Messages().InTx(within, func(tx notify.Tx) error {
			return tx.Write([]notify.Message{{Key: "m", User: 7, Kind: notify.BonusNews, Data: []byte("{}"), At: start, State: notify.Waiting}})
		}))
		ms, err := db.Messages().Waiting(t.Context(), start.Add(time.Hour), 10)
		must(t, err)
		if got, err := db.MessageTrace(t.Context(), ms[0].ID); err != nil || got != trace {
			t.Errorf("the message has the trace %q, %v", got, err)
		}
	})
}

func outboxOf(t *testing.T, db *store.DB, name string) *store.Outbox {
	t.Helper()
	for _, o := range db.Outboxes() {
		if o.Name() == name {
			return o
		}
	}
	t.Fatalf("there is no outbox of %s", name)
	return nil
}

// TestWhatOperatorsSeeAllTheTime holds the numbers that metrics show.
func TestWhatOperatorsSeeAllTheTime(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		open, err := db.OpenWithdrawals(t.Context())
		must(t, err)
		if q, ok := open[withdraw.Unknown]; !ok || q != (store.Queue{}) || len(open) == 0 {
			t.Errorf("nothing is on its way: %+v", open)
		}
		if _, ok := open[withdraw.Paid]; ok {
			t.Error("what is over is counted")
		}
		must(t, db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
			for i, s := range []withdraw.State{withdraw.Unknown, withdraw.Unknown, withdraw.Approved} {
				w := withdraw.Withdrawal{
					User: int64(i + 1), Amount: 100, Key: string(rune('a' + i)), State: s, At: start, Rev: 1, Changed: start.Add(time.Duration(i) * time.Minute),
				}
				w.Payee.Method, w.Payee.Account, w.Payee.Name = "alipay", "13800000001", "张三"
				if _, err := tx.Insert(w); err != nil {
					return err
				}
			}
			return tx.Post([]ledger.Entry{
				{Key: "k1", Kind: "settle", From: ledger.Network("jd"), To: ledger.Bank, Amount: 5, Cause: "c", At: start},
				{Key: "k2", Kind: "settle", From: ledger.Network("jd"), To: ledger.User(1, ledger.Available), Amount: 6, Cause: "c", At: start},
			}, map[ledger.Account]money.Fen{ledger.Network("jd"): -11, ledger.Bank: 5, ledger.User(1, ledger.Available): 6})
		}))
		open, err = db.OpenWithdrawals(t.Context())
		must(t, err)
		if q := open[withdraw.Unknown]; q.Count != 2 || !q.Oldest.Equal(start) {
			t.Errorf("unknown: %+v", q)
		}
		if n, err := db.Height(t.Context()); err != nil || n != 2 {
			t.Errorf("the ledger has %d entries, %v", n, err)
		}
		sums, err := db.Sums(t.Context())
		must(t, err)
		if sums[ledger.Network("jd")] != -11 || sums[ledger.Bank] != 5 || len(sums) != 2 {
			t.Errorf("sums: %v", sums)
		}
		if db.Connections().OpenConnections == 0 {
			t.Error("it has no connection")
		}
	})
}
