package alipay_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/adapters/alipay"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// All mistakes are said at once, each by the name of its key, and none by its
// secret.
func TestValidateSaysEverythingAtOnce(t *testing.T) {
	t.Parallel()
	err := alipay.Config{
		Gateway: "http://openapi.alipay.com/gateway.do", AppID: "x", PrivateKey: "c2VjcmV0LWtleQ==", AppCert: "no", AlipayCert: "no",
		RootCert: "no", NotifyURL: "here", UserID: "1", IdentityType: "PHONE", SceneName: "x", Title: strings.Repeat("张", 129), Remark: strings.Repeat("张", 201),
		BillTypes: []string{""}, CollectBillTypes: []string{""}, CollectFeeTypes: []string{""}, Timeout: time.Hour,
	}.Validate()
	for _, key := range []string{
		"gateway", "app_id", "private_key", "app_cert", "alipay_cert", "root_cert", "notify_url", "user_id", "identity_type", "scene_name", "scene_report",
		"title", "remark", "bill_types", "collect_bill_types", "collect_fee_types", "timeout",
	} {
		if err == nil || !strings.Contains(err.Error(), "alipay: "+key+":") {
			t.Errorf("Validate does not name %s:\n%v", key, err)
		}
	}
	if strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("Validate tells the key: %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := keys(t).Client(app, "")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(good.PrivateKey))
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		with func(c *alipay.Config)
		want string // in the error; "" for none
	}{
		{"as it should be", func(*alipay.Config) {}, ""},
		{"a key in PKCS 8", func(c *alipay.Config) {
			c.PrivateKey = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
		}, ""},
		{"a bare key", func(c *alipay.Config) { c.PrivateKey = base64.StdEncoding.EncodeToString(pkcs8) }, ""},
		{"a bare key on several lines", func(c *alipay.Config) {
			b := base64.StdEncoding.EncodeToString(block.Bytes)
			c.PrivateKey = b[:64] + "\r\n" + b[64:] + "\n"
		}, ""},
		{"intermediates behind a certificate", func(c *alipay.Config) { c.AlipayCert += c.RootCert }, ""},
		{"roots that cannot be read", func(c *alipay.Config) {
			c.RootCert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + c.RootCert
		}, ""},
		{"http to this machine", func(c *alipay.Config) { c.Gateway = "http://127.0.0.1:1/gateway.do" }, ""},
		{"no key", func(c *alipay.Config) { c.PrivateKey = "" }, "private_key"},
		{"a key of a curve", func(c *alipay.Config) { c.PrivateKey = base64.StdEncoding.EncodeToString(ecDER) }, "private_key"},
		{"a short key", func(c *alipay.Config) {
			c.PrivateKey = base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(short))
		}, "private_key"},
		{"the other certificate", func(c *alipay.Config) { c.AppCert = c.AlipayCert }, "private_key"},
		{"our certificate twice", func(c *alipay.Config) { c.AlipayCert = c.AppCert }, "alipay_cert"},
		{"a key for a certificate", func(c *alipay.Config) { c.AlipayCert = c.PrivateKey }, "alipay_cert"},
		{"no root", func(c *alipay.Config) { c.RootCert = "" }, "root_cert"},
		{"half a report", func(c *alipay.Config) {
			c.SceneName, c.SceneReport = "现金营销", []alipay.Report{{Type: "活动名称"}}
		}, "scene_report"},
		{"a gateway with a query", func(c *alipay.Config) { c.Gateway = "https://x/gateway.do?a=b" }, "gateway"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tt.with(&cfg)
			err := cfg.Validate()
			if (tt.want == "") != (err == nil) || tt.want != "" && !strings.Contains(err.Error(), "alipay: "+tt.want+": ") {
				t.Errorf("Validate = %v, want %q", err, tt.want)
			}
			if _, newErr := alipay.New(cfg, nil, clock); (err == nil) != (newErr == nil) {
				t.Errorf("New = %v, Validate = %v", newErr, err)
			}
		})
	}
}

// A key in either form signs what the gateway takes.
func TestBareKeySigns(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode([]byte(keys(t).Client(app, "").PrivateKey))
	c, _ := open(t, func(c *alipay.Config) { c.PrivateKey = base64.StdEncoding.EncodeToString(block.Bytes) })
	if o, err := c.Send(t.Context(), payment); err != nil || o.Verdict != withdraw.Done {
		t.Errorf("Send = %+v, %v", o, err)
	}
}

// Certificates end, and then nothing that is signed with them is to be believed.
func TestExpiredCertificates(t *testing.T) {
	t.Parallel()
	_, err := alipay.New(keys(t).Client(app, ""), nil, func() time.Time { return clock().AddDate(20, 0, 0) })
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "app_cert") || !strings.Contains(err.Error(), "alipay_cert") {
		t.Errorf("New = %v", err)
	}
}

func TestConfigIsDiscreet(t *testing.T) {
	t.Parallel()
	cfg := keys(t).Client(app, "")
	secret := strings.Split(cfg.PrivateKey, "\n")[1]
	for _, format := range []string{"%s", "%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(format, cfg); strings.Contains(s, secret) {
			t.Errorf("%s tells the key", format)
		}
	}
}
