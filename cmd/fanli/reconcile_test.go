package main

import (
	"encoding/csv"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/reconcile"
	"fanli/core/reconcile/reconciletest"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// settledMonth is one that is over whenever the tests run.
const settledMonth = "2025-10"

func monthOf(t *testing.T, name string) reconcile.Period {
	t.Helper()
	p, err := reconcile.ParsePeriod(name, time.FixedZone("UTC+8", 8*60*60))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// inBooks opens a data folder's database, as the commands do, and runs fn on it.
func inBooks(t *testing.T, dir string, fn func(db *store.DB)) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := sealKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "fanli.db")
	if err := migratedAt(path); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Path: path, SealKey: key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fn(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill puts a world's book of ours into order lines and ledger.
func fill(t *testing.T, db *store.DB, w *reconciletest.World) {
	t.Helper()
	now := func() time.Time { return w.Period.To }
	var lines []*order.Line
	var rebates rebate.Changed
	for _, l := range w.Lines {
		k := order.Key{Network: "jd", Account: "main", ID: l.ID}
		lines = append(lines, &order.Line{
			Key: k, Rev: 1, Seen: w.Period.From, Facts: l.Facts,
			Whole: &order.Register{Revision: order.Revision{Key: k, Aspect: order.Whole, Order: l.ID}},
		})
		r, sum := rebate.ChangedRebate{Key: k, Seq: 1, Stage: rebate.Nothing, Margin: w.Booked[l.ID]}, w.Booked[l.ID]
		if sum > 100 && len(lines)%3 == 0 { // what the network owes is the same, whoever gets it
			r.Stage, r.User, r.Amount, r.TopUp, r.Budget = rebate.Available, 7, sum/2, 5, "gifts"
			r.Cuts = [2]rebate.Cut{{User: 8, Amount: sum / 10}, {User: 9, Amount: sum / 20}}
			r.Margin = sum + r.TopUp - r.Amount - r.Cuts[0].Amount - r.Cuts[1].Amount
		}
		rebates.Rebates = append(rebates.Rebates, r)
	}
	if err := db.Orders().InTx(t.Context(), func(tx order.Tx) error { return tx.Put(lines) }); err != nil {
		t.Fatal(err)
	}
	e, err := event.New("filled", event.RebateChanged, now(), rebates)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&credit.Cashier{Store: db.Credits(), Now: now}).RebateChanged(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func balances(t *testing.T, dir string) (out map[ledger.Account]string) {
	t.Helper()
	inBooks(t, dir, func(db *store.DB) {
		all, err := db.Ledger().Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = map[ledger.Account]string{}
		for a, b := range all {
			out[a] = b.String()
		}
	})
	return out
}

// TestReconcileNetwork plants differences of every kind in a settlement of 10,000
// lines and reads, from the table that the command writes, that it finds all of
// them and nothing else; then it accepts, corrects and closes.
func TestReconcileNetwork(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	p := monthOf(t, settledMonth)
	rows := 10_000
	if underRace {
		rows = 2_000
	}
	w := reconciletest.New(42, rows, p)
	inBooks(t, dir, func(db *store.DB) { fill(t, db, w) })
	file, table, picture := filepath.Join(dir, "jd.csv"), filepath.Join(dir, "out.csv"), filepath.Join(dir, "out.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteCSV(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	args := []string{"reconcile", "network", "jd", settledMonth, "--file", file, "--data", dir}
	cli(t, "", nil, append(args, "--csv", table, "--picture", picture)...).want(t, exitUnsound, "missing-here", "twice", "--csv has all", fmt.Sprint(w.Matched))
	sameFindings(t, table, w)
	image, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	if _, err := png.Decode(image); err != nil {
		t.Errorf("the picture: %v", err)
	}
	if b := balances(t, dir); b[ledger.Bank] != "" {
		t.Errorf("comparing has moved %s", b[ledger.Bank])
	}

	// Accepting moves what matched, once, and who did it is kept.
	cli(t, "", nil, append(args, "--accept", "--as", "wang")...).want(t, exitUnsound, "entered in the ledger: ")
	cli(t, "", nil, "acts", "--what", "reconcile.accept", "--actor", "cli:wang", "--data", dir).want(t, exitOK, "settlement/jd/main/"+settledMonth, "500 rows")
	first := balances(t, dir)
	again := cli(t, "", nil, append(args, "--accept")...)
	again.want(t, exitUnsound, "entered in the ledger: 0.00")
	if b := balances(t, dir); !maps.Equal(b, first) {
		t.Errorf("accepting again: %v, was %v", b, first)
	}
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "the books are sound")

	// The month can only be closed with a reason, and then it stays as it is.
	cli(t, "", nil, "close", settledMonth, "--data", dir).want(t, exitFailed, "open differences")
	cli(t, "", nil, "close", settledMonth, "--data", dir, "--with-differences", "JD was asked on Monday").
		want(t, exitOK, "network/jd/main", "JD was asked on Monday", "sha256: ")
	cli(t, "", nil, "close", settledMonth, "--data", dir, "--with-differences", "again").want(t, exitFailed, "is closed")
	cli(t, "", nil, append(args, "--accept")...).want(t, exitFailed, "is closed")
	cli(t, "", nil, "reconcile", "status", settledMonth, "--data", dir).want(t, exitOK, "closed: "+settledMonth, "network/jd/main")
}

// sameFindings reads the table of a comparison.
func sameFindings(t *testing.T, path string, w *reconciletest.World) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found, matched := map[string]int{}, int64(0)
	for _, r := range rows[1:] {
		if r[0] == string(reconcile.Matched) {
			matched++
			continue
		}
		var what []reconcile.Aspect
		for _, a := range strings.Fields(r[3]) {
			what = append(what, reconcile.Aspect(a))
		}
		found[reconciletest.Said(reconcile.Finding{Kind: reconcile.Kind(r[0]), Key: r[1], What: what})]++
	}
	if matched != w.Matched {
		t.Errorf("%d matched, want %d", matched, w.Matched)
	}
	if !maps.Equal(found, w.Want) {
		for k, n := range w.Want {
			if found[k] != n {
				t.Errorf("planted %d times and found %d times: %s", n, found[k], k)
			}
		}
		for k := range found {
			if w.Want[k] == 0 {
				t.Errorf("found and not planted: %s", k)
			}
		}
	}
}

// TestReconcilePayer holds a bill against payouts until the payer's account is at
// zero and the month can be closed.
func TestReconcilePayer(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	day := monthOf(t, settledMonth+"-03")
	inBooks(t, dir, func(db *store.DB) {
		err := db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
			j, err := ledger.Open(tx, day.From)
			if err != nil {
				return err
			}
			for i := range 300 {
				number := fmt.Sprintf("F%04d", i)
				id, err := tx.Insert(withdraw.Withdrawal{
					Key: number, User: 1, Amount: 1000, Payee: user.Payee{Method: "alipay", Account: "a@example.com"},
					State: withdraw.Paid, Payer: "alipay", Number: number, Rev: 1, At: day.From, Changed: day.From.Add(time.Hour),
				})
				if err != nil {
					return err
				}
				held := ledger.User(1, ledger.Reserved)
				for _, e := range []ledger.Entry{
					{Key: number + "/held", Kind: ledger.Manual, From: ledger.Margin, To: held, Amount: 1000, Cause: "manual/" + number},
					{Key: number, Kind: ledger.Payout, From: held, To: ledger.Payer("alipay"), Amount: 1000, Cause: withdraw.Cause(id)},
				} {
					if err := j.Move(e); err != nil {
						return err
					}
				}
			}
			return j.Post()
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	bill := func(row func(i int) string) string {
		path := filepath.Join(dir, "bill.csv")
		b := strings.Builder{}
		b.WriteString("#支付宝\n商户订单号,支出（-元）,状态\n")
		for i := range 300 {
			b.WriteString(row(i))
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sound := func(i int) string { return fmt.Sprintf("F%04d,-10.00,成功\n", i) }
	path := bill(func(i int) string {
		switch i {
		case 17:
			return ""
		case 18:
			return "F0018,-11.00,成功\n"
		case 19:
			return "F0019,-10.00,退票\n"
		case 20:
			return sound(i) + sound(i)
		case 21:
			return "F0021,1O.00,成功\nX1,-3.00,成功\n"
		}
		return sound(i)
	})
	args := []string{"reconcile", "payer", "alipay", settledMonth + "-03", "--data", dir, "--file"}
	r := cli(t, "", nil, append(args, path, "--accept")...)
	r.want(t, exitUnsound, "missing-there F0017", "they have 11.00, we have 10.00 (+1.00)", "they have failed, we have paid", "twice         F0020 line 23", "no amount", "X1", "entered in the ledger: 2960.00")
	if n := len(regexp.MustCompile(`(?m)^(differs|missing-here|missing-there|twice|unreadable) `).FindAllString(r.out, -1)); n != 7 {
		t.Errorf("%d differences:\n%s", n, r.out)
	}
	cli(t, "", nil, "close", settledMonth, "--data", dir).want(t, exitFailed, "differences")
	cli(t, "", nil, append(args, bill(sound), "--accept")...).want(t, exitOK, "entered in the ledger: 40.00")
	if b := balances(t, dir); b[ledger.Payer("alipay")] != "0.00" || b[ledger.Bank] != "3000.00" {
		t.Errorf("payer %s, bank %s", b[ledger.Payer("alipay")], b[ledger.Bank])
	}
	cli(t, "", nil, "close", settledMonth, "--data", dir).want(t, exitOK, "payer/alipay", "open differences: 0")
}

func TestReconcileRefuses(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	odd := filepath.Join(dir, "odd.csv")
	if err := os.WriteFile(odd, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		says string
	}{
		{"reconcile network jd", "takes a network"},
		{"reconcile network jd 2025-10", "--file"},
		{"reconcile network jd october --file " + odd, "2026-10"},
		{"reconcile network jd 2025-10 --file " + odd, "no column"},
		{"reconcile network jd 2025-10 --file " + odd + "x", "odd.csvx"},
		{"reconcile network jd 2025-10 --file " + odd + " --columns " + odd, "not a format"},
		{"reconcile payer alipay 2025-10-03", "give --file"},
		{"reconcile network jd 2025-10 --ask", "jd/main is not configured here"},
		{"reconcile network jd 2025-10 --ask --file " + odd, "either --file or --ask"},
		{"reconcile collector wechatpay 2025-10-03", "give --file"},
		{"reconcile collector wechatpay", "takes a collector"},
		{"reconcile status 2025-10-03", "not a month"},
		{"reconcile statuss", "did you mean"},
		{"close", "takes one month"},
		{"close 2025-10-03", "not a month"},
		{"close 2999-01", "not over"},
	} {
		cli(t, "", nil, append(strings.Fields(tt.args), "--data", dir)...).want(t, exitUsage, tt.says)
	}
}
