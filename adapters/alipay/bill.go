package alipay

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/smartwalle/alipay/v3"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// How the account's log is read.
const (
	billPageSize = 2000
	billPagesMax = 500
	// billReady is how long after its end a day is taken for complete.
	billReady = time.Hour
)

// A logRow is one row of the account's log.
type logRow struct {
	Number    string       `json:"merchant_order_no"`
	Order     string       `json:"alipay_order_no"`
	Amount    money.Number `json:"trans_amount"`
	Direction string       `json:"direction"`
	Type      string       `json:"type"`
	At        string       `json:"trans_dt"`
}

// Bill returns the transfers of a day in Beijing, as the account's log
// (alipay.data.bill.accountlog.query) has them: what went out, and what of it came
// back. The log is taken instead of the bill to download because it is signed and
// its fields have names; which rows are transfers is configured by bill_types, as
// Alipay calls the type a hint only. A row that cannot be read fails the whole
// bill, so that none is silently missing.
func (c *Client) Bill(ctx context.Context, day time.Time) ([]withdraw.BillLine, error) {
	const op = "alipay.Bill"
	rows, err := c.log(ctx, day, c.cfg.BillTypes)
	if err != nil {
		return nil, fault.In(op, err)
	}
	lines := make([]withdraw.BillLine, len(rows))
	for i, r := range rows {
		if lines[i], err = r.line(); err != nil {
			return nil, fault.In(op, err)
		}
	}
	return lines, nil
}

// Bill returns what people have paid on a day in Beijing, and what was given back,
// as the account's log has it; which rows those are is configured by
// collect_bill_types. Fees are rows of their own, of collect_fee_types: what went out
// under a charge's number was kept of it, what came was given back with its refund. The
// log does not name refunds: money that goes out under a charge's number is its refund.
func (k Collector) Bill(ctx context.Context, day time.Time) ([]collect.BillLine, error) {
	const op = "alipay.CollectorBill"
	feeTypes := k.c.cfg.CollectFeeTypes
	rows, err := k.c.log(ctx, day, slices.Concat(k.c.cfg.CollectBillTypes, feeTypes))
	if err != nil {
		return nil, fault.In(op, err)
	}
	type side struct {
		number string
		back   bool
	}
	fees := map[side]money.Fen{}
	var lines []collect.BillLine
	for _, r := range rows {
		l, err := r.line()
		switch {
		case err != nil:
			return nil, fault.In(op, err)
		case slices.Contains(feeTypes, r.Type): // transfers have some, too, which no line takes
			fees[side{l.Number, !l.Paid}] += l.Amount
		default:
			lines = append(lines, collect.BillLine{Charge: l.Number, Receipt: l.Receipt, Amount: l.Amount, Back: l.Paid, At: l.At})
		}
	}
	for i := range lines {
		of := side{lines[i].Charge, lines[i].Back}
		lines[i].Fee, lines[i].HasFee = fees[of], true
		delete(fees, of) // of several refunds the first has it
	}
	return lines, nil
}

// log returns the rows of a day that have a number of the merchant's and one of the
// types.
func (c *Client) log(ctx context.Context, day time.Time, types []string) ([]logRow, error) {
	year, month, date := day.In(beijing).Date()
	from := time.Date(year, month, date, 0, 0, 0, 0, beijing)
	to := from.AddDate(0, 0, 1)
	if c.now().Before(to.Add(billReady)) {
		return nil, fault.Newf(fault.Unavailable, "", "the log of %s is not complete yet", from.Format(time.DateOnly))
	}
	var out []logRow
	for page, seen := 1, 0; page <= billPagesMax; page++ {
		rows, total, err := c.logPage(ctx, from, to, page)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Number != "" && slices.Contains(types, r.Type) {
				out = append(out, r)
			}
		}
		if seen += len(rows); seen >= total {
			return out, nil
		}
		if len(rows) == 0 {
			return nil, fault.Newf(fault.Unavailable, "", "page %d is empty, with %d of %d rows seen", page, seen, total)
		}
	}
	return nil, fault.Newf(fault.Internal, "", "more than %d pages", billPagesMax)
}

// logPage returns one page and how many rows there are in all.
func (c *Client) logPage(ctx context.Context, from, to time.Time, page int) ([]logRow, int, error) {
	q := alipay.NewPayload("alipay.data.bill.accountlog.query").
		AddBizField("start_time", from.Format(timeForm)).
		AddBizField("end_time", to.Format(timeForm)).
		AddBizField("page_no", strconv.Itoa(page)).
		AddBizField("page_size", strconv.Itoa(billPageSize))
	var a struct {
		result
		Total money.Number `json:"total_size"`
		Rows  []logRow     `json:"detail_list"`
	}
	if err := c.call(ctx, q, &a); err != nil {
		return nil, 0, err
	}
	if a.Code != codeSuccess {
		return nil, 0, a.fault()
	}
	total, err := strconv.Atoi(string(a.Total))
	if err != nil || total < 0 {
		return nil, 0, fault.Newf(fault.Unavailable, "", "the log does not say how long it is")
	}
	return a.Rows, total, nil
}

// line reads a row. Amounts that go out are below zero.
func (r logRow) line() (l withdraw.BillLine, err error) {
	bad := func(what string) (withdraw.BillLine, error) {
		return l, fault.Newf(fault.Internal, "", "a row of the log, number %s: %s", word(r.Number), what)
	}
	amount, err := r.Amount.Yuan(money.Exact)
	if err != nil || amount == 0 {
		return bad("no amount")
	}
	at, err := time.ParseInLocation(timeForm, r.At, beijing)
	if err != nil {
		return bad("no time")
	}
	out := amount < 0
	if d := strings.TrimSpace(r.Direction); d != "" && (d == "支出") != out {
		return bad(fmt.Sprintf("the amount %s does not go its direction", amount))
	}
	if out {
		amount = -amount
	}
	return withdraw.BillLine{Number: r.Number, Receipt: r.Order, Amount: amount, Paid: out, At: at}, nil
}
