package configs_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/configs"
)

func TestFileOverDefaults(t *testing.T) {
	t.Parallel()
	c := load(t, `
listen: 0.0.0.0:9000
log:
  format: json
networks:
  jd: {app_key: k, app_secret: s, scene_ids: [2]}
sync:
rebate:
  base: ~
  levels: {3: 7%}
  hold_days: {jd: 7}
withdraw: {cooling: 90m}
`, none)
	if c.Listen != "0.0.0.0:9000" || c.Log.Format != "json" || c.Log.Level != "info" {
		t.Errorf("%q, %+v: a group keeps the keys that the file does not name", c.Listen, c.Log)
	}
	if jd := c.Networks.JD; jd.Endpoint == "" || !slices.Equal(jd.SceneIDs, []int{2}) || c.Sandbox() {
		t.Errorf("%s: a list is replaced as a whole", jd)
	}
	if c.Sync.Every != 30*time.Second || c.Rebate.Base != 7000 {
		t.Errorf("%v, %v: a key without a value keeps its default", c.Sync.Every, c.Rebate.Base)
	}
	if r := c.Rebate.Rules(); r.Levels[3] != 700 || r.HoldDays["jd"] != 7 || r.HoldDays["taobao"] != 15 {
		t.Errorf("%+v: a map gets the file's entries", r)
	}
	if c.Withdraw.Cooling != 90*time.Minute {
		t.Error(c.Withdraw.Cooling)
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "~\n", "networks: ~\n", "log: {}\n"} {
		load(t, text, none)
	}
}

func TestEnvironmentOverFile(t *testing.T) {
	t.Parallel()
	secret := file(t, "from-a-file\r\n")
	c := load(t, "listen: 1.1.1.1:1\nnetworks: {jd: {app_key: k, app_secret: s}}\nrebate: {hold_days: {jd: 7}}\n", env(
		"FANLI_LISTEN", "127.0.0.1:2", "FANLI_NETWORKS_JD_APP_SECRET_FILE", secret, "FANLI_NETWORKS_JD_POSITION_IDS", "1, 2,",
		"FANLI_NETWORKS_TAOBAO_ADZONE_IDS", "007,8", "FANLI_REBATE_BASE", "60%", "FANLI_REBATE_LEVELS", "{1: 5%, 2: 6%}",
		"FANLI_REBATE_HOLD_DAYS_TAOBAO", "3", "FANLI_WITHDRAW_AUTO", "20", "FANLI_WEBCHAT_TITLE", "true", "FANLI_WECHATPAY_KEY", "~",
		"FANLI_WITHDRAW_COOLING", "0s", "FANLI_SERVICE_HOST", "10.0.0.1",
	))
	if c.Listen != "127.0.0.1:2" || c.Networks.JD.AppSecret != "from-a-file" {
		t.Errorf("%q, %q", c.Listen, c.Networks.JD.AppSecret)
	}
	if !slices.Equal(c.Networks.JD.PositionIDs, []int64{1, 2}) || !slices.Equal(c.Networks.Taobao.AdzoneIDs, []string{"007", "8"}) {
		t.Errorf("lists: %v, %v", c.Networks.JD.PositionIDs, c.Networks.Taobao.AdzoneIDs)
	}
	r := c.Rebate.Rules()
	if r.Base != 6000 || r.Levels[1] != 500 || r.Levels[2] != 600 || r.HoldDays["taobao"] != 3 || r.HoldDays["jd"] != 7 {
		t.Errorf("rules: %+v", r)
	}
	if c.Withdraw.Auto != 2000 || c.Withdraw.Cooling != 0 {
		t.Errorf("%+v", c.Withdraw)
	}
	if c.Webchat.Title != "true" || c.Wechatpay.Key != "~" {
		t.Errorf("%q, %q: text stays text", c.Webchat.Title, c.Wechatpay.Key)
	}
}

