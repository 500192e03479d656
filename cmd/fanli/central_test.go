package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"fanli/adapters/central"
	"fanli/adapters/registry/etcdtest"
	"fanli/core/money"
)

// reachLimit is how soon a change counts everywhere.
const reachLimit = 2 * time.Second

// A member is one of several processes under one central configuration, each with its
// own database.
type member struct {
	dir  string
	env  []string
	args []string
	p    *process
	base string
	me   *caller
}

// members starts some under an etcd.
func startMembers(t *testing.T, out *outside, etcd *etcdtest.Server, prefix string, n int) (all []*member) {
	t.Helper()
	for len(all) < n {
		m := &member{dir: memoryDir(t)}
		m.env, m.args = out.settings(t, m.dir)
		m.env = append(m.env, centralEnv(etcd, prefix)...)
		if len(all) == n-1 { // one has a file of its own
			m.env = append(m.env, "FANLI_WITHDRAW_DAY_AMOUNT=100")
		}
		all = append(all, m)
		m.p = launch(t, m.env, serveArgs(m.args)...)
	}
	for _, m := range all {
		m.base = m.p.mustReady(t)
		m.me = callerAt(m.base)
	}
	return all
}

func centralEnv(etcd *etcdtest.Server, prefix string) []string {
	return []string{"FANLI_CENTRAL_ENABLED=true", "FANLI_REGISTRY_URL=" + etcd.URL(), "FANLI_REGISTRY_PREFIX=" + prefix, "FANLI_REGISTRY_LEASE=2s"}
}

// config is what /readyz says of the configuration.
func (m *member) config(t *testing.T) map[string]any {
	t.Helper()
	_, _, fields := fetch(t, http.MethodGet, m.base+"/readyz")
	c, _ := fields["config"].(map[string]any)
	return c
}

// awaitAll waits until what all say of their configuration holds, and returns how long
// that took.
func awaitAll(t *testing.T, all []*member, what string, holds func(map[string]any) bool) time.Duration {
	t.Helper()
	from := time.Now()
	for _, m := range all {
		for !holds(m.config(t)) {
			if time.Since(from) > patience {
				t.Fatalf("%s: %s says %v\n%s", what, m.base, m.config(t), m.p.log)
			}
			time.Sleep(10 * time.Millisecond) // other processes are at work
		}
	}
	return time.Since(from)
}

func runs(version float64) func(map[string]any) bool {
	return func(c map[string]any) bool { return c["version"] == version && c["refused"] == nil }
}

func refuses(version float64) func(map[string]any) bool {
	return func(c map[string]any) bool { return c["refused"] == version }
}

