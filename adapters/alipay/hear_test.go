package alipay_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/alipay/alipayfake"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// hear gives a form to a client.
func hear(t *testing.T, c withdraw.Hearer, form string) (string, error) {
	t.Helper()
	return c.Hear(t.Context(), withdraw.Callback{Header: http.Header{}, Body: []byte(form)})
}

// Only a fresh message that Alipay signed for our application about a transfer
// tells a number.
func TestHear(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	// with changes a true message; resigned, it is Alipay's own.
	with := func(resign bool, change func(f url.Values)) string {
		form, err := url.ParseQuery(fake.Message(payment.Number, false))
		if err != nil {
			t.Fatal(err)
		}
		if change(form); resign {
			fake.Sign(form)
		}
		return form.Encode()
	}
	at := func(d time.Duration) func(url.Values) {
		return func(f url.Values) { f.Set("utc_timestamp", strconv.FormatInt(clock().Add(d).UnixMilli(), 10)) }
	}
	set := func(name, value string) func(url.Values) { return func(f url.Values) { f.Set(name, value) } }
	content := func(old, new string) func(url.Values) {
		return func(f url.Values) { f.Set("biz_content", strings.Replace(f.Get("biz_content"), old, new, 1)) }
	}
	tests := []struct {
		name string
		form string
		want fault.Code
	}{
		{"as it comes", with(false, func(url.Values) {}), ""},
		{"with a field that is new", with(true, set("new", "1")), ""},
		{"with content that is new", with(true, content("{", `{"new":{"a":[1]},`)), ""},
		{"with our certificate, not signed", with(true, func(url.Values) {}) + "&alipay_cert_sn=" + keys(t).Serial(), ""},
		{"with our certificate, signed", with(true, set("alipay_cert_sn", keys(t).Serial())), ""},
		{"a day late", with(true, at(-25*time.Hour)), ""},
		{"a minute early", with(true, at(time.Minute)), ""},

		{"a week late", with(true, at(-7*24*time.Hour)), fault.Denied},
		{"an hour early", with(true, at(time.Hour)), fault.Denied},
		{"without a time", with(true, func(f url.Values) { f.Del("utc_timestamp") }), fault.Denied},
		{"with another certificate", with(true, set("alipay_cert_sn", "00112233445566778899aabbccddeeff")), fault.Denied},
		{"for another application", with(true, set("app_id", "2021000000000002")), fault.Denied},
		{"without an application", with(true, func(f url.Values) { f.Del("app_id") }), fault.Denied},
		{"in another charset", with(true, set("charset", "GBK")), fault.Denied},
		{"with another kind of signature", with(false, set("sign_type", "RSA")), fault.Denied},
		{"without a signature", with(false, func(f url.Values) { f.Del("sign") }), fault.Denied},
		{"with half a signature", with(false, func(f url.Values) { f.Set("sign", f.Get("sign")[:8]) }), fault.Denied},
		{"with a signature that is no base64", with(false, set("sign", "%%%")), fault.Denied},
		{"with another number", with(false, content("FW7", "FW8")), fault.Denied},
		{"with another state", with(false, content("SUCCESS", "FAIL")), fault.Denied},
		{"with a field more", with(false, set("new", "1")), fault.Denied},
		{"with a field less", with(false, func(f url.Values) { f.Del("notify_id") }), fault.Denied},
		{"with a field twice", with(true, func(url.Values) {}) + "&biz_content=%7B%7D", fault.Denied},
		{"no form", "%zz", fault.Denied},
		{"nothing", "", fault.Denied},
		{"very long", with(true, set("new", strings.Repeat("x", 1<<16))), fault.Denied},

		{"about something else", with(true, set("msg_method", "alipay.open.auth.appauth.cancelled")), fault.Invalid},
		{"about another product", with(true, content("TRANS_ACCOUNT_NO_PWD", "STD_RED_PACKET")), fault.Invalid},
		{"about another scene", with(true, content("DIRECT_TRANSFER", "PERSONAL_PAY")), fault.Invalid},
		{"about a number that is not ours", with(true, content("FW7", "FW-7")), fault.Invalid},
		{"without a number", with(true, content("out_biz_no", "x")), fault.Invalid},
		{"with a number that is one", with(true, content(`"FW7"`, "7")), fault.Invalid},
		{"with more behind it", with(true, content("}", "}{}")), fault.Invalid},
		{"with a list", with(true, set("biz_content", "[]")), fault.Invalid},
		{"with a null", with(true, set("biz_content", "null")), fault.Invalid},
		{"with half an object", with(true, set("biz_content", "{")), fault.Invalid},
		{"without content", with(true, func(f url.Values) { f.Del("biz_content") }), fault.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			number, err := hear(t, c, tt.form)
			if fault.CodeOf(err) != tt.want || (tt.want == "") != (number == payment.Number) {
				t.Errorf("Hear = %q, %v; want %q", number, err, tt.want)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	if status, _, body := c.Answer(nil); status != 200 || body != "success" {
		t.Errorf("%d %q", status, body)
	}
	if status, _, body := c.Answer(fault.New(fault.Unavailable, "")); status != 200 || body != "fail" {
		t.Errorf("%d %q", status, body)
	}
}

// Whenever, how often and whatever Alipay tells: the number is right, and the
// query that follows says what is true.
func TestMessagesAreHints(t *testing.T) {
	t.Parallel()
	tests := []struct {
		way   string
		times int
	}{
		{"", 1}, {alipayfake.ToldFirst, 1}, {alipayfake.ToldTwice, 2}, {alipayfake.ToldWrong, 1},
	}
	for _, tt := range tests {
		t.Run("told "+tt.way, func(t *testing.T) {
			t.Parallel()
			c, fake := open(t)
			fake.Fail(tt.way)
			var mu sync.Mutex
			var told []withdraw.Verdict
			heard := make(chan struct{}, 8)
			answered := false
			fake.OnMessage(func(form string) {
				mu.Lock()
				defer mu.Unlock()
				if tt.way == alipayfake.ToldFirst && answered {
					t.Error("the message came after the answer")
				}
				number, err := hear(t, c, form)
				if err != nil || number != payment.Number {
					t.Errorf("Hear = %q, %v", number, err)
				}
				o, err := c.Query(t.Context(), number)
				if err != nil {
					t.Error(err)
				}
				told = append(told, o.Verdict)
				heard <- struct{}{}
			})
			if o, err := c.Send(t.Context(), payment); err != nil || o.Verdict != withdraw.Done {
				t.Fatalf("Send = %+v, %v", o, err)
			}
			mu.Lock()
			answered = true
			mu.Unlock()
			for range tt.times {
				<-heard
			}
			for _, v := range told {
				if v != withdraw.Done {
					t.Errorf("told %v", told)
				}
			}
			if left := fake.Paid(payment.Number); len(left) != 1 {
				t.Errorf("%v left", left)
			}
		})
	}
}
