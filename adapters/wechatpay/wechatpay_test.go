package wechatpay_test

import (
	"testing"

	"fanli/adapters/wechatpay"
	"fanli/core/withdraw/payertest"
)

func TestPayer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{wechatpay.PublicKeyMode, wechatpay.CertificateMode} {
		for _, names := range []wechatpay.Yuan{"0.30", "2000.00"} {
			t.Run(mode+"/names from "+string(names), func(t *testing.T) {
				t.Parallel()
				payertest.Run(t, func(t *testing.T) payertest.Subject {
					w := open(t, mode, func(c *wechatpay.Config) { c.NameFrom = names })
					return payertest.Subject{Payer: w.Client, Provider: w.fake, Secret: apiv3Key, Method: wechatpay.Method}
				})
			})
		}
	}
}
