package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fanli/core/logtest"
)

// A result is what a command left behind.
type result struct {
	code     int
	out, err string
}

// cli runs a command in this process, with standard input and an environment of
// "NAME=value".
func cli(t testing.TB, in string, env []string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	logtest.Environment(env)
	code := run(t.Context(), args, stdio{strings.NewReader(in), &out, logtest.Tee(&errs, logtest.Process(env, args)), lookupIn(env)})
	return result{code, out.String(), errs.String()}
}

// lookupIn looks names up in an environment.
func lookupIn(env []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if i < 0 {
			return "", false
		}
		return env[i][len(name)+1:], true
	}
}

// want holds a result against what it should be.
func (r result) want(t testing.TB, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("it ends with %d, want %d", r.code, code)
	}
	for _, w := range texts {
		if !strings.Contains(r.out+r.err, w) {
			t.Errorf("it does not say %q", w)
		}
	}
	if code == exitOK && r.err != "" {
		t.Error("it complains")
	}
	if t.Failed() {
		t.Logf("out:\n%.2000s\nerr:\n%.2000s", r.out, r.err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"", exitOK, "recognise"},
		{"--help", exitOK, "Exit codes: 0 done"},
		{"help serve", exitOK, "/livez"},
		{"version", exitOK, "fanli dev"},
		{"nonsense", exitUsage, `there is no command "nonsense"`},
		{"servee", exitUsage, "did you mean serve?"},
		{"--nonsense", exitUsage, "unknown flag: --nonsense"},
		{"serve --nonsense", exitUsage, "unknown flag: --nonsense"},
		{"serve now", exitUsage, "takes no arguments"},
		{"serve --listen", exitUsage, "needs an argument"},
		{"serve --targets order", exitUsage, "SQLite serves one process"},
		{"serve --targets all,order", exitUsage, "all are all"},
		{"serve --targets orders", exitUsage, `"orders" is not all, nor one of gateway, bot, user`},
		{"recognise file", exitUsage, "takes no arguments"},
		{"demo --json", exitUsage, "unknown flag: --json"},
		{"withdrawals nonsense 1", exitUsage, `there is no command "withdrawals nonsense"; fanli withdrawals --help lists them`},
		{"withdrawals aprove 1", exitUsage, `there is no command "withdrawals aprove"; did you mean approve?`},
		{"claims grant", exitUsage, `write "fanli claims grant`},
		{"events retry", exitUsage, "fanli events retry --help says more"},
		{"notices --user abc", exitUsage, `invalid argument "abc" for "--user" flag: it takes a number`},
		{"withdrawals approve", exitUsage, "the number of one withdrawal"},
		{"withdrawals approve 1 2", exitUsage, "the number of one withdrawal"},
		{"check --config /nowhere/fanli.yaml", exitUsage, "/nowhere/fanli.yaml"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			r := cli(t, "", nil, strings.Fields(tt.args)...)
			r.want(t, tt.code, tt.want)
			if tt.code != exitOK && (r.out != "" || !strings.HasPrefix(r.err, "fanli: ") || strings.Count(r.err, "\n") != 1) {
				t.Errorf("a mistake is one line on standard error:\n%s%s", r.out, r.err)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r := cli(t, "", nil, "version")
	r.want(t, exitOK)
	if !regexp.MustCompile(`^fanli \S+( [0-9a-f]{12})? go1\.\d+\S* \w+/\w+\n$`).MatchString(r.out) {
		t.Errorf("%q", r.out)
	}
}

const (
	jdItem = "https://item.jd.com/100012043978.html"
	jdJSON = `{"network":"jd","kind":"item","id":"100012043978","url":"https://item.jd.com/100012043978.html"}`
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []string // one array a line; "?" for any
	}{
		{"nothing at all", "", nil},
		{"an empty line", "\n", []string{"[]"}},
		{"a line of blanks", "   \t\n", []string{"[]"}},
		{"nothing in it", "今天天气不错\n", []string{"[]"}},
		{"a link", jdItem + "\n", []string{"[" + jdJSON + "]"}},
		{"a link in a sentence", "看看 " + jdItem + " 怎么样\n", []string{"[" + jdJSON + "]"}},
		{"no line feed at the end", jdItem, []string{"[" + jdJSON + "]"}},
		{"lines of another system", jdItem + "\r\n\r\n" + jdItem + "\r\n", []string{"[" + jdJSON + "]", "[]", "[" + jdJSON + "]"}},
		{"a line feed in a message", `第一行\n` + jdItem + `\n第三行`, []string{"[" + jdJSON + "]"}},
		{"empty lines between", "\n\n" + jdItem + "\n\n", []string{"[]", "[]", "[" + jdJSON + "]", "[]"}},
		{"two links in order", "https://mobile.yangkeduo.com/goods.html?goods_id=445566778803 " + jdItem + "\n", []string{
			`[{"network":"pdd","kind":"item","id":"445566778803","url":"https://mobile.yangkeduo.com/goods.html?goods_id=445566778803"},` + jdJSON + "]",
		}},
		{"a line of two megabytes", strings.Repeat("长", 700_000) + " " + jdItem + "\n" + jdItem + "\n", []string{"?", "[" + jdJSON + "]"}},
		{"two megabytes behind a link", jdItem + " " + strings.Repeat("x", 2<<20) + "\n" + jdItem, []string{"[" + jdJSON + "]", "[" + jdJSON + "]"}},
		{"no UTF-8", "\xff\xfe " + jdItem + " \xc3\n", []string{"[" + jdJSON + "]"}},
		{"zeros", "\x00\x00 " + jdItem + "\n", []string{"[" + jdJSON + "]"}},
		{"quotes and brackets", `"]}' <b>&` + "\n", []string{"[]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := cli(t, tt.in, nil, "recognise", "--json")
			r.want(t, exitOK)
			wantArrays(t, r.out, tt.want)
		})
	}
}

// wantArrays holds lines of JSON against arrays.
func wantArrays(t *testing.T, out string, want []string) {
	t.Helper()
	lines := strings.SplitAfter(out, "\n")
	if last := len(lines) - 1; lines[last] != "" {
		t.Errorf("the last line does not end: %.100q", lines[last])
	}
	lines = lines[:len(lines)-1]
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%.2000s", len(lines), len(want), out)
	}
	for i, line := range lines {
		var refs []map[string]string
		if err := json.Unmarshal([]byte(line), &refs); err != nil || refs == nil || !utf8.ValidString(line) {
			t.Errorf("line %d is no array: %v: %.100q", i, err, line)
		}
		for _, r := range refs {
			for k, v := range r {
				if !slices.Contains([]string{"network", "kind", "id", "token", "url", "title"}, k) || v == "" {
					t.Errorf("line %d has %q: %q", i, k, v)
				}
			}
		}
		if want[i] != "?" && line != want[i]+"\n" {
			t.Errorf("line %d is\n%swant\n%s", i, line, want[i])
		}
	}
}

