package wechatpayfake

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"fanli/core/money"
)

// pathFile is where a bill is downloaded.
const pathFile = "/v3/billdownload/file"

// flowOf answers where the fund flow bill of a day is.
func (f *Fake) flowOf(r *http.Request) (int, any) {
	day := r.URL.Query().Get("bill_date")
	if _, err := time.Parse(time.DateOnly, day); err != nil || r.URL.Query().Get("account_type") == "" {
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "参数错误"}
	}
	return fileOf(r, f.flow(day), "flow", day)
}

// tradesOf answers where the trade bill of a day is.
func (f *Fake) tradesOf(r *http.Request) (int, any) {
	day := r.URL.Query().Get("bill_date")
	if _, err := time.Parse(time.DateOnly, day); err != nil || r.URL.Query().Get("bill_type") != "ALL" {
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "参数错误"}
	}
	return fileOf(r, f.tradeBill(day), "trades", day)
}

// fileOf says where a bill is, and its hash.
func fileOf(r *http.Request, text []byte, of, day string) (int, any) {
	if len(text) == 0 {
		return http.StatusBadRequest, refusal{"NO_STATEMENT_EXIST", "账单文件不存在"}
	}
	sum := sha1.Sum(text)
	prefix, _, _ := strings.Cut(r.RequestURI, "/v3/")
	return http.StatusOK, map[string]string{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]),
		"download_url": "http://" + r.Host + prefix + pathFile + "?token=" + day + "&of=" + of,
	}
}

// tradeFee is what is kept of a payment: 0.60%, to the nearest fen.
func tradeFee(amount money.Fen) money.Fen { return (amount*60 + 5000) / 10_000 }

// tradeBill is the trade bill of a day; nothing where nobody paid.
func (f *Fake) tradeBill(day string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	zone := time.FixedZone("UTC+8", 8*60*60)
	on := func(at time.Time) bool { return !at.IsZero() && at.In(zone).Format(time.DateOnly) == day }
	var text strings.Builder
	text.WriteString("\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n")
	rows := 0
	row := func(t *Trade, state, total string, refund, back, ended string, fee money.Fen) {
		rows++
		fmt.Fprintf(&text, "`%s,`%s,`%s,`0,`,`%s,`%s,`openid,`NATIVE,`%s,`OTHERS,`CNY,`%s,`0.00,`%s,`%s,`%s,`0.00,`,`%s,`%s,`,`%s000,`0.60%%,`%s,`%s,`\r\n",
			t.Came.In(zone).Format(time.DateTime), f.cfg.AppID, f.cfg.MchID, t.ID, t.Number, state, total, refund, refund, back, ended, t.Description, fee, total, back)
	}
	for _, number := range slices.Sorted(maps.Keys(f.trades)) {
		t := f.trades[number]
		if on(t.Came) {
			row(t, "SUCCESS", t.Amount.String(), "", "0.00", "", tradeFee(t.Amount))
		}
		for _, r := range t.Refunds {
			if on(r.At) {
				row(t, "REFUND", "0.00", r.Number, r.Amount.String(), r.Status, -tradeFee(r.Amount))
			}
		}
	}
	if rows == 0 {
		return nil
	}
	fmt.Fprintf(&text, "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`%d,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00\r\n", rows)
	return []byte(text.String())
}

// flow is the fund flow bill of a day; nothing where nothing moved.
func (f *Fake) flow(day string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	var text strings.Builder
	text.WriteString("\ufeff记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n")
	rows := 0
	for _, b := range f.bills {
		at := b.Updated.In(time.FixedZone("UTC+8", 8*60*60))
		if b.State != Success || at.Format(time.DateOnly) != day {
			continue
		}
		rows++
		fmt.Fprintf(&text, "`%s,`%s,`F%d,`商家转账,`转账,`支出,`%s,`1000.00,`system,`%s,`%s\r\n",
			at.Format(time.DateTime), b.BillNo, rows, b.Amount, b.Remark, b.Number)
	}
	if rows == 0 {
		return nil
	}
	fmt.Fprintf(&text, "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`%d,`0,`0.00,`%d,`0.00\r\n", rows, rows)
	return []byte(text.String())
}