// wantMistakes holds the mistakes of a configuration against what they should
// say, one line each, in order.
func wantMistakes(t *testing.T, text string, lookup func(string) (string, bool), want ...string) {
	t.Helper()
	_, err := configs.Load(file(t, text), lookup)
	got := configs.Mistakes(err)
	if len(got) != len(want) {
		t.Errorf("%d mistakes, want %d:\n%v", len(got), len(want), err)
		return
	}
	for i, w := range want {
		if s := got[i].Error(); !strings.Contains(s, w) {
			t.Errorf("mistake %d is %q, want %q", i, s, w)
		}
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	t.Parallel()
	wantMistakes(t, `listn: 127.0.0.1:1
log:
  level: loud
networks:
  jd:
    app_key: k
rebate:
  base: 7000%
withdraw:
  minimum: -1
  maximum: ten
sync:
  every: 30
zone: Mars/Olympus
`, env("FANLI_WEBCHAT_ENABLED", "perhaps"),
		`webchat.enabled: "perhaps" is not true or false (from FANLI_WEBCHAT_ENABLED)`,
		"line 1: listn: there is no such key; did you mean listen?",
		`line 3: log.level: "loud" is not debug, info, warn or error`,
		"line 5: networks.jd.app_secret: is missing",
		"line 8: rebate.base: 7000% is not between 0% and 100%",
		"line 10: withdraw.minimum: the least is 0.01",
		`line 11: withdraw.maximum: "ten" is not an amount in yuan`,
		`line 13: sync.every: "30" is not a duration such as 30s, 5m or 24h`,
		`line 14: zone: "Mars/Olympus" is not a time zone`,
	)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"a key twice", "listen: 1.1.1.1:1\ndata: x\nlisten: 2.2.2.2:2\n", "line 3: listen: it is there twice"},
		{"a level twice", "rebate: {levels: {1: 5%, 1: 50%}}", "line 1: rebate.levels.1: it is there twice"},
		{"a second document", "data: a\n---\ndata: b\n", "line 2: a second document begins here"},
		{"a list of nothing", "- a\n", "line 1: a configuration is a list of keys with values"},
		{"an alias", "log: &a {level: debug}\nbot: *a\n", "line 2: bot: aliases are not followed"},
		{"a list for a group", "log:\n  - level\n", "line 1: log: a list is not a group of keys"},
		{"a text for a group", "log: debug\n", `line 1: log: "debug" is not a group of keys`},
		{"a group for a text", "listen: {a: b}\n", "line 1: listen: a group of keys is not a text"},
		{"a text for a list", "targets: all\n", `line 1: targets: "all" is not a list`},
		{"a fraction for a number", "guard:\n  burst: 1.5\n", `line 2: guard.burst: "1.5" is not a whole number`},
		{"an octal number", "guard:\n  burst: 010\n", `line 2: guard.burst: "010" is not a whole number`},
		{"a word for a number", "networks: {jd: {position_ids: [1, x]}}", `line 1: networks.jd.position_ids: "x" is not a whole number`},
		{"nothing in a list", "networks: {jd: {position_ids: [~]}}", "line 1: networks.jd.position_ids: it has no value"},
		{"a level without a rate", "rebate:\n  levels:\n    1:\n", "line 3: rebate.levels.1: it has no value"},
		{"a level that is a word", "rebate: {levels: {gold: 5%}}", `line 1: rebate.levels.gold: "gold" is not a whole number`},
		{"an unknown group", "logs: {level: info}", "line 1: logs: there is no such key; did you mean log?"},
		{"letters exchanged", "networks: {jd: {app_kye: k}}", "line 1: networks.jd.app_kye: there is no such key; did you mean app_key?"},
		{"nothing alike", "zzzzzz: 1", "line 1: zzzzzz: there is no such key"},
		{"an unknown key in a list", "networks: {taobao: {promotion_windows: [{fom: 2026-11-10, from: 2026-11-10, to: 2026-11-10}]}}", "line 1: networks.taobao.promotion_windows.fom: there is no such key; did you mean from?"},
		{"an unknown network for days", "rebate: {hold_days: {toabao: 15}}", "line 1: rebate.hold_days.toabao: there is none called so; there are taobao, jd, pdd, default"},
		{"an unknown network for rates", "rebate: {networks: {vip: 15%}}", "line 1: rebate.networks.vip: there is none called so"},
		{"targets apart", "targets: [order]", "line 1: targets: [order]: SQLite serves one process"},
		{"targets apart in one database", "targets: [order]\nnetworks: {jd: {app_key: k, app_secret: s}}\ndatabase: {dsn: \"mysql://u:p@h/x\"}", "line 3: database.dsn: targets that run apart need a database each"},
		{"a key that is too short", "database: {seal_key: abcd}", "line 1: database.seal_key: it is not 32 bytes"},
		{"a target that is none", "peers: {targets: {orders: \"dns:///h:1\"}}", "line 1: peers.targets.orders: it is none of"},
		{"a page of a target that has none", "peers: {http: {order: \"http://h\"}}", "line 1: peers.http.order: the gateway hands on to bot and payment only"},
		{"no channel", "webchat: {enabled: false}", "line 1: webchat.enabled: no channel is on"},
		{"no payer", "payer: alipya", `line 1: payer: "alipya" is not manual, alipay or wechatpay`},
		{"a network without an address", "networks: {jd: {app_key: k, app_secret: s, endpoint: nowhere}}", "line 1: networks.jd.endpoint: "},
		{"an address that is none", "listen: nowhere", `line 1: listen: "nowhere" is not an address such as`},
		{"a prefix that payers refuse", "withdraw: {prefix: 中文}", "line 1: withdraw.prefix:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantMistakes(t, tt.text, none, tt.want)
		})
	}
}

