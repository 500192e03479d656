package wechatpay_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The bill of a day has what has left on it, and nothing that waits.
func TestBill(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{wechatpay.PublicKeyMode, wechatpay.CertificateMode} {
		w := open(t, mode)
		for i := range 3 {
			p := payment()
			p.Number, p.Amount = fmt.Sprintf("F%d", i), money.Fen(1000+i)
			mustSend(t, w, p)
			if i == 2 {
				break
			}
			if err := w.fake.Confirm(p.Number); err != nil {
				t.Fatal(err)
			}
		}
		day := w.clock()
		if lines, err := w.Bill(t.Context(), day); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: on the same day %v, %v", mode, lines, err)
		}
		w.sleep(24 * time.Hour)
		lines, err := w.Bill(t.Context(), day)
		if err != nil || len(lines) != 2 {
			t.Fatalf("%s: %v, %v", mode, lines, err)
		}
		for i, l := range lines {
			b, _ := w.fake.Bill(l.Number)
			if l.Number != fmt.Sprintf("F%d", i) || l.Amount != money.Fen(1000+i) || !l.Paid || l.Receipt != b.BillNo || !l.At.Equal(day) {
				t.Errorf("%s: line %d is %+v", mode, i, l)
			}
		}
		if lines, err := w.Bill(t.Context(), day.AddDate(0, 0, -1)); err != nil || len(lines) != 0 {
			t.Errorf("%s: of a day without payments %v, %v", mode, lines, err)
		}
	}
}

const head = "\ufeff记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n"
const sum = "资金流水总笔数,收入笔数\r\n`1,`0\r\n"

// Columns are found by name; what is no transfer is left out; what is not as we
// know it is said and not guessed.
func TestFlow(t *testing.T) {
	t.Parallel()
	const paid = "`2026-11-22 20:00:00,`B1,`1,`商家转账,`转账,`支出,`12.34,`1.00,`x,`y,`F7\r\n"
	line := withdraw.BillLine{Number: "F7", Receipt: "B1", Amount: 1234, Paid: true, At: clock()}
	back := line
	back.Paid = false
	tests := []struct {
		name, text string
		want       []withdraw.BillLine
		wrong      bool
	}{
		{"one payment", head + paid + sum, []withdraw.BillLine{line}, false},
		{"one that came back", head + strings.ReplaceAll(paid, "支出", "收入") + sum, []withdraw.BillLine{back}, false},
		{"columns in another order", "业务凭证号,收支金额(元),收支类型,业务类型,业务名称,微信支付业务单号,记账时间\r\n`F7,`12.34,`支出,`转账,`商家转账,`B1,`2026-11-22 20:00:00\r\n" + sum, []withdraw.BillLine{line}, false},
		{"a sale", head + strings.ReplaceAll(paid, "转账", "交易") + sum, nil, false},
		{"a fee", head + strings.ReplaceAll(paid, "`F7", "`") + sum, nil, false},
		{"half a bill", head + paid, nil, true},
		{"another format", "a,b\r\n`1,`2\r\n" + sum, nil, true},
		{"a short row", head + "`2026-11-22 20:00:00,`B1\r\n" + sum, nil, true},
		{"an odd amount", head + strings.ReplaceAll(paid, "12.34", "12.345") + sum, nil, true},
		{"an odd time", head + strings.ReplaceAll(paid, "20:00:00", "8pm") + sum, nil, true},
		{"an odd way", head + strings.ReplaceAll(paid, "支出", "其他") + sum, nil, true},
		{"nothing", "", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wechatpay.Flow(tt.text)
			if (err != nil) != tt.wrong || len(got) != len(tt.want) {
				t.Fatalf("got %+v, %v", got, err)
			}
			for i := range got {
				at := got[i].At
				got[i].At = tt.want[i].At
				if got[i] != tt.want[i] || !at.Equal(tt.want[i].At) {
					t.Errorf("got %+v at %v, want %+v", got[i], at, tt.want[i])
				}
			}
		})
	}
}

// The file is not signed; its hash was. Nobody else may put a bill in its place,
// and we sign nothing for another host.
func TestBillOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, host := range map[string]string{"another file": "", "another host": "https://bills.example.com"} {
		w := open(t, wechatpay.PublicKeyMode)
		mustSend(t, w, payment())
		if err := w.fake.Confirm("F7"); err != nil {
			t.Fatal(err)
		}
		day := w.clock()
		w.sleep(24 * time.Hour)
		srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v3/billdownload") && host != "" {
				t.Error("downloaded all the same")
			}
			rec := httptest.NewRecorder()
			w.fake.ServeHTTP(rec, r)
			body := rec.Body.String()
			if strings.HasPrefix(r.URL.Path, "/v3/billdownload") {
				body = strings.ReplaceAll(body, "12.34", "99.99")
			} else if host != "" {
				body = strings.ReplaceAll(body, "http://"+r.Host, host)
				w.fake.Sign(rec.Header(), []byte(body)) // a genuine answer
			}
			for k, v := range rec.Header() {
				rw.Header()[k] = v
			}
			_, _ = rw.Write([]byte(body))
		}))
		t.Cleanup(srv.Close)
		cfg := w.cfg
		cfg.Endpoint = srv.URL
		client, err := wechatpay.New(cfg, nil, w.clock)
		if err != nil {
			t.Fatal(err)
		}
		if lines, err := client.Bill(t.Context(), day); err == nil {
			t.Errorf("%s: %v", name, lines)
		}
	}
}