// TestRecogniseAnswersAtOnce is how another program talks with it: it asks a line
// and waits for its answer before it asks the next.
func TestRecogniseAnswersAtOnce(t *testing.T) {
	t.Parallel()
	in, ask := io.Pipe()
	answer, out := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{"recognise", "--json"}, stdio{in, out, io.Discard, lookupIn(nil)})
		_ = out.Close()
	}()
	lines := bufio.NewReader(answer)
	for i := range 3 {
		if _, err := fmt.Fprintf(ask, "https://item.jd.com/10001204397%d.html\n", i); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, fmt.Sprintf(`"id":"10001204397%d"`, i)) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	_ = ask.Close()
	if code := <-done; code != exitOK {
		t.Error(code)
	}
}

func TestRecogniseForPeople(t *testing.T) {
	t.Parallel()
	r := cli(t, "看看 "+jdItem+"\n\n", nil, "recognise")
	r.want(t, exitOK)
	if r.out != "jd item 100012043978 "+jdItem+"\n-\n" {
		t.Errorf("%q", r.out)
	}
}

// fiveMistakes is a configuration as a bad day makes it, with secrets beside the
// mistakes.
const fiveMistakes = `listn: 127.0.0.1:1
log: {level: loud}
networks:
  jd:
    app_kye: k
    app_secret: S3cret-jd
rebate:
  base: 700%
withdraw:
  maximum: ten
telegram:
  token: 12345:S3cret_token
`

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := write("bad.yaml", fiveMistakes)
	for _, command := range []string{"check", "serve", "migrate", "sync", "withdrawals", "chat", "audit"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(dir, command)
			r := cli(t, "", nil, command, "--config", bad, "--data", data)
			r.want(t, exitUsage,
				"fanli: line 1: listn: there is no such key; did you mean listen?\n",
				"fanli: line 2: log.level: \"loud\" is not", "fanli: line 5: networks.jd.app_kye: there is no such key; did you mean app_key?\n",
				"fanli: line 8: rebate.base: 700% is not between 0% and 100%\n", "fanli: line 10: withdraw.maximum: \"ten\" is not")
			if n := strings.Count(r.err, "\n"); n != 6 { // and the app key that is therefore missing
				t.Errorf("%d lines instead of 6", n)
			}
			if strings.Contains(r.out+r.err, "S3cret") {
				t.Error("a secret is shown")
			}
			if _, err := os.Stat(data); err == nil {
				t.Error("something was started all the same")
			}
		})
	}
	cli(t, "", nil, "check").want(t, exitOK, "in the sandbox")
	secret := write("secret", "S3cret-from-a-file\n")
	live := write("live.yaml", "networks: {jd: {app_key: k}}\n")
	cli(t, "", nil, "check", "--config", live).want(t, exitUsage, "networks.jd.app_secret: is missing")
	r := cli(t, "", []string{"FANLI_NETWORKS_JD_APP_SECRET_FILE=" + secret}, "check", "--config", live)
	r.want(t, exitOK, "with the configured networks")
	r = cli(t, "", []string{"FANLI_NETWORKS_JD_APP_SECRET_FILE=" + secret, "FANLI_REBATE_BASE=7000%"}, "check", "--config", live)
	r.want(t, exitUsage, "fanli: rebate.base: 7000% is not between 0% and 100% (from FANLI_REBATE_BASE)\n")
	if strings.Contains(r.out+r.err, "S3cret") {
		t.Error("a secret is shown")
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	before, from := shareOf(os.Getpid()), time.Now()
	r := cli(t, "", nil, "demo")
	watch := time.Since(from)
	took := ownTime(watch, before, shareOf(os.Getpid()))
	t.Logf("the story takes %v, %v of them its own", watch.Round(time.Millisecond), took.Round(time.Millisecond))
	r.want(t, exitOK, "the proof holds", "sum of all balances ¥0.00", "飞利浦电动牙刷", "记为欠款", "network/jd", "claw", "repay")
	if underRace {
		return // which takes ten times as long
	}
	if limit := 20 * time.Second; took > limit {
		t.Errorf("longer than %v", limit)
	}
	again := cli(t, "", nil, "demo")
	if steps(again.out) != steps(r.out) {
		t.Errorf("the story is another one the second time:\n%s\n%s", steps(r.out), steps(again.out))
	}
}