// TestASplitSaysAllThatItNeeds: targets that run apart must reach each other.
func TestASplitSaysAllThatItNeeds(t *testing.T) {
	t.Parallel()
	const apart = "networks: {jd: {app_key: k, app_secret: s}}\ndatabase: {dsn: \"mysql://u:p@h/fanli_{target}\"}\n"
	wantMistakes(t, apart+"targets: [order]\n", none,
		"peers.token: targets that run apart share a token",
		`peers.listen: "" is not an address`,
		"broker.url: targets that run apart tell each other by a broker",
		"database.seal_key: targets that run apart share the key",
	)
	wantMistakes(t, apart+"targets: [gateway]\n", none, "peers.token: targets that run apart share a token",
		"broker.url: targets that run apart tell each other by a broker", "line 2: database.seal_key: targets that run apart share the key")
}

// TestAlipayIsCheckedWhereItPays: its keys count only where money leaves by it.
func TestAlipayIsCheckedWhereItPays(t *testing.T) {
	t.Parallel()
	const alipay = "networks: {jd: {app_key: k, app_secret: s}}\nalipay: {app_id: 1, root_cert: x, scene_report: [{type: a, content: b}]}\n"
	wantMistakes(t, alipay+"payer: alipay", none,
		`line 2: alipay.app_id: "1" is not 16 digits`,
		"line 2: alipay.private_key: is missing",
		"line 2: alipay.app_cert: is missing",
		"line 2: alipay.alipay_cert: is missing",
		"line 2: alipay.root_cert: has no RSA certificate in PEM",
		"line 2: alipay.scene_report: goes together with scene_name",
	)
	load(t, alipay+"payer: manual", none)
}

// TestEnvironmentMistakes names the variable, and never a line of a file that the
// operator does not know.
func TestEnvironmentMistakes(t *testing.T) {
	t.Parallel()
	big := file(t, strings.Repeat("x", 2<<20))
	for _, tt := range []struct{ name, value, want string }{
		{"FANLI_REBATE_BASE", "abc", `rebate.base: "abc" is not a percentage with at most two decimals, such as 70% (from FANLI_REBATE_BASE)`},
		{"FANLI_REBATE_BASE", "", `rebate.base: "" is not a percentage`},
		{"FANLI_WITHDRAW_AUTO", " ", `withdraw.auto: " " is not an amount`},
		{"FANLI_WEBCHAT_ENABLED", "", `webchat.enabled: "" is not true or false (from FANLI_WEBCHAT_ENABLED)`},
		{"FANLI_SYNC_EVERY", "", `sync.every: "" is not a duration`},
		{"FANLI_GUARD_BURST", "~", "guard.burst: it has no value (from FANLI_GUARD_BURST)"},
		{"FANLI_REBATE_LEVELS", "5%", `rebate.levels: "5%" is not a group of keys`},
		{"FANLI_REBATE_HOLD_DAYS_TAOBAO", "long", `rebate.hold_days.taobao: "long" is not a whole number`},
		{"FANLI_WITHDRAW_MAXIMUM", "0.5", "withdraw.maximum: it is below withdraw.minimum (from FANLI_WITHDRAW_MAXIMUM)"},
		{"FANLI_TARGETS", "order,rebate", "targets: [order rebate]: SQLite serves one process, which runs all targets; name a server in database.dsn, or leave it at [all] (from FANLI_TARGETS)"},
		{"FANLI_TELEGRAM_TOKEN_FILE", "/nowhere/token", "telegram.token: open /nowhere/token: no such file or directory (from FANLI_TELEGRAM_TOKEN_FILE)"},
		{"FANLI_TELEGRAM_TOKEN_FILE", big, "more than the 1048576 bytes"},
	} {
		t.Run(tt.name+"="+tt.value[:min(len(tt.value), 8)], func(t *testing.T) {
			t.Parallel()
			_, err := configs.Load("", env(tt.name, tt.value))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "line ") || len(configs.Mistakes(err)) != 1 {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
	wantMistakes(t, "zone: Asia/Shanghai\nrebate: {base: 50%}\n", env("FANLI_REBATE_BASE", "500%"),
		"rebate.base: 500% is not between 0% and 100% (from FANLI_REBATE_BASE)")
	wantMistakes(t, "", env("FANLI_TELEGRAM_TOKEN", "1:aaaaaaaaaa", "FANLI_TELEGRAM_TOKEN_FILE", "/x"),
		"telegram.token: FANLI_TELEGRAM_TOKEN and FANLI_TELEGRAM_TOKEN_FILE are both set")
}

func TestUnreadableFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct{ path, want string }{
		{filepath.Join(dir, "none.yaml"), "no such file"},
		{dir, "is a directory"},
		{file(t, "listen: [\n"), "fanli.yaml: yaml: line 1"},
		{file(t, "\tlisten: x\n"), "fanli.yaml: yaml:"},
		{file(t, strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 11_000)), "more than the 1048576 bytes"},
		{file(t, strings.Repeat("[", 50_000)), "yaml:"},
		{file(t, "a: \xff\xfe\n"), "yaml:"},
	} {
		if _, err := configs.Load(tt.path, none); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.want)
		}
	}
}

