package wechatpay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/core/user"
	"fanli/core/withdraw"
)

const (
	mchid    = "1900001109"
	appid    = "wxf636efh567hg4356"
	serial   = "444F4864EA9B34415DE7A1B2C3D4E5F60718293A"
	apiv3Key = "0123456789abcdefABCDEF_secret_32"
	keyID    = "PUB_KEY_ID_0114232134912410000000000000"
	openid   = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	notify   = "https://pay.example.com/pay/notify"
)

func clock() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// keys are made once: that takes a second.
var (
	merchantKey = sync.OnceValue(newKey)
	platformKey = sync.OnceValue(newKey)
	strangerKey = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

func privatePEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(k *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// config is a merchant in one of the modes, without an endpoint.
func config(mode string) wechatpay.Config {
	c := wechatpay.Config{
		MchID: mchid, AppID: appid, Key: privatePEM(merchantKey()), Serial: serial, APIv3Key: apiv3Key, Mode: mode,
		Scene:      "1005",
		Reports:    []wechatpay.Report{{Type: "岗位类型", Content: "推广员"}, {Type: "报酬说明", Content: "推广佣金"}},
		Perception: "劳务报酬", NotifyURL: notify, Minimum: "0.10", Maximum: "3000.00", NameFrom: "2000.00",
		PageURL: "https://pay.example.com",
	}
	if mode == wechatpay.PublicKeyMode {
		c.KeyID, c.Public = keyID, publicPEM(&platformKey().PublicKey)
	}
	return c
}

// A world is a client with the WeChat Pay that it talks to.
type world struct {
	*wechatpay.Client
	fake *wechatpayfake.Fake
	cfg  wechatpay.Config

	mu    sync.Mutex
	now   time.Time
	calls []string // the paths that were asked for
	heard []withdraw.Callback
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) sleep(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) count(path string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c == path {
			n++
		}
	}
	return n
}

// open returns a world in a mode, under a prefix as in the sandbox.
func open(t *testing.T, mode string, changes ...func(*wechatpay.Config)) *world {
	t.Helper()
	w := &world{now: clock(), cfg: config(mode)}
	fc := wechatpayfake.Config{
		MchID: mchid, AppID: appid, Serial: serial, Merchant: &merchantKey().PublicKey, APIv3Key: apiv3Key,
		Platform: platformKey(), Stranger: strangerKey(), Now: w.clock,
		CallBack: func(_ string, c withdraw.Callback) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.heard = append(w.heard, c)
		},
	}
	if mode == wechatpay.PublicKeyMode {
		fc.KeyID = keyID
	}
	var err error
	if w.fake, err = wechatpayfake.New(fc); err != nil {
		t.Fatal(err)
	}
	inner := http.StripPrefix("/fake/wechatpay", w.fake)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.calls = append(w.calls, r.Method+" "+r.URL.Path)
		w.mu.Unlock()
		inner.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	w.cfg.Endpoint = srv.URL + "/fake/wechatpay"
	for _, change := range changes {
		change(&w.cfg)
	}
	if w.Client, err = wechatpay.New(w.cfg, srv.Client(), w.clock); err != nil {
		t.Fatal(err)
	}
	return w
}

// payment is what most stories pay.
func payment() withdraw.Payment {
	return withdraw.Payment{
		Number: "F7", Amount: 1234, Note: "返利提现 F7",
		Payee: user.Payee{Method: "wechat", Account: openid, Name: "张三"},
	}
}

// wantOutcome compares verdict and reason of a call that must not fail.
func wantOutcome(t *testing.T, what string, o withdraw.Outcome, err error, v withdraw.Verdict, reason string) {
	t.Helper()
	if err != nil || o.Verdict != v || o.Reason != reason {
		t.Errorf("%s says %s %q, %v; want %s %q", what, o.Verdict, o.Reason, err, v, reason)
	}
}

func mustSend(t *testing.T, w *world, p withdraw.Payment) withdraw.Outcome {
	t.Helper()
	o, err := w.Send(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
