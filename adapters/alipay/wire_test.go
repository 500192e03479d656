package alipay_test

import (
	"context"
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/alipay/alipayfake"
	"fanli/core/withdraw"
)

const (
	transferNode = "alipay_fund_trans_uni_transfer_response"
	queryNode    = "alipay_fund_trans_common_query_response"
)

// says serves one signed answer to one kind of question, and that it knows of
// nothing to any other.
func says(t *testing.T, node string, content map[string]string) string {
	t.Helper()
	raw, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := strings.ReplaceAll(r.PostFormValue("method"), ".", "_") + "_response"
		if asked != node {
			_, _ = w.Write(keys(t).Signed(asked, `{"code":"40004","sub_code":"ORDER_NOT_EXIST"}`))
			return
		}
		_, _ = w.Write(keys(t).Signed(node, string(raw)))
	}))
}

// answers serves a text, whatever it is asked.
func answers(t *testing.T, text string) string {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
}

// Whatever an answer without a right signature says, and whatever it is made of,
// it decides nothing and breaks nothing.
func TestWhatIsNotSignedDecidesNothing(t *testing.T) {
	t.Parallel()
	dead := `{"code":"40004","sub_code":"PAYEE_NOT_EXIST","sub_msg":"no"}`
	paid := `{"code":"10000","out_biz_no":"FW7","status":"SUCCESS"}`
	right := string(keys(t).Signed(transferNode, dead))
	texts := map[string]string{
		"a refusal":              `{"` + transferNode + `":` + dead + `}`,
		"a payment":              `{"` + transferNode + `":` + paid + `}`,
		"an empty signature":     `{"` + transferNode + `":` + paid + `,"sign":""}`,
		"a null signature":       `{"` + transferNode + `":` + paid + `,"sign":null}`,
		"a number for signature": `{"` + transferNode + `":` + paid + `,"sign":1}`,
		"a quote for signature":  `{"` + transferNode + `":` + paid + `,"sign":"\""}`,
		"an error":               `{"error_response":` + dead + `}`,
		"a null error":           `{"error_response":null}`,
		"a null":                 `{"` + transferNode + `":null}`,
		"a list":                 `{"` + transferNode + `":[]}`,
		"a text":                 `{"` + transferNode + `":"AAAA"}`,
		"a long text":            `{"` + transferNode + `":"` + strings.Repeat("A", 64) + `"}`,
		"an empty text":          `{"` + transferNode + `":""}`,
		"another node":           string(keys(t).Signed(queryNode, dead)),
		"a changed node":         strings.Replace(right, "PAYEE_NOT_EXIST", "PAYEE_ACC_OCUPIED", 1),
		"a moved blank":          strings.Replace(right, `"code":`, `"code": `, 1),
		"two nodes":              strings.TrimSuffix(right, "}") + `,"` + transferNode + `":` + paid + `}`,
		"a page":                 `<html>502</html>`,
		"nothing":                ``,
		"null":                   `null`,
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, answers(t, text))
			if o, err := c.Send(t.Context(), payment); err == nil {
				t.Errorf("Send = %+v, want an error", o)
			} else if strings.Contains(err.Error(), "PAYEE") {
				t.Errorf("the error repeats what a stranger wrote: %v", err)
			}
		})
	}
	t.Run("but what is signed does", func(t *testing.T) {
		t.Parallel()
		c := client(t, says(t, transferNode, map[string]string{"code": "40004", "sub_code": "PAYEE_NOT_EXIST"}))
		if o, err := c.Send(t.Context(), payment); err != nil || o.Verdict != withdraw.Dead {
			t.Errorf("Send = %+v, %v; want dead", o, err)
		}
	})
	t.Run("and what is wrong with us is told", func(t *testing.T) {
		t.Parallel()
		c := client(t, answers(t, `{"`+transferNode+`":{"code":"40002","sub_code":"isv.missing-app-cert-sn"}}`))
		if _, err := c.Send(t.Context(), payment); err == nil || !strings.Contains(err.Error(), "isv.missing-app-cert-sn") {
			t.Errorf("Send: %v", err)
		}
	})
	t.Run("a signed null is nothing", func(t *testing.T) {
		t.Parallel()
		c := client(t, answers(t, string(keys(t).Signed(transferNode, "null"))))
		if o, err := c.Send(t.Context(), payment); err == nil && o.Verdict != withdraw.Unclear {
			t.Errorf("Send = %+v, want unclear", o)
		}
	})
}

// A certificate that we do not know is neither trusted nor asked for.
func TestUnknownCertificateIsNeverFetched(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	fake.Fail(alipayfake.Foreign)
	for name, call := range calls(c) {
		if o, err := call(t.Context()); err == nil {
			t.Errorf("%s = %+v, want an error", name, o)
		}
	}
	if slices.Contains(fake.Calls(), "alipay.open.app.alipaycert.download") {
		t.Error("the stranger's certificate was asked for")
	}
	if len(fake.Calls()) != 2 {
		t.Errorf("calls: %v", fake.Calls())
	}
}

