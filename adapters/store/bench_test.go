//go:build unix

package store_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/rebate"
)

// batch is a page of a feed: what the networks give at most.
const batch = 500

// page returns the n-th page of orders, none of which anybody has seen before.
func page(n int) order.Page {
	var p order.Page
	for i := range batch {
		id := n*batch + i
		created := start.Add(time.Duration(id) * time.Second)
		p.Revisions = append(p.Revisions, order.Revision{
			Key:    order.Key{Network: link.JD, Account: "main", ID: fmt.Sprint(4_159_000_000_000 + id)},
			Aspect: order.Whole, Order: fmt.Sprint(300_000_000_000 + id), Item: fmt.Sprint("item", id%5000), Title: "保温杯 500ml 不锈钢 大容量",
			Shop: "自营旗舰店", Category: "厨具", Quantity: 1, State: order.Paid, Price: 8_900, Estimated: 445,
			Tag: fmt.Sprintf("f%015d", id%2000), Clicked: created.Add(-time.Minute), Created: created, PaidAt: created, Modified: created,
			Raw: fmt.Appendf(nil, `{"orderId":%d,"skuId":100012043978,"skuName":"保温杯 500ml","estimateCosPrice":89.0,"estimateFee":4.45,"validCode":16}`, id),
		})
	}
	return p
}

func BenchmarkApplyPage(b *testing.B) { benchBoth(b, applyPages) }

// benchBoth measures on both kinds of database. The server's folder is in memory,
// as the tests have it: a disk of yours is slower.
func benchBoth(b *testing.B, run func(b *testing.B, db *store.DB)) {
	b.Helper()
	b.Run("SQLite", func(b *testing.B) { run(b, open(b, store.Config{})) })
	b.Run("MySQL", func(b *testing.B) { run(b, open(b, store.Config{DSN: mariadbtest.Shared(b).Database(b)})) })
}

func applyPages(b *testing.B, db *store.DB) {
	b.Helper()
	book := order.Book{Store: db.Orders(), Now: now}
	tell(b, &book, 2000)
	b.Run("New", func(b *testing.B) {
		done := rows(b)
		for n := 0; b.Loop(); n++ {
			apply(b, &book, page(n), batch)
		}
		done()
	})
	b.Run("Unchanged", func(b *testing.B) {
		p := page(1_000_000)
		if _, err := book.Apply(b.Context(), p, nil); err != nil {
			b.Fatal(err)
		}
		done := rows(b)
		for b.Loop() {
			apply(b, &book, p, 0)
		}
		done()
	})
}

// tell makes n links known to the book, each of a user of its own.
func tell(tb testing.TB, book *order.Book, n int) {
	tb.Helper()
	for i := range n {
		m := link.LinkMade{
			Link: int64(i + 1), User: int64(i + 1), Network: link.JD, Item: fmt.Sprint("item", i), Tag: fmt.Sprintf("f%015d", i),
			Promise: link.Promise{Rules: 1, Share: 7000, Rebate: 311, Terms: `{"rules":1,"parts":[{"kind":"base","bps":7000}],"share":7000}`}, At: start,
		}
		e, err := event.New(fmt.Sprint("link/", m.Tag), event.LinkMade, start, m)
		if err == nil {
			err = book.LinkMade(tb.Context(), e)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func apply(tb testing.TB, book *order.Book, p order.Page, want int) {
	tb.Helper()
	n, err := book.Apply(tb.Context(), p, nil)
	if err != nil || n != want {
		tb.Fatalf("Apply = %d, %v, want %d lines changed", n, err, want)
	}
}

func BenchmarkCredit(b *testing.B) { benchBoth(b, credits) }

func credits(b *testing.B, db *store.DB) {
	b.Helper()
	cashier := credit.Cashier{Store: db.Credits(), Now: now}
	done := rows(b)
	for n := 0; b.Loop(); n++ {
		e, err := event.New(fmt.Sprint("rebate/", n), event.RebateChanged, start, rebates(n))
		if err == nil {
			err = cashier.RebateChanged(b.Context(), e)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	done()
}

// rebates returns the n-th batch of new rebates, for 2,000 users in turn.
func rebates(n int) rebate.Changed {
	var c rebate.Changed
	for i := range batch {
		id := n*batch + i
		c.Rebates = append(c.Rebates, rebate.ChangedRebate{
			Key: order.Key{Network: link.JD, Account: "main", ID: fmt.Sprint(4_159_000_000_000 + id)}, Seq: 1, User: int64(id%2000 + 1),
			Stage: rebate.Pending, Amount: 311, Margin: 134, Order: fmt.Sprint(300_000_000_000 + id), Title: "保温杯 500ml", State: order.Paid,
		})
	}
	return c
}

// rows makes a benchmark of batches report how many rows it does in a second, and
// what one costs of the processor, which busy neighbours change less.
func rows(b *testing.B) (done func()) {
	b.Helper()
	before := cpu(b)
	return func() {
		b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N)/batch, "cpu-µs/row")
	}
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
