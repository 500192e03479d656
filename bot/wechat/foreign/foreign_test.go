// Package foreign lets libraries of other languages talk to WeChat's fake: what they take
// for WeChat, our own channel may take for WeChat, too.
package foreign_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanli/bot/foreigntest"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/servertest"
)

// vector is a known answer of the crypto, which Go's library has made.
const vector = `{
	"token": "kattoken", "key": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg", "app": "wxkat0000000000001",
	"time": "1700000000", "nonce": "katnonce", "random": "0123456789abcdef",
	"message": "<xml><ToUserName><![CDATA[gh_test]]></ToUserName><FromUserName><![CDATA[oUser1]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[返利]]></Content><MsgId>10000001</MsgId></xml>",
	"sealed": "7u6AzIY8n+C9cbLnyBULl94rHxIUyQ4tMKavNsPwo6y1ge8zG6vII8SUhvqsYLdtBn+hwwLafidmet5K/SZrlwn2Iz2KofbRiNJ1UIqEhVjhpl+JOBNW9cwd0M2a2qnaZxde7rRPLhryDXoFaI/ZzZWbpuU8vdYEq+ljcErfTBXnzfnt4Mvb6GH9Sb0OEqxzw2EHeX79eOvGTp1S0zPMn+1//P7wvfwO5GR6jab6KzEasPcivdcnW5BoY64Hk6AxUJAkdTcCYd0Mp4NjWQsE73kTZZ8qT9LoRoYMaKY/e5v4nSLh/NudY7wxi/Tcf6AIet69s59DRzjvFyfpgNJegArj/4ne+F/KdCd8FTJcZKH989pGyXvq+5dEPmjq6eZJ",
	"signature": "3a7604dfaf84226f79bbc566df4a02a7e595e393"
}`

// run runs a program to its end and returns the lines that it says.
func run(t *testing.T, c *exec.Cmd) []string {
	t.Helper()
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	if err := c.Run(); err != nil {
		t.Fatalf("it ends with %v:\n%s%s", err, out.String(), problems.String())
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// equal holds lines against those that are wanted.
func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// without returns lines without what matches a pattern, but for its group.
func without(pattern string, lines []string) []string {
	re, out := regexp.MustCompile(pattern), slices.Clone(lines)
	for i := range out {
		out[i] = re.ReplaceAllString(out[i], "$1")
	}
	return out
}

// TestForeignClient makes the calls of co-wechat-api: both kinds of tokens, one that was
// lost, customer messages and their quota, a file, a template, the menu, a code, tags.
func TestForeignClient(t *testing.T) {
	t.Parallel()
	quiet := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "success") })
	fake := wechatfake.New(wechatfake.Config{Callback: "http://us/", Client: wechatfake.Local(quiet)})
	server := httptest.NewServer(fake)
	defer server.Close()
	said := run(t, foreigntest.Node(t, "node/api.cjs", server.URL, fake.AppID(), fake.Secret()))
	fake.Settle()
	equal(t, said, []string{
		"the sixth WeChatAPIError 45047", "who never wrote WeChatAPIError 45015", "nobody WeChatAPIError 40003", "template 0 9",
		"menu 我的 balance", "a menu without a key WeChatAPIError 40019", "no menu WeChatAPIError 46003", "code 3600 weixin.qq.com true",
		"user 1 bob true", "another secret WeChatAPIError 40125", "end",
	})
	equal(t, without(`() \w{64}`, fake.Lines("ann")), []string{"返利 <b>", "by the stable token", "by a new token", "[shop | its page | https://example.com/]", "<image>"})
	equal(t, fake.Lines("bob"), []string{"(TM) thing1=paid"})
}

// python returns how to run a callback whose crypto is a package of Debian's, and therefore
// known to Debian's python only.
func python(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program := servertest.Need(t, "/usr/bin/python3")
	if err := exec.CommandContext(t.Context(), program, "-c", "import cryptography").Run(); err != nil {
		foreigntest.Missing(t, "python3-cryptography")
	}
	return exec.CommandContext(t.Context(), program, append([]string{"python/callback.py"}, args...)...)
}

// TestForeignCallbacks lets three unrelated packages, of two languages, decrypt what the
// fake pushes and encrypt what it reads. An answer that is wrong is none, and the notice of
// the platform says so; what is forged they refuse.
func TestForeignCallbacks(t *testing.T) {
	t.Parallel()
	for _, library := range []string{"wechat-crypto", "@wecom/crypto", "cryptography"} {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			fake := wechatfake.New(wechatfake.Config{Mode: wechatfake.Safe, Tries: 1})
			server := httptest.NewServer(fake)
			defer server.Close()
			var c *exec.Cmd
			if library == "cryptography" {
				c = python(t, server.URL, fake.AppID(), fake.Token(), fake.AESKey())
			} else {
				c = foreigntest.Node(t, "node/callback.cjs", library, server.URL, fake.AppID(), fake.Token(), fake.AESKey())
			}
			c.Stdin = strings.NewReader(vector)
			said := run(t, c)
			equal(t, without(`(^another key: faulted) .*`, said), []string{ // noise is wrong in many ways
				"known true true true", "with another key false", "check true",
				"返利 <b> & 🧧: shown 你说 返利 <b> & 🧧", "silence: silent",
				"another key: faulted", `another app: faulted encrypted for "wx0000000000000000"`, "another token: faulted a wrong MsgSignature",
				"forged msg_signature 403", "forged appid 403", "forged unencrypted 403", "end",
			})
			equal(t, fake.Lines("ann"), []string{"你说 返利 <b> & 🧧", wechatfake.Notice, wechatfake.Notice, wechatfake.Notice})
		})
	}
}