// steps is the ledger of a demo.
func steps(out string) string {
	_, book, _ := strings.Cut(out, "—— 账本")
	return book
}

// TestChatInAPipe talks with the bot as a script does.
func TestChatInAPipe(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	talk := "你好\n\n看看\\n" + jdItem + "\n余额"
	r := cli(t, talk, nil, "chat", "--data", dir)
	r.want(t, exitOK, "返利助手", "美的电水壶", "券后价", "http://127.0.0.1:", "可提现")
	if strings.Contains(r.out, "> ") {
		t.Error("it prompts, though nobody sits there")
	}
	// The next one is the same person, and another one is not.
	cli(t, "你好\n", nil, "chat", "--data", dir).want(t, exitOK)
	other := cli(t, "订单\n", nil, "chat", "--data", dir, "--as", "somebody")
	other.want(t, exitOK, "你好，我是返利助手")
	cli(t, "", nil, "chat", "--data", dir).want(t, exitOK)
	own, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.close() }()
	cli(t, "你好\n", nil, "chat", "--data", dir).want(t, exitFailed, "another fanli", "--data")
}

// urlForm finds links in a reply.
var urlForm = regexp.MustCompile(`http://127\.0\.0\.1:\d+/\S+`)

// TestSync has a network's orders followed by hand, without a process that serves.
func TestSync(t *testing.T) {
	t.Parallel()
	dir, out := memoryDir(t), newOutside(t)
	env, args := out.settings(t, dir)
	cli(t, "", env, append([]string{"sync"}, args...)...).want(t, exitOK, "jd/main/update/follow", "0 order lines")
	r := cli(t, jdItem+"\n", env, append([]string{"chat"}, args...)...)
	r.want(t, exitOK, "券后价")
	network, l, err := out.world.Buy(urlForm.FindString(r.out), 1)
	if err != nil || network != "jd" {
		t.Fatal(network, err)
	}
	for from := time.Now(); ; { // networks tell of an order when its second is over
		if r = cli(t, "", env, append([]string{"sync"}, args...)...); strings.Contains(r.out, "1 order lines, 0 of them nobody's") {
			break
		}
		if time.Since(from) > patience {
			t.Fatalf("order %s is not followed:\n%s%s", l.Order, r.out, r.err)
		}
	}
	cli(t, "订单\n", env, append([]string{"chat"}, args...)...).want(t, exitOK, "美的电水壶")
	if err := out.world.Fail("jd", "denied"); err != nil {
		t.Fatal(err)
	}
	r = cli(t, "", env, append([]string{"sync"}, args...)...)
	r.want(t, exitFailed, "failing since")
	if strings.Contains(r.out+r.err, out.world.Endpoints()["jd"].Secret) {
		t.Error("a secret is shown")
	}
}

// A process of a split is told whom it could not ask, before anything starts.
func TestASplitKnowsWhomItAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "fanli.yaml")
	text := "targets: [rebate]\nnetworks: {jd: {app_key: k, app_secret: s}}\n" +
		"database: {dsn: \"mysql://u:p@127.0.0.1:1/fanli_{target}\", seal_key: \"" + strings.Repeat("6b", sealKeyLen) + "\"}\n" +
		"peers: {listen: \"127.0.0.1:0\", token: sixteen bytes or more, targets: {user: \"static:127.0.0.1:1\"}}\nbroker: {url: \"amqp://h/\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "serve"} {
		r := cli(t, "", nil, command, "--config", file, "--data", filepath.Join(dir, "data"))
		r.want(t, exitUsage, "fanli: peers.targets.payment: rebate asks it; where does it answer?")
		if strings.Contains(r.err, "peers.targets.user") {
			t.Errorf("%s does not know whom it has: %s", command, r.err)
		}
	}
}
