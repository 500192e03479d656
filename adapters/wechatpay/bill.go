package wechatpay

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// billBytesMax bounds a bill: some 100,000 payments.
const billBytesMax = 32 << 20

// billHour is when the bill of the day before is ready, in China.
const billHour = 10

const pathFlow = "/v3/bill/fundflowbill"

// china is the zone of bills. It has no summer time.
var china = time.FixedZone("UTC+8", 8*60*60)

// The columns of the fund flow bill that we need.
const (
	colTime    = "记账时间"
	colReceipt = "微信支付业务单号"
	colName    = "业务名称"
	colKind    = "业务类型"
	colWay     = "收支类型"
	colAmount  = "收支金额(元)"
	colNumber  = "业务凭证号"
)

// fileOf is the answer that says where a bill is.
type fileOf struct {
	HashType  string `json:"hash_type"`
	HashValue string `json:"hash_value"`
	URL       string `json:"download_url"`
}

// Bill returns the transfers in the fund flow of a day. The day is that of its
// date, whatever its zone. See the package comment on what is uncertain.
func (c *Client) Bill(ctx context.Context, day time.Time) ([]withdraw.BillLine, error) {
	const op = "wechatpay.Bill"
	text, err := c.bill(ctx, pathFlow, day, url.Values{"account_type": {c.cfg.BillAccount}})
	if err != nil || text == nil {
		return nil, fault.In(op, err)
	}
	lines, err := flow(text)
	return lines, fault.Wrap(fault.Internal, op, err) // a format that we do not know: a person has to look
}

// bill asks for the bill of a day; it is nil where nothing moved.
func (c *Client) bill(ctx context.Context, path string, day time.Time, query url.Values) ([]byte, error) {
	y, m, d := day.Date()
	if c.now().Before(time.Date(y, m, d+1, billHour, 0, 0, 0, china)) {
		return nil, fault.Newf(fault.Unavailable, "", "ready at ten of the next day")
	}
	query.Set("bill_date", day.Format(time.DateOnly))
	a, err := c.call(ctx, request{method: http.MethodGet, path: path + "?" + query.Encode()})
	switch {
	case err != nil:
		return nil, err
	case a.code() == "NO_STATEMENT_EXIST" && a.status == http.StatusBadRequest:
		return nil, nil
	case a.status/100 != 2:
		return nil, fault.Newf(fault.Unavailable, "", "status %d and code %q", a.status, plain(a.code()))
	}
	var f fileOf
	if err := unmarshal(a.body, &f); err != nil {
		return nil, fault.Newf(fault.Unavailable, "", "%w", err)
	}
	return c.download(ctx, f)
}

// download fetches a bill. The file itself is not signed; its hash was.
func (c *Client) download(ctx context.Context, f fileOf) ([]byte, error) {
	rest, ok := strings.CutPrefix(f.URL, c.cfg.Endpoint)
	if !ok || !strings.HasPrefix(rest, "/") {
		return nil, fault.Newf(fault.Denied, "", "a bill at another host")
	}
	a, err := c.call(ctx, request{method: http.MethodGet, path: rest, trust: true})
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(a.body) // the hash that WeChat gives
	switch {
	case a.status != http.StatusOK:
		return nil, fault.Newf(fault.Unavailable, "", "status %d for a bill", a.status)
	case f.HashType != "SHA1" || !strings.EqualFold(hex.EncodeToString(sum[:]), f.HashValue):
		return nil, fault.Newf(fault.Unavailable, "", "a bill whose hash is another")
	}
	return a.body, nil
}

var errFlow = errors.New("not a bill as we know it")

// flow reads a fund flow bill.
func flow(text []byte) (out []withdraw.BillLine, err error) {
	columns := []string{colTime, colReceipt, colName, colKind, colWay, colAmount, colNumber}
	err = table(text, columns, func(of func(col string) string) error {
		line, ok, err := transfer(of)
		if ok {
			out = append(out, line)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// table reads a bill: a header, rows whose fields begin with a backtick, and a
// summary with a header of its own. Without it, the bill is half a bill.
func table(text []byte, columns []string, each func(of func(col string) string) error) error {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	head, err := r.Read()
	if err != nil {
		return errFlow
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.TrimSpace(name)] = i
	}
	for _, col := range columns {
		if _, ok := at[col]; !ok {
			return errFlow
		}
	}
	for {
		row, err := r.Read()
		switch {
		case err != nil: // of which the end is one
			return errFlow
		case !strings.HasPrefix(row[0], "`"): // the summary begins
			return nil
		case len(row) != len(head):
			return errFlow
		}
		if err := each(func(col string) string { return strings.TrimSpace(strings.TrimPrefix(row[at[col]], "`")) }); err != nil {
			return err
		}
	}
}

// transfer reads a row; ok is false for what is no transfer of ours.
func transfer(of func(col string) string) (l withdraw.BillLine, ok bool, err error) {
	if !strings.Contains(of(colName)+of(colKind), "转账") || !numberForm.MatchString(of(colNumber)) {
		return l, false, nil
	}
	amount, err := money.ParseYuan(of(colAmount), money.Exact)
	if err != nil || amount < 0 {
		return l, false, errFlow
	}
	when, err := time.ParseInLocation(time.DateTime, of(colTime), china)
	if err != nil {
		return l, false, errFlow
	}
	l = withdraw.BillLine{Number: of(colNumber), Receipt: of(colReceipt), Amount: amount, At: when}
	switch of(colWay) {
	case "支出":
		l.Paid = true
	case "收入":
	default:
		return l, false, errFlow
	}
	return l, true, nil
}
