package wechatpay_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/core/fault"
)

func TestValidateSaysEverythingAtOnce(t *testing.T) {
	t.Parallel()
	err := wechatpay.Config{
		Endpoint: "http://pay.example.com", Mode: "x", NotifyURL: "http://x", Minimum: "0.01", Maximum: "0.001", NameFrom: "5000",
		BillAccount: "x", Timeout: -1, PageURL: "ftp://x",
	}.Validate()
	for _, key := range []string{
		"endpoint", "mchid", "appid", "key", "serial", "apiv3_key", "mode", "transfer_scene_id", "transfer_scene_report_infos",
		"notify_url", "minimum", "maximum", "name_from", "bill_account", "timeout", "page_url",
	} {
		if err == nil || !strings.Contains(err.Error(), "wechatpay: "+key+": ") {
			t.Errorf("Validate does not name %s: %v", key, err)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		mode   string
		change func(c *wechatpay.Config)
		want   string // the key that is named; "" for nothing
	}{
		{"as it should be", wechatpay.PublicKeyMode, func(*wechatpay.Config) {}, ""},
		{"with certificates", wechatpay.CertificateMode, func(*wechatpay.Config) {}, ""},
		{"no mode is the one of new merchants", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Mode = "" }, ""},
		{"no amounts are WeChat's", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Minimum, c.Maximum, c.NameFrom = "", "", "" }, ""},
		{"no callbacks", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.NotifyURL = "" }, ""},
		{"a key of both modes", wechatpay.CertificateMode, func(c *wechatpay.Config) { c.KeyID = keyID }, "public_key_id, public_key"},
		{"a certificate's number for a key", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.KeyID = serial }, "public_key_id"},
		{"a private key in place of the public one", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Public = c.Key }, "public_key"},
		{"a public key in place of the private one", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Key = c.Public }, "key"},
		{"a short APIv3 key", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.APIv3Key = "short" }, "apiv3_key"},
		{"a notify address with a query", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.NotifyURL += "?a=b" }, "notify_url"},
		{"a report without a text", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Reports[0].Content = "" }, "transfer_scene_report_infos"},
		{"a report with a long type", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Reports[0].Type = strings.Repeat("岗", 16) }, "transfer_scene_report_infos"},
		{"less than WeChat takes", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Minimum = "0.09" }, "minimum"},
		{"a maximum below the minimum", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Minimum, c.Maximum = "2", "1" }, "maximum"},
		{"an amount that is none", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Maximum = "1e3" }, "maximum"},
		{"names where WeChat refuses them", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.NameFrom = "0.29" }, "name_from"},
		{"no names where WeChat demands them", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.NameFrom = "2000.01" }, "name_from"},
		{"more patience than sense", wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.Timeout = time.Hour }, "timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config(tt.mode)
			tt.change(&c)
			err := c.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "wechatpay: "+tt.want+": ") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("Validate says %v, want %q", err, tt.want)
			}
			if _, err := wechatpay.New(c, nil, clock); (tt.want == "") != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("New says %v", err)
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	c := config(wechatpay.PublicKeyMode)
	c.APIv3Key, c.Key = "C4n4ry", "C4n4ry"
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), c.Validate().Error()} {
		if strings.Contains(text, "C4n4ry") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}
