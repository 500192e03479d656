package alipayfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"fanli/adapters/alipay"
	"fanli/core/money"
)

// What every transfer has.
const (
	productCode = "TRANS_ACCOUNT_NO_PWD"
	bizScene    = "DIRECT_TRANSFER"
	amountMin   = money.Fen(10)
)

// transfer answers alipay.fund.trans.uni.transfer.
func (f *Fake) transfer(content string) (a answer, ended string) {
	var q struct {
		Number  string `json:"out_biz_no"`
		Amount  string `json:"trans_amount"`
		Product string `json:"product_code"`
		Scene   string `json:"biz_scene"`
		Title   string `json:"order_title"`
		Remark  string `json:"remark"`
		Payee   struct {
			Identity string `json:"identity"`
			Kind     string `json:"identity_type"`
			Name     string `json:"name"`
		} `json:"payee_info"`
	}
	err := json.Unmarshal([]byte(content), &q)
	amount, amountErr := money.ParseYuan(q.Amount, money.Exact)
	switch {
	case err != nil || amountErr != nil || q.Number == "" || len(q.Number) > 64 || q.Product != productCode || q.Scene != bizScene,
		q.Payee.Identity == "", utf8.RuneCountInString(q.Title) > 128, utf8.RuneCountInString(q.Remark) > 200,
		q.Payee.Kind == "ALIPAY_LOGON_ID" && q.Payee.Name == "":
		return refused("40004", "INVALID_PARAMETER"), ""
	case amount < amountMin:
		return refused("40004", "EXCEED_LIMIT_SM_MIN_AMOUNT"), ""
	}
	t, code := f.take(Transfer{
		Number: q.Number, Amount: amount, Kind: q.Payee.Kind, Identity: q.Payee.Identity, Name: q.Payee.Name, Title: q.Title, Remark: q.Remark,
	})
	if code != "" {
		return refused("40004", code), ""
	}
	if t.State != Dealing {
		ended = t.Number
	}
	return f.puzzle(t, said(t)), ended
}

// puzzle says once for each number that something went wrong, where it is told
// to.
func (f *Fake) puzzle(t Transfer, a answer) answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.book.Way == SystemError && f.first(t.Number):
		return refused("40004", "SYSTEM_ERROR")
	case f.book.Way == Broken && f.first(t.Number):
		return refused("20000", "isp.unknow-error")
	}
	return a
}

// said is a transfer in an answer to the request for it.
func said(t Transfer) answer {
	switch t.State {
	case Failed:
		return refused("40004", t.Error)
	default:
		return succeeded(answer{"out_biz_no": t.Number, "order_id": t.Order, "pay_fund_order_id": t.Order, "status": t.State, "trans_date": t.At.In(beijing).Format(timeForm)})
	}
}

// query answers alipay.fund.trans.common.query.
func (f *Fake) query(content string) answer {
	var q struct {
		Number  string `json:"out_biz_no"`
		Product string `json:"product_code"`
		Scene   string `json:"biz_scene"`
	}
	if err := json.Unmarshal([]byte(content), &q); err != nil || q.Number == "" || q.Product != productCode || q.Scene != bizScene {
		return refused("40004", "INVALID_PARAMETER")
	}
	t, ok := f.look(q.Number)
	if !ok {
		return refused("40004", "ORDER_NOT_EXIST")
	}
	return succeeded(known(t))
}

// known is a transfer in an answer to a query, and in a message.
func known(t Transfer) answer {
	a := answer{"out_biz_no": t.Number, "order_id": t.Order, "pay_fund_order_id": t.Order, "status": t.State, "trans_amount": t.Amount.String()}
	switch t.State {
	case Failed:
		a["error_code"], a["fail_reason"] = t.Error, "收款账号不存在"
	case Success, Refund:
		a["pay_date"] = t.Decided.In(beijing).Format(timeForm)
	}
	return a
}

// tell posts the message about a transfer that has ended, as often and as truly
// as it is told to.
func (f *Fake) tell(number string) {
	f.mu.Lock()
	hear, way := f.told, f.book.Way
	f.mu.Unlock()
	if hear == nil {
		return
	}
	form := f.Message(number, way == ToldWrong)
	if form == "" {
		return
	}
	hear(form)
	if way == ToldTwice {
		hear(form)
	}
}