func calls(c *alipay.Client) map[string]func(context.Context) (withdraw.Outcome, error) {
	return map[string]func(context.Context) (withdraw.Outcome, error){
		"Send":  func(ctx context.Context) (withdraw.Outcome, error) { return c.Send(ctx, payment) },
		"Query": func(ctx context.Context) (withdraw.Outcome, error) { return c.Query(ctx, payment.Number) },
	}
}

// A call without a deadline ends by the client's own timeout.
func TestTimeout(t *testing.T) {
	t.Parallel()
	c, fake := open(t, func(c *alipay.Config) { c.Timeout = 50 * time.Millisecond })
	fake.Fail(alipayfake.Stall)
	for name, call := range calls(c) {
		if _, err := call(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer without an end is not read to it.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	var written int
	done := make(chan struct{})
	c := client(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for written < 1<<30 {
			n, err := w.Write(chunk)
			if written += n; err != nil {
				return
			}
		}
	})))
	if o, err := c.Send(t.Context(), payment); err == nil {
		t.Errorf("Send = %+v", o)
	}
	<-done
	if written >= 1<<30 {
		t.Errorf("%d bytes were taken", written)
	}
}

// A signed request is not carried elsewhere.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := make(chan string, 1)
	other := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere <- r.URL.Path }))
	c := client(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other, http.StatusTemporaryRedirect)
	})))
	if _, err := c.Send(t.Context(), payment); err == nil {
		t.Error("a redirect is taken for an answer")
	}
	select {
	case path := <-elsewhere:
		t.Errorf("the request went to %s", path)
	default:
	}
}

// A request is exactly this text under exactly this signature: written out and
// checked here with nothing but the standard library.
func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	got := make(chan url.Values, 1)
	c := client(t, serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(b))
		got <- form
	})))
	_, _ = c.Send(t.Context(), payment)
	form := <-got
	serial := func(number string, name string) string {
		sum := md5.Sum([]byte("CN=" + name + ",O=fanli sandbox,C=CN" + number))
		return hex.EncodeToString(sum[:])
	}
	const content = `{"biz_scene":"DIRECT_TRANSFER","order_title":"返利提现","out_biz_no":"FW7","payee_info":{"identity":"13800138000","identity_type":"ALIPAY_LOGON_ID","name":"张三"},` +
		`"product_code":"TRANS_ACCOUNT_NO_PWD","remark":"返利提现 FW7","trans_amount":"12.34"}`
	want := "alipay_root_cert_sn=" + serial("2088001", "root") + "&app_cert_sn=" + serial("2088002", "root") + "&app_id=2021000000000001" +
		"&biz_content=" + content + "&charset=utf-8&format=JSON&method=alipay.fund.trans.uni.transfer&sign_type=RSA2&timestamp=2026-11-22 20:00:00&version=1.0"
	signature, err := base64.StdEncoding.DecodeString(form.Get("sign"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(keys(t).Client(app, "").AppCert))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(want))
	if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature); err != nil {
		t.Errorf("the signature is not that of\n%s\n%v", want, err)
	}
	form.Del("sign")
	if text := alipay.SignedText(form); text != want {
		t.Errorf("sent\n%s\nwant\n%s", text, want)
	}
}

// The gateway lets only requests in that are signed and named as it demands.
func TestGatewayChecksRequests(t *testing.T) {
	t.Parallel()
	other, err := alipayfake.NewKeys(clock())
	if err != nil {
		t.Fatal(err)
	}
	_, fake := open(t)
	gateway := serve(t, fake)
	tests := map[string]struct {
		with func(*alipay.Config)
		now  func() time.Time
	}{
		"another application":       {func(c *alipay.Config) { c.AppID = "2021000000000002" }, clock},
		"another key":               {func(c *alipay.Config) { o := other.Client(app, ""); c.PrivateKey, c.AppCert = o.PrivateKey, o.AppCert }, clock},
		"an hour off":               {func(*alipay.Config) {}, func() time.Time { return clock().Add(time.Hour) }},
		"another zone than Beijing": {func(*alipay.Config) {}, func() time.Time { return clock().Add(-8 * time.Hour) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := keys(t).Client(app, gateway)
			tt.with(&cfg)
			c, err := alipay.New(cfg, nil, tt.now)
			if err != nil {
				t.Fatal(err)
			}
			if o, err := c.Send(t.Context(), payment); err == nil && o.Verdict != withdraw.Unclear {
				t.Errorf("Send = %+v", o)
			}
			if left := fake.Transfers(); len(left) != 0 {
				t.Errorf("booked %v", left)
			}
		})
	}
}

// The text was written by hand and its digest made by openssl:
//
//	printf 'a=1&b=x y&c=张' | openssl dgst -sha256
func TestSignedText(t *testing.T) {
	t.Parallel()
	form := url.Values{"c": {"张"}, "a": {"1"}, "b": {"x y"}, "empty": {""}, "sign": {"s"}, "sign_type": {"RSA2"}}
	text := alipay.SignedText(form, "sign", "sign_type")
	if want := "a=1&b=x y&c=张"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	const want = "d6e1897100b99af4e6539fcee30e106a32ae7fd46e4cd74044b8546a2352d984"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
