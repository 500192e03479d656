package billfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"fanli/adapters/billfile"
	"fanli/core/fault"
	"fanli/core/reconcile"
)

func zone() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func format(t *testing.T, name string) billfile.Format {
	t.Helper()
	fs, err := billfile.Formats()
	if err != nil {
		t.Fatal(err)
	}
	f, ok := fs[name]
	if !ok {
		t.Fatalf("there is no format %q", name)
	}
	return f
}

// say writes a row as a test expects it.
func say(r reconcile.Row) string {
	if r.Bad != "" {
		return fmt.Sprintf("%d bad: %s", r.Number, r.Bad)
	}
	out := fmt.Sprintf("%d %s %s", r.Number, r.Key, r.Sum)
	if r.HasPrice {
		out += " price " + r.Price.String()
	}
	if r.HasRefund {
		out += " refund " + r.Refund.String()
	}
	if r.HasFee {
		out += " fee " + r.Fee.String()
	}
	if r.State != "" {
		out += " " + r.State
	}
	if !r.At.IsZero() {
		out += " " + r.At.Format(time.DateTime)
	}
	return out
}

func gbk(t *testing.T, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func utf16(t *testing.T, s string) string {
	t.Helper()
	out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFiles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70_000)
	tests := map[string]struct{ format, text, want string }{
		"plain": {"any", "line,commission\na,1.20\nb,-0.05\n", "2 a 1.20; 3 b -0.05"},
		"byte order mark, semicolons, other order": {"any", "\ufeffTime;Commission;Line\r\n2026-10-03 08:00:00;1;a\r\n", "2 a 1.00 2026-10-03 08:00:00"},
		"tabs, no last newline":                    {"any", "line\tcommission\na\t1", "2 a 1.00"},
		"quotes":                                   {"any", "line,title,commission\na,\"x, \"\"y\"\"\",1\n", "2 a 1.00"},
		"a cell over two lines":                    {"any", "line,title,commission\na,\"x\ny\",1\nb,z,2\n", "2 a 1.00; 4 b 2.00"},
		"a quote that is never closed":             {"any", "line,title,commission\na,\"x,1\nb,y,2\nc,z,3\nd,z,4\ne,z,5\nf,z,6\n", "2 bad: extraneous or missing \" in quoted-field; 3 b 2.00; 4 c 3.00; 5 d 4.00; 6 e 5.00; 7 f 6.00"},
		"too few and too many cells":               {"any", "line,commission\na\nb,1,2\nc,1,\n", "2 bad: 1 cells under a header of 2; 3 bad: 3 cells under a header of 2; 4 c 1.00"},
		"amounts that are none":                    {"any", "line,commission\na,1.234\nb,1e2\nc,\nd,NaN\ne,--\nf,1.230\n", `2 bad: the sum "1.234" is no amount; 3 bad: the sum "1e2" is no amount; 4 bad: the sum "" is no amount; 5 bad: the sum "NaN" is no amount; 6 bad: the sum "" is no amount; 7 f 1.23`},
		"no key, odd state, odd time":              {"any", "line,commission,state,time\n,1,,\na,1,lost,\nb,1,,yesterday\nc,1,settled,2026/1/2\n", `2 bad: no key; 3 bad: the state "lost" is not known; 4 bad: the time "yesterday" is not known; 5 c 1.00 settled 2026-01-02 00:00:00`},
		"a row without end":                        {"any", "line,commission\na," + long + "\nb,1\n", "2 bad: longer than 65536 bytes; 3 b 1.00"},
		"blank lines and remarks":                  {"any", "# a bill\n\nline,commission\n\na,1\n#end\n", "5 a 1.00"},
		"what spreadsheets get":                    {"any", "line,commission\n=\"0012\",'1.00\n\t0013\t,`2\n", "2 0012 1.00; 3 0013 2.00"},
		"taobao in GBK, with the fee taken off":    {"taobao", gbk(t, "淘宝子订单号,商品,结算金额,结算收入,技术服务费,订单状态,结算时间\n41,保温杯,80.00,8.80,0.88,已结算,2026-10-20 10:00:00\n"), "2 41 7.92 price 80.00 settled 2026-10-20 10:00:00"},
		"taobao in UTF-16": {"taobao", utf16(t, "淘宝子订单号,付款金额,结算金额,技术服务费,付款预估收入,结算预估收入,订单状态,结算时间\n41,90.00,80.00,0.88,9.90,8.80,已结算,2026/10/20 10:00:00\n42,90.00,--,--,9.90,0.00,已付款,--\n"),
			"2 41 7.92 price 80.00 settled 2026-10-20 10:00:00; 3 42 0.00 paid"},
		"taobao by the API's names": {"taobao", "trade_id,pay_price,pub_share_fee,alimama_share_fee,tk_status,tk_earning_time\n41,80.00,8.80,0.80,3,2026-10-20 10:00:00\n", "2 41 8.00 price 80.00 settled 2026-10-20 10:00:00"},
		"jd":                        {"jd", "id,actualFee,actualCosPrice,validCode,payMonth\n7,3.10,99.00,17,20261020\n8,3.10,99.00,17,0\n", "2 7 3.10 price 99.00 settled 2026-10-20 00:00:00; 3 8 3.10 price 99.00 settled"},
		"pdd in fen and seconds":    {"pdd", "order_sn,promotion_amount,order_amount,order_status,order_settle_time\n2601-1,298,1490,5,1792468800\n2601-2,2.98,1490,5,0\n", `2 2601-1 2.98 price 14.90 settled 2026-10-20 12:00:00; 3 bad: the sum "2.98" is no whole number of fen`},
		"alipay":                    {"alipay", gbk(t, "#支付宝账务明细\n商户订单号,支出（-元）,状态,发生时间\nF1\t,-20.00,成功,2026-10-03 09:00:00\nF2\t,-5.00,退票,2026-10-03 09:00:00\n#合计\n"), "3 F1 20.00 paid 2026-10-03 09:00:00; 4 F2 0.00 failed 2026-10-03 09:00:00"},
		"wechatpay":                 {"wechatpay", "`商家单号,`转账金额,`状态,`完成时间\n`F1,`20.00,`转账成功,`2026-10-03 09:00:00\n总笔数,总金额\n`1,`20.00\n", "2 F1 20.00 paid 2026-10-03 09:00:00"},
		"all that an alipay account has moved": {"alipay", gbk(t, "#支付宝账务明细查询\n#账号：[20880000000000000156]\n"+
			"账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\n"+
			"1\t,2\t,FW1\t,返利提现,2026-10-03 09:00:00,a***@example.com,,-20.00,980.00,支付宝,转账,\n"+
			"2\t,3\t,FC1\t,会员,2026-10-03 09:10:00,b***@example.com,9.90,,989.90,支付宝,在线支付,\n"+
			"3\t,4\t,FC1\t,,2026-10-03 09:10:01,,,-0.06,989.84,支付宝,收费,\n"+
			"4\t,5\t,,,2026-10-03 10:00:00,c***@example.com,500.00,0.00,1489.84,支付宝,转账,充值\n"+
			"5\t,6\t,FW1\t,返利提现,2026-10-03 11:00:00,a***@example.com,20.00,0.00,1509.84,支付宝,转账,退回\n"+
			"6\t,7\t,FW2\t,返利提现,2026-10-03 12:00:00,a***@example.com,0.00,20,1489.84,支付宝,转账,\n"+
			"7\t,8\t,FW3\t,返利提现,2026-10-03 12:00:00,a***@example.com,,,1489.84,支付宝,转账,\n"+
			"#-----账务明细列表结束-----\n#支出合计：3笔\n"),
			`4 FW1 20.00 2026-10-03 09:00:00; 8 FW1 0.00 failed 2026-10-03 11:00:00; 9 FW2 20.00 2026-10-03 12:00:00; 10 bad: the sum "" is no amount`},
		"all that a wechatpay account has moved": {"wechatpay", "\ufeff记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n" +
			"`2026-10-03 09:00:00,`133,`F1,`商家转账,`转账,`支出,`20.00,`1000.00,`system,`,`FW1\r\n" +
			"`2026-10-03 09:10:00,`420,`F2,`交易,`交易,`收入,`9.90,`1009.90,`system,`,`FC1\r\n" +
			"`2026-10-03 11:00:00,`133,`F3,`商家转账,`转账,`收入,`20.00,`1029.90,`system,`,`FW1\r\n" +
			"资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`3,`2,`29.90,`1,`20.00\r\n",
			"2 FW1 20.00 paid 2026-10-03 09:00:00; 4 FW1 0.00 failed 2026-10-03 11:00:00"},
		"what people have paid by alipay": {"alipay/trade", gbk(t, "#支付宝业务明细查询\n#起始日期：[2026年10月03日 00:00:00]\n支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号,服务费（元）,备注\n"+
			"2026\t,FC1\t,交易        ,2026-10-03 09:00:00,9.90,9.90,,-0.06,会员\n2027\t,FC1\t,退款,2026-10-03 10:00:00,-9.90,-9.90,FC1R,0.06,\n#-----业务明细列表结束-----\n#交易合计：1笔\n"),
			"4 FC1 9.90 fee 0.06 paid 2026-10-03 09:00:00; 5 FC1R -9.90 fee -0.06 refunded 2026-10-03 10:00:00"},
		"what people have paid by wechatpay": {"wechatpay/trade", "\ufeff交易时间,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款状态,手续费,订单金额,申请退款金额\n" +
			"`2026-10-03 09:00:00,`42,`FC1,`SUCCESS,`9.90,`,`,`0.00,`,`0.06000,`9.90,`0.00\n`2026-10-02 08:00:00,`42,`FC1,`REFUND,`0.00,`503,`FC1R,`9.90,`SUCCESS,`-0.06000,`0.00,`9.90\n" +
			"总交易单数,应结订单总金额,退款总金额\n`2,`9.90,`9.90\n", "2 FC1 9.90 fee 0.06 paid 2026-10-03 09:00:00; 3 FC1R -9.90 fee -0.06 refunded"},
		"a fee that is none": {"wechatpay/trade", "商户订单号,交易状态,手续费,订单金额\nFC1,SUCCESS,9.91,9.90\n", `2 bad: the fee "9.91" is none of 9.90`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := billfile.Open(write(t, tt.text), format(t, tt.format), zone())
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // it can be read again
				var got []string
				for r, err := range f.Rows()() {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, say(r))
				}
				if s := strings.Join(got, "; "); s != tt.want {
					t.Errorf("\n got %s\nwant %s", s, tt.want)
				}
			}
		})
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "no columns": "a,b\n1,2\n", "xlsx": "PK\x03\x04xx", "xls": "\xd0\xcf\x11\xe0", "utf-16": "\xff\xfea\x00", "binary": "line,commission\n\x00",
	} {
		if _, err := billfile.Open(write(t, text), format(t, "any"), zone()); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := billfile.Open("not-there.csv", format(t, "any"), zone()); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestReadFormat(t *testing.T) {
	t.Parallel()
	f, err := billfile.ReadFormat([]byte("key: [号]\nsum: [钱]\nstates: {好: settled}\nstate: [态]\n"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := billfile.Open(write(t, "号,钱,态\na,1,好\n"), f, zone())
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range file.Rows()() {
		if err != nil || say(r) != "2 a 1.00 settled" {
			t.Errorf("%s, %v", say(r), err)
		}
	}
	for _, bad := range []string{"", "key: [a]", "key: [a]\nsum: [b]\ncolour: red", "- x"} {
		if _, err := billfile.ReadFormat([]byte(bad)); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzRows: whatever a file holds, every row is read or comes back as unreadable,
// and nothing panics.
func FuzzRows(f *testing.F) {
	f.Add("line,commission\na,1\n")
	f.Add("line;commission\n\"a;1\n\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := billfile.Open(write(t, text), format(t, "any"), zone())
		if err != nil {
			return
		}
		for r, err := range file.Rows()() {
			if err != nil {
				t.Fatal(err)
			}
			if r.Number < 1 || r.Bad == "" && r.Key == "" {
				t.Errorf("row %+v", r)
			}
		}
	})
}
