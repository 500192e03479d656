package manual

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// Limits of a file of results.
const (
	fileBytesMax = 8 << 20
	rowsMax      = 10_000
)

// bom makes spreadsheets read a file as UTF-8.
const bom = "\ufeff"

// header is the first line of a batch: the columns of Alipay's mass transfer.
func header() []string {
	return []string{"商家订单号", "收款方账号", "收款方姓名", "金额", "备注"}
}

// WriteBatch writes withdrawals as a file that a person uploads, or works through
// line by line, and returns the SHA-256 of what it wrote, in hex. The same
// withdrawals give the same bytes.
//
// The file holds payout accounts in full: whoever writes it keeps it from others.
func WriteBatch(w io.Writer, ws []withdraw.Withdrawal) (sum string, err error) {
	h := sha256.New()
	out := io.MultiWriter(w, h)
	if _, err := io.WriteString(out, bom); err != nil {
		return "", err
	}
	c := csv.NewWriter(out)
	c.UseCRLF = true
	rows := [][]string{header()}
	for _, x := range ws {
		rows = append(rows, []string{x.Number, harmless(x.Payee.Account), harmless(x.Payee.Name), x.Amount.String(), "返利提现 " + x.Number})
	}
	if err := c.WriteAll(rows); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// harmless keeps a spreadsheet from running a text as a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

// columns are the names under which results are found, by what they say.
func columns() map[string][]string {
	return map[string][]string{
		"number": {"商家订单号", "商户订单号", "商户单号", "number"},
		"amount": {"金额", "转账金额", "付款金额", "amount"},
		"result": {"结果", "状态", "转账状态", "付款状态", "result"},
		"reason": {"原因", "失败原因", "reason"},
	}
}

// ReadResults reads a file of results: a batch to which a person has added a column
// 结果, or what a payer gives back. Columns are found by their names, in any order.
// It fails with fault.Invalid, naming the line, for a file that cannot be
// understood; then nothing of it counts.
func ReadResults(r io.Reader) ([]withdraw.Result, error) {
	text, err := io.ReadAll(io.LimitReader(r, fileBytesMax+1))
	if err != nil {
		return nil, err
	}
	if len(text) > fileBytesMax {
		return nil, fault.Newf(fault.Invalid, "manual.file", "the file is larger than %d bytes", fileBytesMax)
	}
	c := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), bom)))
	first, err := c.Read()
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "manual.file", "line 1: not a CSV file with a header")
	}
	at, err := places(first)
	if err != nil {
		return nil, err
	}
	var out []withdraw.Result
	for {
		row, err := c.Read()
		line, _ := c.FieldPos(0)
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fault.Newf(fault.Invalid, "manual.file", "line %d: not as many columns as the header, or an open quote", line)
		case len(out) == rowsMax:
			return nil, fault.Newf(fault.Invalid, "manual.file", "more than %d lines", rowsMax)
		}
		result, ok := read(row, at)
		if !ok {
			return nil, fault.Newf(fault.Invalid, "manual.file", "line %d: no number, or the amount is not one with at most two decimals", line)
		}
		out = append(out, result)
	}
}

// places finds the columns.
func places(header []string) (map[string]int, error) {
	at := map[string]int{}
	for what, names := range columns() {
		for i, cell := range header {
			for _, n := range names {
				if strings.EqualFold(strings.TrimSpace(cell), n) {
					at[what] = i
				}
			}
		}
	}
	for _, what := range []string{"number", "amount", "result"} {
		if _, ok := at[what]; !ok {
			return nil, fault.Newf(fault.Invalid, "manual.file", "line 1: no column %s", strings.Join(columns()[what], " or "))
		}
	}
	return at, nil
}

// read understands one line. A result that is neither success nor failure is not
// known yet.
func read(row []string, at map[string]int) (withdraw.Result, bool) {
	cell := func(what string) string {
		i, ok := at[what]
		if !ok {
			return ""
		}
		return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(row[i]), "'"))
	}
	amount, err := money.ParseYuan(cell("amount"), money.Exact)
	r := withdraw.Result{Number: cell("number"), Amount: amount, Said: withdraw.Unclear}
	switch strings.ToLower(cell("result")) {
	case "成功", "转账成功", "付款成功", "已打款", "success", "paid":
		r.Said = withdraw.Done
	case "失败", "转账失败", "付款失败", "fail", "failed":
		r.Said, r.Reason = withdraw.Dead, reasonOf(cell("reason"))
	}
	return r, err == nil && r.Number != "" && amount > 0
}

// reasonOf finds what people are told for a payer's words. It looks for the few
// that they can do something about.
func reasonOf(words string) string {
	has := func(any ...string) bool {
		for _, s := range any {
			if strings.Contains(strings.ToLower(words), s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("姓名", "name_mismatch"):
		return "payout.name_mismatch"
	case has("账号不存在", "账户不存在", "no_such_account"):
		return "payout.no_such_account"
	case has("限额", "over_limit"):
		return "payout.over_limit"
	default:
		return "payout.refused"
	}
}
