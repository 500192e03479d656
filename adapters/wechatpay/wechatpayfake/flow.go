package wechatpayfake

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// pathFile is where a bill is downloaded.
const pathFile = "/v3/billdownload/file"

// flowOf answers where the fund flow bill of a day is.
func (f *Fake) flowOf(r *http.Request) (int, any) {
	day := r.URL.Query().Get("bill_date")
	if _, err := time.Parse(time.DateOnly, day); err != nil || r.URL.Query().Get("account_type") == "" {
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "参数错误"}
	}
	text := f.flow(day)
	if len(text) == 0 {
		return http.StatusBadRequest, refusal{"NO_STATEMENT_EXIST", "账单文件不存在"}
	}
	sum := sha1.Sum(text)
	prefix, _, _ := strings.Cut(r.RequestURI, "/v3/")
	return http.StatusOK, map[string]string{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]),
		"download_url": "http://" + r.Host + prefix + pathFile + "?token=" + day,
	}
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
