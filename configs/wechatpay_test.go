package configs_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanli/configs"
)

const wechatpayYAML = `
networks: {jd: {app_key: k, app_secret: s}}
payer: wechatpay
wechatpay:
  mchid: "1900001109"
  appid: wxf636efh567hg4356
  serial: 444F4864EA9B34415DE7A1B2C3D4E5F60718293A
  apiv3_key: 0123456789abcdef0123456789abcdef
  mode: certificate
  transfer_scene_id: 1005
  transfer_scene_report_infos: [{info_type: 岗位类型, info_content: 推广员}, {info_type: 报酬说明, info_content: 推广佣金}]
  minimum: 0.30
  page_url: https://pay.example.com
`

// A merchant is read as written: numbers that are names stay texts, amounts never
// become floats, and the key comes from its file.
func TestWechatpay(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "apiclient_key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, wechatpayYAML, env("FANLI_WECHATPAY_KEY_FILE", path))
	w := c.Wechatpay
	if w.Scene != "1005" || w.Minimum != "0.30" || w.Maximum != "200.00" || len(w.Reports) != 2 || w.Reports[0].Content != "推广员" {
		t.Errorf("read as %q, %q, %q, %v", w.Scene, w.Minimum, w.Maximum, w.Reports)
	}
	_, err = configs.Load(file(t, wechatpayYAML), none)
	if n := len(configs.Mistakes(err)); n != 1 || !strings.Contains(err.Error(), "wechatpay.key: must be the merchant's private key") {
		t.Errorf("without the key: %d mistakes, %v", n, err)
	}
}