// wantShare asks for goods and holds the promise in the answer against a share of the
// commission.
func (m *member) wantShare(t *testing.T, out *outside, share money.Bps) {
	t.Helper()
	r := m.me.mustAsk(t, "https://item.jd.com/100012043978.html")
	_, l, err := out.world.Buy(shopLink(r), 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := l.Commission.Share(share).Yuan(); !strings.Contains(string(text), want) {
		t.Errorf("of a commission of %s nobody promises %s: %.600s", l.Commission, want, text)
	}
}

// stranger writes to an etcd without fanli.
func stranger(t *testing.T, etcd *etcdtest.Server) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func put(t *testing.T, c *clientv3.Client, key, value string) {
	t.Helper()
	if _, err := c.Put(t.Context(), key, value); err != nil {
		t.Fatal(err)
	}
}

// TestAConfigurationReachesEveryProcess changes the central configuration of several
// processes: what is sound counts in all of them within two seconds, what is broken in
// none, and a process can start while the etcd is gone.
func TestAConfigurationReachesEveryProcess(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	etcd := etcdtest.New(t)
	prefix, out := etcd.Prefix(t), newOutside(t)
	all := startMembers(t, out, etcd, prefix, 3)
	defer func() {
		for _, m := range all {
			if t.Failed() {
				t.Logf("%s:\n%s", m.base, m.p.log)
			}
		}
	}()
	awaitAll(t, all, "nothing central yet", runs(0))
	for _, m := range all {
		m.wantShare(t, out, 7000)
	}
	first := all[0]

	book := central.Open(clientv3.Config{Endpoints: []string{etcd.Endpoint()}, Logger: zap.NewNop()}, prefix)
	defer func() { _ = book.Close() }()
	if _, err := book.Publish(t.Context(), central.Head{}, central.Version{At: time.Now(), By: "cli:an", Note: "half", Text: "rebate: {base: 50%}\nzone: Asia/Tokyo\n"}); err != nil {
		t.Fatal(err)
	}
	took := awaitAll(t, all, "the first version", runs(1))
	t.Logf("a change has reached %d processes after %v", len(all), took)
	if took > reachLimit {
		t.Errorf("it took %v", took)
	}
	for _, m := range all {
		m.wantShare(t, out, 5000)
		if w := m.config(t)["waits"]; fmt.Sprint(w) != "[zone]" {
			t.Errorf("what waits for a restart is %v", w)
		}
	}

	// Somebody writes nonsense past all checks.
	c := stranger(t, etcd)
	put(t, c, prefix+"config/versions/0000000002", `{"by":"etcdctl","at":"2026-11-27T12:00:00Z","text":"rebate:\n  base: 5000%\n"}`)
	put(t, c, prefix+"config/current", "2")
	awaitAll(t, all, "a broken version", refuses(2))
	for _, m := range all {
		m.wantShare(t, out, 5000)
		if !strings.Contains(m.p.log.String(), "line 2: rebate.base: 5000% is not between 0% and 100% (in central v2)") {
			t.Errorf("the log does not say what is wrong:\n%s", m.p.log)
		}
	}
	history := cli(t, "", first.env, append([]string{"config", "history"}, first.args...)...)
	history.want(t, exitOK, "* v2", "  v1", "cli:an", "half", "runs v1; refuses v2: line 2: rebate.base: 5000%", "zone: it needs a restart", "0 of 3 processes run v2")

	// A process that starts anew while the broken one counts runs the good one, also
	// without the etcd.
	restart := func(m *member, what string) {
		t.Helper()
		m.p.kill()
		m.p = launch(t, m.env, serveArgs(m.args)...)
		m.base = m.p.mustReady(t)
		m.me = callerAt(m.base)
		if v := m.config(t)["version"]; v != 1.0 {
			t.Errorf("%s it runs v%v", what, v)
		}
		m.wantShare(t, out, 5000)
	}
	restart(all[1], "while v2 is broken")
	etcd.Kill(t)
	restart(first, "while the etcd is gone")
	stray := &member{dir: memoryDir(t)}
	stray.env, stray.args = out.settings(t, stray.dir)
	cli(t, "", append(stray.env, centralEnv(etcd, prefix)...), serveArgs(stray.args)...).want(t, exitUsage, "there is no copy of it", "FANLI_CENTRAL_ENABLED=false")
	etcd.Start(t)
	awaitAll(t, all, "the etcd is back", refuses(2))

	back := cli(t, "", first.env, append([]string{"config", "rollback", "1", "--as", "bo", "--wait", "1m"}, first.args...)...)
	back.want(t, exitOK, "v3 counts", "3 of 3 processes run v3")
	awaitAll(t, all, "back", runs(3))
	set := cli(t, "", first.env, append([]string{"config", "set", "rebate.base", "40%", "--note", "less", "--wait", "1m"}, first.args...)...)
	set.want(t, exitOK, "rebate.base: 50% → 40%  (at once)", "v4 counts", "3 of 3 processes run v4")
	for _, m := range all {
		m.wantShare(t, out, 4000)
	}
	// What is sound here and broken in one of them counts nowhere.
	bad := cli(t, "", first.env, append([]string{"config", "set", "withdraw.minimum", "150"}, first.args...)...)
	bad.want(t, exitFailed, "would refuse it: withdraw.day_amount: it is below withdraw.minimum", "nothing was changed")
	awaitAll(t, all, "as it was", runs(4))
	acts := cli(t, "", first.env, append([]string{"acts", "--what", configSet}, first.args...)...)
	acts.want(t, exitOK, "config/4", "rebate.base: 50% → 40%", "less", "cli:bo", "etcdctl", "config/1")
	if n := strings.Count(acts.out, "config/"); n != 4 {
		t.Errorf("%d acts, of four versions:\n%s", n, acts.out)
	}
	for _, m := range all {
		if code, took := m.p.stop(t); code != exitOK || took > stopLimit {
			t.Errorf("it stops with %d after %v\n%s", code, took, m.p.log)
		}
	}
}

// TestAConfigurationReachesAFleet does it to all targets in processes of their own, two
// of each: they share databases, and what one of them does to them it does once.
func TestAConfigurationReachesAFleet(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	f := newFleet(t, "central", "FANLI_CENTRAL_ENABLED=true")
	var all []*member
	for _, s := range f.ships {
		all = append(all, &member{p: s.p, base: s.p.out.base})
	}
	i := slices.IndexFunc(f.ships, func(s *ship) bool { return s.target == botTarget })
	talks := all[i]
	talks.me = callerAt(talks.base)
	awaitAll(t, all, "nothing central yet", runs(0))
	talks.wantShare(t, f.out, 7000)
	book := central.Open(clientv3.Config{Endpoints: []string{f.etcd.Endpoint()}, Logger: zap.NewNop()}, f.prefix)
	defer func() { _ = book.Close() }()
	doc := "rebate: {base: 50%}\nonly: {order: {zone: Asia/Tokyo}}\n"
	if _, err := book.Publish(t.Context(), central.Head{}, central.Version{At: time.Now(), By: "cli:an", Text: doc}); err != nil {
		t.Fatal(err)
	}
	took := awaitAll(t, all, "the first version", runs(1))
	t.Logf("a change has reached %d processes after %v", len(all), took)
	if took > reachLimit {
		t.Errorf("it took %v", took)
	}
	talks.wantShare(t, f.out, 5000)
	for i, m := range all {
		if waits := m.config(t)["waits"] != nil; waits != (f.ships[i].target == orderTarget) {
			t.Errorf("%s waits for a restart: %t", f.ships[i].name, waits)
		}
	}
	c := stranger(t, f.etcd)
	put(t, c, f.prefix+"config/versions/0000000002", `{"text":"rebate: {base: 50%, no: 1}"}`)
	put(t, c, f.prefix+"config/current", "2")
	awaitAll(t, all, "a broken version", refuses(2))
	talks.wantShare(t, f.out, 5000)
	cli(t, "", f.books.env, append([]string{"config", "history"}, f.books.args...)...).want(t, exitOK, "0 of 14 processes run v2", "there is no such key")
	acts := cli(t, "", f.books.env, append([]string{"acts", "--what", configSet}, f.books.args...)...)
	if n := strings.Count(acts.out, "config/"); n != 2 {
		t.Errorf("%d acts, of two versions:\n%s%s", n, acts.out, acts.err)
	}
	rules := cli(t, "", f.books.env, append([]string{"rules", "history"}, f.books.args...)...)
	if n := strings.Count(rules.out, "configuration"); n != 2 {
		t.Errorf("%d versions of the rules, of two configurations:\n%s%s", n, rules.out, rules.err)
	}
	cli(t, "", f.books.env, append([]string{"config", "rollback", "1", "--wait", "1m"}, f.books.args...)...).want(t, exitOK, "14 of 14 processes run v3")
}

// TestTheCentralConfigurationFromTheCommandLine needs no process that runs.
func TestTheCentralConfigurationFromTheCommandLine(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Shared(t)
	prefix := etcd.Prefix(t)
	dir := t.TempDir()
	env := append(centralEnv(etcd, prefix), "FANLI_WITHDRAW_MAXIMUM=150")
	fanli := func(args ...string) result { return cli(t, "", env, append(args, "--data", dir, "--config", "")...) }
	fanli("config", "history").want(t, exitOK, "there is no version yet", "0 of 0 processes run v0")
	fanli("config", "diff").want(t, exitOK, "no value differs")

	r := fanli("config", "set", "withdraw.minimum", "2.50", "zone", "Asia/Tokyo", "withdraw.maximum", "90", "--dry-run")
	r.want(t, exitOK, "withdraw.minimum: 1.00 → 2.50  (at once)", "zone: Asia/Shanghai → Asia/Tokyo  (it needs a restart)", "withdraw.maximum does not count where FANLI_WITHDRAW_MAXIMUM is set", "nothing was changed")
	fanli("config", "get", "withdraw.minimum").want(t, exitOK, "1.00\n")

	r = fanli("config", "set", "withdraw.minimum", "2.50", "--note", "why not")
	if r.code != exitOK || !strings.Contains(r.out, "v1 counts") || !strings.Contains(r.err, "there is no database in "+dir) {
		t.Errorf("%+v", r)
	}
	if got := fanli("config", "get", "withdraw.minimum"); got.out != "2.50\n" {
		t.Errorf("%q", got.out)
	}
	fanli("config", "show", "withdraw").want(t, exitOK, "# central v1", "withdraw.maximum: 150", "# FANLI_WITHDRAW_MAXIMUM", "# default")
	fanli("config", "set", "withdraw.minimum", "2.50").want(t, exitOK, "v1 says the same")
	for _, wrong := range []struct {
		args []string
		says string
	}{
		{[]string{"set", "withdraw.minimum", "0"}, "line 2: withdraw.minimum: the least is 0.01 (in the new version)"},
		{[]string{"set", "withdraw.minimim", "3"}, "did you mean minimum?"},
		{[]string{"set", "telegram.token", "123:secret"}, "secrets do not belong there"},
		{[]string{"set", "listen", ":80"}, "each process has an address of its own"},
		{[]string{"set", "--target", "payment", "withdraw.auto", "many"}, `withdraw.auto: "many" is not an amount`},
		{[]string{"set", "--target", "money", "withdraw.auto", "3"}, `"money" is none of gateway`},
		{[]string{"set", "withdraw.minimum"}, "a value for each key"},
		{[]string{"set", "withdraw.minimum", "3", "--file", "x"}, "or --file"},
		{[]string{"set", "--file", filepath.Join(dir, "none")}, "no such file"},
		{[]string{"rollback", "9"}, "there is no version 9"},
		{[]string{"rollback", "x"}, "is not the number of a version"},
		{[]string{"diff", "9"}, "there is no version 9"},
		{[]string{"get", "withdraw.none"}, "there is no key"},
	} {
		fanli(append([]string{"config"}, wrong.args...)...).want(t, exitUsage, wrong.says)
	}
	fanli("config", "set", "withdraw.minimum", "3", "--expect", "7").want(t, exitFailed, "v1 counts, not v7")

	doc := filepath.Join(dir, "doc.yaml")
	if err := os.WriteFile(doc, []byte("withdraw: {minimum: 5}\nonly: {payment: {log: {level: debug}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r = fanli("config", "set", "--file", doc)
	if r.code != exitOK || !strings.Contains(r.out, "withdraw.minimum: 2.50 → 5  (at once)\nfor payment: log.level: info → debug  (at once)\nv2 counts") {
		t.Errorf("%+v", r)
	}
	fanli("config", "diff", "1", "2").want(t, exitOK, "withdraw.minimum: 2.50 → 5", "for payment: log.level: info → debug")
	fanli("config", "diff").want(t, exitOK, "withdraw.minimum: 1.00 → 5")
	if r = fanli("config", "unset", "withdraw.minimum"); r.code != exitOK || !strings.Contains(r.out, "withdraw.minimum: 5 → 1.00") {
		t.Errorf("%+v", r)
	}
	if r = fanli("config", "rollback", "1"); r.code != exitOK || !strings.Contains(r.out, "v4 counts") {
		t.Errorf("%+v", r)
	}
	fanli("config", "diff", "1").want(t, exitOK, "no value differs")
	fanli("config", "history").want(t, exitOK, "* v4", "back to v1", "why not")
	fanli("check").want(t, exitOK, "the configuration is sound")

	// What is no version at all can be replaced.
	put(t, stranger(t, etcd), prefix+"config/current", "nonsense")
	r = fanli("config", "set", "withdraw.minimum", "3")
	r.want(t, exitFailed, "holds no number of a version", "rollback")
	if r = fanli("config", "get", "withdraw.minimum"); r.out != "1.00\n" && r.out != "2.50\n" || !strings.Contains(r.err, "is broken") {
		t.Errorf("%+v", r)
	}
	if r = fanli("config", "rollback", "4"); r.code != exitOK || !strings.Contains(r.out, "v5 counts") {
		t.Errorf("%+v", r)
	}
}

// TestConfigWithoutAnEtcd looks at the operator's file.
func TestConfigWithoutAnEtcd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.yaml")
	if err := os.WriteFile(path, []byte("withdraw: {minimum: 2}\ntelegram: {token: \"123456:abcdefghijklmnopqrstuvwxyzABCDEFGHI\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fanli := func(args ...string) result { return cli(t, "", nil, append(args, "--config", path)...) }
	fanli("config", "get", "withdraw.minimum").want(t, exitOK, "2\n")
	r := fanli("config", "show")
	r.want(t, exitOK, "withdraw.minimum: 2", "# file", "# default", "telegram.token: (secret)")
	if strings.Contains(r.out, "abcdef") {
		t.Error("a secret is shown")
	}
	fanli("config", "diff").want(t, exitOK, "withdraw.minimum: 1.00 → 2  (at once)", `telegram.token: "" → (secret)  (it needs a restart)`)
	fanli("config", "set", "withdraw.minimum", "3", "--dry-run").want(t, exitOK, "withdraw.minimum: 2 → 3", "nothing was changed")
	fanli("config", "set", "withdraw.minimum", "x", "--dry-run").want(t, exitUsage, `withdraw.minimum: "x" is not an amount`)
	for _, args := range [][]string{{"set", "withdraw.minimum", "3"}, {"history"}, {"rollback", "1"}, {"diff", "1"}} {
		fanli(append([]string{"config"}, args...)...).want(t, exitUsage, "there is no central configuration", "change the file of --config")
	}
}

// TestSettingsAreKeys holds the table of what can change against what there is.
func TestSettingsAreKeys(t *testing.T) {
	t.Parallel()
	known := below("")
	for _, s := range settings() {
		for _, k := range s.keys {
			if !slices.Contains(known, k) {
				t.Errorf("there is no key %s", k)
			}
		}
		if s.says == "" || s.apply == nil {
			t.Errorf("%v says nothing or does nothing", s.keys)
		}
	}
}