// Message returns the form that Alipay posts about a transfer that has ended, or
// the opposite of it; "" for any other number.
func (f *Fake) Message(number string, wrong bool) string {
	f.mu.Lock()
	t := f.find(number)
	if t == nil || t.State == Dealing {
		f.mu.Unlock()
		return ""
	}
	said := *t
	f.mu.Unlock()
	if wrong {
		if said.State == Failed {
			said.State = Success
		} else {
			said.State, said.Error = Failed, "PAYEE_NOT_EXIST"
		}
	}
	content := known(said)
	content["action_type"], content["product_code"], content["biz_scene"] = "FINISH", productCode, bizScene
	return f.Sign(url.Values{
		"notify_id": {number + "-1"}, "utc_timestamp": {strconv.FormatInt(f.time().UnixMilli(), 10)},
		"msg_method": {"alipay.fund.trans.order.changed"}, "app_id": {f.cfg.App}, "version": {"1.1"}, "msg_type": {"sys"},
		"charset": {"UTF-8"}, "biz_content": {string(mustJSON(content))},
	}).Encode()
}

// Sign signs a form as Alipay signs what it posts: without sign and sign_type.
func (f *Fake) Sign(form url.Values) url.Values {
	form.Set("sign_type", "RSA2")
	form.Set("sign", sign(f.cfg.Keys.gateway, []byte(alipay.SignedText(form, "sign", "sign_type"))))
	return form
}

// log answers alipay.data.bill.accountlog.query: what went out, what came back,
// what people have paid and got back, and a fee for each, which is none of these.
func (f *Fake) log(content string) answer {
	var q struct {
		From string `json:"start_time"`
		To   string `json:"end_time"`
		Page string `json:"page_no"`
		Size string `json:"page_size"`
	}
	err := json.Unmarshal([]byte(content), &q)
	from, fromErr := time.ParseInLocation(timeForm, q.From, beijing)
	to, toErr := time.ParseInLocation(timeForm, q.To, beijing)
	page, pageErr := strconv.Atoi(q.Page)
	size, sizeErr := strconv.Atoi(q.Size)
	if err != nil || fromErr != nil || toErr != nil || pageErr != nil || sizeErr != nil || page < 1 || size < 1000 || size > 2000 {
		return refused("40004", "INVALID_PARAMETER")
	}
	if f.cfg.PageMax > 0 {
		size = min(size, f.cfg.PageMax)
	}
	rows := f.logRows(from, to)
	first := min((page-1)*size, len(rows))
	return succeeded(answer{
		"page_no": q.Page, "page_size": q.Size, "total_size": strconv.Itoa(len(rows)), "detail_list": rows[first:min(first+size, len(rows))],
	})
}

func (f *Fake) logRows(from, to time.Time) []answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows := []answer{}
	add := func(at time.Time, number, order, kind string, amount money.Fen) {
		if at.Before(from) || !at.Before(to) {
			return
		}
		direction := "收入"
		if amount < 0 {
			direction = "支出"
		}
		rows = append(rows, answer{
			"trans_dt": at.In(beijing).Format(timeForm), "account_log_id": fmt.Sprint(len(rows) + 1), "alipay_order_no": order,
			"merchant_order_no": number, "trans_amount": amount.String(), "type": kind, "direction": direction, "other_account": "张*(138****0000)",
		})
	}
	for _, t := range f.book.Transfers {
		if t.State == Success || t.State == Refund {
			add(t.Decided, t.Number, t.Order, "转账", -t.Amount)
			add(t.Decided, t.Number, t.Order, "收费", -1)
		}
		if t.State == Refund {
			add(t.Returned, t.Number, t.Order, "转账", t.Amount)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(f.book.Trades)) {
		t := f.book.Trades[n]
		if !t.Came.IsZero() {
			add(t.Came, t.Number, t.Trade, "交易", t.Amount)
			add(t.Came, t.Number, t.Trade, "收费", -1)
		}
		for _, r := range slices.Sorted(maps.Keys(t.Refunds)) {
			add(t.Went[r], t.Number, t.Trade, "交易退款", -t.Refunds[r])
		}
	}
	return rows
}
