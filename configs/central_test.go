package configs_test

import (
	"slices"
	"strings"
	"testing"

	"fanli/configs"
)

// central loads a file with a central document over it.
func central(t *testing.T, text, document string, lookup func(string) (string, bool)) (*configs.Loaded, error) {
	t.Helper()
	return configs.Sources{Path: file(t, text), Central: &configs.Layer{Name: "central v7", Text: document}, Lookup: lookup}.Load()
}

func TestACentralDocumentStandsBetweenFileAndEnvironment(t *testing.T) {
	t.Parallel()
	c, err := central(t, "rebate: {base: 50%, levels: {1: 1%}}\nwithdraw: {minimum: 2, maximum: 50}\n",
		"rebate: {base: 60%, levels: {2: 2%}}\nwithdraw: {minimum: 3}\nonly:\n  payment: {withdraw: {auto: 7}}\n",
		env("FANLI_WITHDRAW_MINIMUM", "4", "FANLI_REBATE_LEVELS_1", "9%"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Rebate.Base != 6000 || c.Withdraw.Minimum != 400 || c.Withdraw.Maximum != 5000 || c.Withdraw.Auto != 700 || c.Rebate.Levels[1] != 900 || c.Rebate.Levels[2] != 200 {
		t.Errorf("%+v, %+v", c.Rebate, c.Withdraw)
	}
	for key, want := range map[string][2]string{
		"rebate.base": {"60%", "central v7"}, "withdraw.minimum": {"4", "FANLI_WITHDRAW_MINIMUM"}, "withdraw.maximum": {"50", "file"},
		"withdraw.cooling": {"24h", "default"}, "rebate.levels": {"{1: 9%, 2: 2%}", "FANLI_REBATE_LEVELS_1 + central v7 + file"}, "telegram.token": {`""`, "default"},
	} {
		if got := [2]string{c.Value(key), c.Layer(key)}; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
}

func TestWhatIsForSomeTargetsOnly(t *testing.T) {
	t.Parallel()
	doc := "log: {level: warn}\nonly: {order: {log: {level: debug}}, payment: {withdraw: {auto: 7}}}\n"
	for _, x := range []struct {
		targets []string
		level   string
		auto    configs.Yuan
	}{{[]string{"order"}, "debug", 0}, {[]string{"payment", "user"}, "warn", 700}, {[]string{"bot"}, "warn", 0}, {[]string{"all"}, "debug", 700}} {
		c, err := configs.Sources{Central: &configs.Layer{Text: doc}, Targets: x.targets, Lookup: none}.Load()
		if err != nil || c.Log.Level != x.level || c.Withdraw.Auto != x.auto {
			t.Errorf("%v: %s, %v, %v", x.targets, c.Log.Level, c.Withdraw.Auto, err)
		}
	}
	if got := configs.OnlyTargets(doc); !slices.Equal(got, []string{"order", "payment"}) {
		t.Error(got)
	}
}

func TestWhatDoesNotBelongInACentralDocument(t *testing.T) {
	t.Parallel()
	_, err := central(t, "rebate: {base: 5000%}\n", `data: /tmp
networks:
  jd: {app_secret: s}
  taobao: {session: s}
only:
  bot:
    telegram: {token: t}
    zone: Nowhere
  bott: {}
  order: 7
withdraw:
  minimum: none
  minimim: 1
database: {connections: 20}
`, none)
	want := []string{
		"line 1: data: each process has a folder of its own: it stands in the file or the environment of each process (in central v7)",
		"line 1: rebate.base: 5000% is not between 0% and 100%",
		"line 3: networks.jd.app_secret: secrets do not belong there: give it to each process, better from FANLI_NETWORKS_JD_APP_SECRET_FILE (in central v7)",
		"line 4: networks.taobao.session: secrets do not belong there",
		"line 7: telegram.token: secrets do not belong there",
		`line 8: zone: "Nowhere" is not a time zone`,
		"line 9: only.bott: it is none of gateway, bot",
		"line 10: only.order: keys with values stand under it",
		`line 12: withdraw.minimum: "none" is not an amount in yuan`,
		"line 13: withdraw.minimim: there is no such key; did you mean minimum? (in central v7)",
		"line 14: database: where the database is",
	}
	got := configs.Mistakes(err)
	if len(got) != len(want) {
		t.Fatalf("%d mistakes, want %d:\n%v", len(got), len(want), err)
	}
	for i, w := range want {
		if !strings.Contains(got[i].Error(), w) {
			t.Errorf("mistake %d is %q, want %q", i, got[i], w)
		}
	}
	for _, doc := range []string{"- a", "a: [", "a: 1\n---\nb: 2", strings.Repeat("#", configs.CentralBytesMax+1), "only: 7", "log: *x", "rebate: {base: 1%, base: 2%}"} {
		if _, err := central(t, "", doc, none); err == nil || !strings.Contains(err.Error(), "(in central v7)") {
			t.Errorf("%.20q: %v", doc, err)
		}
	}
	for _, doc := range []string{"", "# nothing", "~", "log: ~", "only: {}"} {
		if _, err := central(t, "", doc, none); err != nil {
			t.Errorf("%q: %v", doc, err)
		}
	}
}

// TestSecretsAreKnownByName holds the rule against every key there is: what a person
// would call a secret is one, and nothing else is masked.
func TestSecretsAreKnownByName(t *testing.T) {
	t.Parallel()
	var got []string
	for _, key := range configs.Keys() {
		if configs.Secret(key) {
			got = append(got, key)
		}
	}
	for _, key := range []string{
		"database.dsn", "database.seal_key", "peers.token", "broker.url", "registry.password", "networks.taobao.app_secret", "networks.taobao.session",
		"networks.jd.app_secret", "networks.jd.access_token", "networks.jd.auth_key", "networks.pdd.client_secret", "alipay.private_key",
		"wechatpay.key", "wechatpay.apiv3_key", "telegram.token",
	} {
		if !slices.Contains(got, key) {
			t.Errorf("%s is no secret", key)
		}
	}
	for _, key := range got {
		if strings.HasSuffix(key, "app_key") || strings.HasSuffix(key, "client_id") || strings.HasSuffix(key, "public_key") {
			t.Errorf("%s is no secret", key)
		}
	}
	c, err := central(t, "telegram: {token: \"123:abcdefghijklmnopqrstuvwxyz\"}\n", "", none)
	if err != nil || c.Value("telegram.token") != "(secret)" {
		t.Error(c.Value("telegram.token"), err)
	}
}

func TestKeysAreThoseOfTheDefaultFile(t *testing.T) {
	t.Parallel()
	c := loaded(t, "")
	for _, key := range configs.Keys() {
		if c.Value(key) == "" {
			t.Errorf("%s has no value", key)
		}
	}
}

func loaded(t *testing.T, document string) *configs.Loaded {
	t.Helper()
	c, err := configs.Sources{Central: &configs.Layer{Name: "central v7", Text: document}, Lookup: none}.Load()
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return c
}

func TestDifferencesAreOfMeaning(t *testing.T) {
	t.Parallel()
	a := loaded(t, "rebate: {base: 70, levels: {1: 5%}}\nwithdraw: {cooling: 24h, minimum: 1}\n")
	b := loaded(t, "rebate: {base: 70.00%, levels: {1: 6%}}\nwithdraw: {cooling: 1440m, minimum: 2.5}\ncollect: {memberships: []}\n")
	var got []string
	for _, d := range configs.Differences(a, b) {
		got = append(got, d.String())
	}
	if want := []string{"rebate.levels: {1: 5%} → {1: 6%}", "withdraw.minimum: 1 → 2.5"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCentralDocumentsAreEdited(t *testing.T) {
	t.Parallel()
	text := "# ours\nrebate:\n  base: 60% # agreed in May\n"
	for _, x := range []struct{ target, key, value string }{
		{"", "rebate.base", "65%"}, {"", "withdraw.minimum", "2.50"}, {"payment", "log.level", "debug"}, {"", "rebate.levels", "{1: 5%}"},
		{"", "webchat.title", ""}, {"", "rebate.levels.2", "6%"}, {"", "rebate.networks", "{}"}, {"", "bot.search", "false"},
	} {
		var err error
		if text, err = configs.SetCentral(text, x.target, x.key, x.value); err != nil {
			t.Fatal(err)
		}
	}
	c := loaded(t, text)
	if c.Rebate.Base != 6500 || c.Withdraw.Minimum != 250 || c.Rebate.Levels[1] != 500 || c.Rebate.Levels[2] != 600 || c.Webchat.Title != "" || c.Log.Level != "debug" || c.Bot.Search {
		t.Errorf("%s", text)
	}
	for _, keep := range []string{"# ours", "# agreed in May"} {
		if !strings.Contains(text, keep) {
			t.Errorf("%q is not there any more:\n%s", keep, text)
		}
	}
	for _, x := range []struct{ target, key string }{
		{"", "rebate.base"}, {"", "withdraw.minimum"}, {"payment", "log.level"}, {"", "rebate.levels"}, {"", "webchat.title"}, {"", "rebate.networks"}, {"", "bot.search"}, {"", "not.there"},
	} {
		var err error
		if text, err = configs.UnsetCentral(text, x.target, x.key); err != nil {
			t.Fatal(err)
		}
	}
	if text != "" {
		t.Errorf("what is left is %q", text)
	}
	if _, err := configs.SetCentral("a: [", "", "bot.search", "true"); err == nil {
		t.Error("what cannot be read is edited")
	}
}

func TestTheCentralConfigurationNeedsARegistry(t *testing.T) {
	t.Parallel()
	wantMistakes(t, "central: {enabled: true}\n", none, "line 1: central.enabled: the central configuration is in an etcd")
}