// TestMistakesAreTakenApart is what a command prints line by line.
func TestMistakesAreTakenApart(t *testing.T) {
	t.Parallel()
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, "[]"},
		{a, "[a]"},
		{errors.Join(a, errors.Join(b, c)), "[a b c]"},
		{fmt.Errorf("with words: %w", errors.Join(a, b)), "[with words: a\nb]"},
		{fmt.Errorf("%w (and %w)", a, b), "[a (and b)]"},
		{errors.Join(nil, a), "[a]"},
	} {
		if got := fmt.Sprint(configs.Mistakes(tt.err)); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// secretKeys are all keys that hold a secret.
var secretKeys = []string{
	"networks.taobao.app_secret", "networks.taobao.session", "networks.jd.app_secret", "networks.jd.access_token", "networks.jd.auth_key",
	"networks.pdd.client_secret", "database.dsn", "alipay.private_key", "wechatpay.key", "wechatpay.apiv3_key",
	"telegram.token", "telegram.proxy", "database.seal_key", "peers.token", "broker.url",
	"registry.url", "registry.password",
}

// TestSecretsAreNeverShown fills every secret in and makes mistakes everywhere
// around: no message and no way to print a configuration tells one.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const canary = "C4n4ry"
	wrong := `
listen: x
database: {dsn: "mysql://u:C4n4ry@h", connections: 1, seal_key: C4n4ry-sk}
targets: [order]
peers: {token: C4n4ry-tk, http: {bot: "http://u:C4n4ry@"}, targets: {user: ""}}
broker: {url: "rabbit://u:C4n4ry@h"}
registry: {url: "etcd://u:C4n4ry@h:x", password: C4n4ry-rp, lease: 1ms, prefix: x}
networks:
  taobao: {endpoint: "http://u:C4n4ry@h", app_key: x, app_secret: C4n4ry-tb, session: C4n4ry-se, convert: x, sign_method: x, page_size: 0x1, adzone_ids: [C]}
  jd: {endpoint: "http://u:C4n4ry@h", app_secret: C4n4ry-jd, access_token: C4n4ry-at, auth_key: C4n4ry-ak, union_id: 0, page_size: 1000}
  pdd: {endpoint: "http://u:C4n4ry@h", client_secret: C4n4ry-pd, pid: x, page_size: 1}
payer: wechatpay
wechatpay: {endpoint: "http://u:C4n4ry@h", key: C4n4ry-wk, apiv3_key: C4n4ry-w3}
telegram: {token: C4n4ry, endpoint: "http://u:C4n4ry@h", proxy: "C4n4ry://u:C4n4ry@h"}
`
	c, err := configs.Load(file(t, wrong), none)
	if n := len(configs.Mistakes(err)); n < 12 {
		t.Errorf("only %d mistakes: %v", n, err)
	}
	// What was read is printed, too, as a careless log line would.
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("starts", "config", c)
	for _, text := range []string{err.Error(), fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), log.String()} {
		for line := range strings.SplitSeq(text, "\n") {
			if i := strings.Index(line, canary); i >= 0 {
				t.Errorf("a secret is shown: …%s…", line[max(0, i-60):min(len(line), i+40)])
			}
		}
	}
	var pairs []string
	dir := t.TempDir()
	for i, key := range secretKeys {
		name := "FANLI_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_")) + "_FILE"
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(canary+" with blanks\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, name, path)
	}
	if _, err := configs.Load("", env(pairs...)); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
}
