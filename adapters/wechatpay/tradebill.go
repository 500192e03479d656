package wechatpay

import (
	"context"
	"net/url"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
)

const pathTrades = "/v3/bill/tradebill"

// The columns of the trade bill that we need.
const (
	colTraded   = "交易时间"
	colTrade    = "微信订单号"
	colCharge   = "商户订单号"
	colState    = "交易状态"
	colTotal    = "订单金额"
	colRefund   = "商户退款单号"
	colRefunded = "申请退款金额"
	colEnded    = "退款状态"
	colFee      = "手续费"
)

// Bill returns the trade bill of a day: what people have paid, and refunds, which
// are rows of their own. The day is that of its date, whatever its zone. The bill
// does not say when a refund was made. Fees are below zero where they were given back.
func (k Collector) Bill(ctx context.Context, day time.Time) ([]collect.BillLine, error) {
	const op = "wechatpay.CollectorBill"
	text, err := k.c.bill(ctx, pathTrades, day, url.Values{"bill_type": {"ALL"}})
	if err != nil || text == nil {
		return nil, fault.In(op, err)
	}
	lines, err := trades(text)
	return lines, fault.Wrap(fault.Internal, op, err) // a format that we do not know: a person has to look
}

// trades reads a trade bill. Rows of another state than these would be no payment of
// ours, and are said and not guessed.
func trades(text []byte) (out []collect.BillLine, err error) {
	columns := []string{colTraded, colTrade, colCharge, colState, colTotal, colRefund, colRefunded, colEnded, colFee}
	err = table(text, columns, func(of func(col string) string) error {
		l := collect.BillLine{Charge: of(colCharge), Receipt: of(colTrade)}
		column := colTotal
		switch of(colState) {
		case "SUCCESS":
			if l.At, err = time.ParseInLocation(time.DateTime, of(colTraded), china); err != nil {
				return errFlow
			}
		case "REFUND":
			if of(colEnded) == "FAIL" {
				return nil
			}
			column, l.Back, l.Refund = colRefunded, true, of(colRefund)
		default:
			return errFlow
		}
		if l.Amount, err = money.ParseYuan(of(column), money.Exact); err != nil || l.Amount <= 0 || l.Charge == "" || l.Back && l.Refund == "" {
			return errFlow
		}
		fee, err := money.ParseYuan(of(colFee), money.HalfUp) // five digits behind the point
		if l.Fee, l.HasFee = max(fee, -fee), true; err != nil || l.Fee > l.Amount {
			return errFlow
		}
		out = append(out, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
