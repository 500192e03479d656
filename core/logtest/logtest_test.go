package logtest_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanli/core/logtest"
)

// planted is a line of each kind that must be found, in a form in which it could get
// into a log.
var planted = []struct{ name, line, what string }{
	{"a secret", `level=WARN msg="a call failed" error="sign: C4n4ry-of-a-network"`, "a secret of a test"},
	{"a secret in an address", `error="Get \"https://api.example/?q=C4n4ry%2Bwith%2Fsigns%3D\": EOF"`, "a secret of a test"},
	{"a line of a key", `error="bad key MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"`, "a secret of a test"},
	{"a name", `msg="cannot be paid" to=张三`, "somebody's name or account"},
	{"a key", `error="-----BEGIN PRIVATE KEY-----\nMIIE"`, "a private key"},
	{"Telegram's token", `error="Post \"https://api.telegram.org/bot123456:AAexampleexampleexampleexampleexamp/getMe\": EOF"`, "a bot's token"},
	{"WeChat's token", `error="Post \"https://api.weixin.qq.com/cgi-bin/menu/get?access_token=98_abcdef\": EOF"`, "an access token"},
	{"a header", `headers="Authorization: Bearer 0123456789abcdef"`, "credentials of a request"},
	{"a JWT", `token=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI3In0.c2ln`, "a JWT"},
	{"an API key", `key=fk_0a1b2c3d_0123456789abcdefghijABCDEFGHIJ0123456789`, "an API key"},
	{"a webhook's", `secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`, "a webhook's secret"},
	{"a broker's", `error="dial amqp://guest:guest1@10.0.0.1:5672/: refused"`, "a password in an address"},
	{"a database's", `dsn="fanli:pass1234@tcp(10.0.0.1:3306)/bot"`, "a password of a database"},
	{"a password", `config="{user: root, password: pass1234}"`, "a password"},
	{"a password as JSON", `{"msg":"starts","app_secret":"0123456789"}`, "a password"},
	{"an openid", `msg=gone openid=oUpF8uMuAJO_M2pxb1Q9zNjWeS6o`, "an openid of WeChat"},
	{"a customer", `msg=gone user=wmABCDEFGHIJKLMNOPQRSTUVWXYZ0123`, "an id of a customer of WeCom"},
	{"a telephone", `error="payee 13812345678 is refused"`, "a mobile number"},
	{"a telephone abroad", `error="payee +8613812345678 is refused"`, "a mobile number"},
	{"an identity card", `error="id 11010519491231002X is refused"`, "an identity card"},
	{"a 口令", `text="￥CZ0001abcde￥"`, "a 口令"},
	{"an address", `error="payee zhangsan@example.com is refused"`, "an e-mail address"},
}

// innocent lines look a little like it.
var innocent = []string{
	`time=2026-11-27T20:18:17.138+08:00 level=INFO msg=job name=order/follow done=13812 report="13812345678901234567 rows"`,
	`msg="a withdrawal" payee="138****5678 (*三)" mail="z***@example.com" id=W13812345678`,
	`stack="golang.org/x/sync@v0.16.0/errgroup/errgroup.go:93 main.go:12 created by a@v1.2.3"`,
	`key=order/follow/taobao token=3 took=13.812345678s trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=13812345678abcde`,
	`changed="peers.token, alipay.private_key" secrets=none password="(secret)"`,
	`error="app_secret: is missing; the console shows it once"`,
	`usage: write mysql://USER:PASSWORD@HOST:PORT/NAME`,
	`at=http://127.0.0.1:8080 from=redis://127.0.0.1:6379/0`,
	`msg="orders are not followed" name=overlapping-orders-of-today`,
}

