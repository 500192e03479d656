package wechatpay_test

import (
	_ "embed"
	"net/http"
	"strings"
	"testing"

	"fanli/adapters/wechatpay"
)

//go:embed testdata/vector_key.pem
var vectorKey string

// The signatures were computed by another hand:
//
//	printf 'GET\n/v3/…/out-bill-no/F7?a=b\n1554208460\n593B…\n\n' | openssl dgst -sha256 -sign vector_key.pem | base64 -w0
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	cfg := config(wechatpay.PublicKeyMode)
	cfg.Key = vectorKey
	c, err := wechatpay.New(cfg, nil, clock)
	if err != nil {
		t.Fatal(err)
	}
	const at, nonce, bills = "1554208460", "593BEC0C930BF1AFEB40B4A08C8FB242", "/v3/fund-app/mch-transfer/transfer-bills"
	tests := []struct{ name, method, uri, body, want string }{
		{"a query, without a body", http.MethodGet, bills + "/out-bill-no/F7?a=b", "",
			"L/scKH+r792vM/fJf0U0nupzeWUys6YmKzyGWrU7lyTlttVv61QSJmV4ujcS5sPztf+sJGmMXRm4lu13XvkNRgBFW2ig3FjOOvCeBF413w/QWcn0mLgPCcB3NMNCf/lvqDyuyN5I5SlqXK0rUKq0jf+eLnnkGaSUAJcmbxD8PuS4DwUzNb69ZEvhM40E6jMGeQOs3XazUsJr1riVa/zeQpTNK6gOtaSykRgFD6v1Y/oGoQUtW71XDYcAerLMvcmlxOLmyk9gFOSTcB0A8jSdI/GVCOU13u4xVw2rrVlyilXx99YR+raqI35FByO3WYL8UYs8rUQnjfbs9lhDiclFZw=="},
		{"a creation, in Chinese", http.MethodPost, bills, `{"openid":"张三"}`,
			"VEWsccktH/wu97HLyKjMtUvy2NjNn3/+aAb6/C54BvDgpLovvMjvxt15idq/vlI9rGzgkYlruvgcyyONJCvQT+K1aT74Gh45c+1VbViAwDHpAQ+xvtVzfzHJw7IenHRRzTsfHSPFnTLZ6iAMoXndWMJo7i9/JJ1W3N4APqaAJ2ruNQROOsuvbCvj6aEJXTy08NRoEvfINSwkVpLn8FF8+RoZdu0VrWbzOgoIjtBNoBPAa7uM/vlinCDH4Uf03uhL2FKOu714sl71GZPx/FPOoxKxEvsJiukkVJvoj3OOY2/CQkiKwVPgEg78XOUieYPapf/e6eduzD6LuUzqazTIWA=="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Authorization(t.Context(), tt.method, tt.uri, at, nonce, tt.body)
			want := `WECHATPAY2-SHA256-RSA2048 mchid="` + mchid + `",nonce_str="` + nonce + `",timestamp="` + at + `",serial_no="` + serial + `",signature="` + tt.want + `"`
			if err != nil || got != want {
				t.Errorf("got %s, %v\nwant %s", got, err, want)
			}
		})
	}
}

// The ciphertext was made with Python's cryptography.
func TestDecryptionVector(t *testing.T) {
	t.Parallel()
	const nonce, associated, text = "nonce1234567", "mch_payment", "k65Syl78gJHSmzek0qyTknb/lOP0Pb7kjh7aRucPW7PLwv2T"
	got, err := wechatpay.Open(apiv3Key, nonce, associated, text)
	if err != nil || got != `{"out_bill_no":"F7"}` {
		t.Fatalf("got %q, %v", got, err)
	}
	for name, f := range map[string]func() (string, error){
		"another key":           func() (string, error) { return wechatpay.Open(strings.Repeat("x", 32), nonce, associated, text) },
		"a nonce of 11":         func() (string, error) { return wechatpay.Open(apiv3Key, nonce[1:], associated, text) },
		"no nonce":              func() (string, error) { return wechatpay.Open(apiv3Key, "", associated, text) },
		"other associated data": func() (string, error) { return wechatpay.Open(apiv3Key, nonce, "", text) },
		"no base64":             func() (string, error) { return wechatpay.Open(apiv3Key, nonce, associated, "*") },
		"nothing":               func() (string, error) { return wechatpay.Open(apiv3Key, nonce, associated, "") },
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s: decrypts to %q", name, got)
		}
	}
}

// Two readers must not see two documents.
func TestOneDocumentOnly(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a name twice":          `{"out_bill_no":"A","out_bill_no":"B"}`,
		"in another case":       `{"out_bill_no":"A","OUT_BILL_NO":"B"}`,
		"twice further in":      `{"a":[{"b":1,"b":2}]}`,
		"two documents":         `{"a":1}{"a":2}`,
		"something after it":    `{"a":1} x`,
		"a list":                `[{"a":1}]`,
		"nothing":               ``,
		"half of one":           `{"a":`,
		"deeper than documents": `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
	} {
		if wechatpay.Unmarshal(body, &map[string]any{}) == nil {
			t.Errorf("%s is read", name)
		}
	}
	if err := wechatpay.Unmarshal(` {"a":[{"b":1},{"b":2}],"c":{"a":null}} `, &map[string]any{}); err != nil {
		t.Errorf("a sound document: %v", err)
	}
}