// TestWhatLeaksIsFound plants a line of each kind in a collection, and others.
func TestWhatLeaksIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := logtest.Collect(dir, "some_package")
	for _, v := range []string{"C4n4ry-of-a-network", "C4n4ry+with/signs=", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "short"} {
		c.Secret(v)
	}
	log := c.Tee(io.Discard, "serve-bot")
	for _, p := range planted {
		say(t, log, p.line+"\n")
		say(t, log, "short is no secret\n")
	}
	r, err := logtest.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Lines["some_package/serve-bot"]; n != 2*len(planted) || r.Secrets != 3 {
		t.Errorf("%d lines were read, and %d secrets", n, r.Secrets)
	}
	if len(r.Leaks) != len(planted) {
		t.Errorf("%d of %d leaks are found", len(r.Leaks), len(planted))
	}
	for i, p := range planted {
		if i < len(r.Leaks) && (r.Leaks[i].What != p.what || r.Leaks[i].Line != p.line) {
			t.Errorf("%s: found %v, want %s", p.name, r.Leaks[i], p.what)
		}
	}
	for _, line := range innocent {
		if what := logtest.Find(line); what != "" {
			t.Errorf("%s is found in %s", what, line)
		}
	}
}

// TestEveryShapeIsPlanted: what is not tried may not work.
func TestEveryShapeIsPlanted(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, p := range planted {
		found[p.what] = true
	}
	for _, s := range logtest.Shapes() {
		if !found[s.What] {
			t.Errorf("%s is not tried", s.What)
		}
	}
}

// TestLinesOfSeveralProcesses: they stay whole, and take the place of those of the last
// run.
func TestLinesOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		c := logtest.Collect(dir, "some_package")
		var shown bytes.Buffer
		a, b := c.Tee(&shown, "serve"), c.Tee(io.Discard, "serve")
		say(t, a, "one, ")
		say(t, b, "other\n")
		say(t, a, "whole\nand ")
		if got := shown.String(); got != "one, whole\nand " {
			t.Errorf("who reads the log is shown %q", got)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "some_package", "serve.log"))
	if err != nil || string(got) != "other\none, whole\n" {
		t.Errorf("collected is %q, %v", got, err)
	}
	r, err := logtest.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Missing([]string{"some_package/serve", "some_package/", "some_package/serve-bot", "some/"}); strings.Join(got, " ") != "some_package/serve-bot some/" {
		t.Errorf("there is nothing of %q", got)
	}
	if r, err := logtest.Read(filepath.Join(dir, "nothing")); err == nil {
		t.Errorf("nothing was collected, and that is %v", r)
	}
}

// TestSecretsOfAnEnvironment: what stands in it is known by its name.
func TestSecretsOfAnEnvironment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"FANLI_TELEGRAM_TOKEN", "1:A", "1:A"},
		{"FANLI_WECHAT_ENCODING_AES_KEY", "k", "k"},
		{"FANLI_NETWORKS_JD_APP_KEY", "k", ""},
		{"FANLI_NETWORKS_TAOBAO_SESSION", "s", "s"},
		{"FANLI_DATABASE_DSN", "mysql://fanli:pass@localhost/x", "pass"},
		{"FANLI_REDIS_URL", "redis://localhost:6379/0", ""},
		{"FANLI_LISTEN", ":8080", ""},
	} {
		if got := strings.Join(logtest.SecretsOf(tt.name, tt.value), " "); got != tt.want {
			t.Errorf("of %s %q is secret, want %q", tt.name, got, tt.want)
		}
	}
}

// TestKindsOfProcesses: which parts of fanli a process is.
func TestKindsOfProcesses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env, args []string
		want      string
	}{
		{nil, []string{"serve"}, "serve"},
		{[]string{"FANLI_TARGETS=bot"}, []string{"serve"}, "serve-bot"},
		{[]string{"FANLI_TARGETS=user,order"}, []string{"serve"}, "serve-user+order"},
		{nil, []string{"serve", "--targets", "rebate"}, "serve-rebate"},
		{nil, []string{"audit", "--data", "x"}, "command"},
	} {
		if got := logtest.Process(tt.env, tt.args); got != tt.want {
			t.Errorf("%v %v is %s, want %s", tt.env, tt.args, got, tt.want)
		}
	}
}

// TestTestsLogHere: a log that is thrown away is one that nobody has looked at.
func TestTestsLogHere(t *testing.T) {
	t.Parallel()
	thrown := "slog.New(slog." + "DiscardHandler)"
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && d.Name() != "../.." && d.Name() != ".."):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go") && (!strings.HasSuffix(path, ".go") || !strings.HasSuffix(filepath.Dir(path), "test")), strings.HasPrefix(path, "../../core/logtest/"):
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), thrown) {
			t.Errorf("%s throws its log away: use logtest.New(nil)", path)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files of tests were read: %v", files, err)
	}
}

func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}
