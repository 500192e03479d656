// Package foreign lets libraries of other languages talk to WeCom's fake and to our own
// channel: what they take for WeCom, we may take for WeCom, too, and what they encrypt we
// must be able to read.
package foreign_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot/foreigntest"
	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/servertest"
)

// A pair is the fake and our own channel, each reached over HTTP.
type pair struct {
	fake         *kffake.Server
	server, ours string
	heard        atomic.Int64 // callbacks that our channel takes for WeCom's
}

func open(t *testing.T) *pair {
	t.Helper()
	p := &pair{fake: kffake.New(kffake.Config{})}
	channel, err := kf.New(kf.Options{
		CorpID: p.fake.CorpID(), Token: p.fake.Token(), AESKey: p.fake.AESKey(), OpenKfID: p.fake.OpenKfID(), Every: time.Hour,
		Platform: nothing{}, Book: nothing{}, Marks: nothing{}, Mail: &mail.Engine{Store: &mailtest.Store{}, Now: time.Now}, Now: time.Now,
		Count: func(what, how string) {
			if what == "heard" && how == "hint" {
				p.heard.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for at, h := range map[*string]http.Handler{&p.server: p.fake, &p.ours: channel} {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		*at = s.URL
	}
	return p
}

// says runs a program and holds what it says against what is wanted.
func (p *pair) says(t *testing.T, c *exec.Cmd, want ...string) {
	t.Helper()
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	if err := c.Run(); err != nil {
		t.Fatalf("it ends with %v:\n%s%s", err, out.String(), problems.String())
	}
	got := strings.Split(out.String(), "\n")
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if got = got[:len(got)-1]; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := p.heard.Load(); n != 1 {
		t.Errorf("our channel takes %d callbacks for WeCom's", n)
	}
}

// TestForeignCallbacks lets @wecom/crypto decrypt what the fake pushes and refuse what is
// forged, and our channel decrypt what @wecom/crypto encrypts and refuse the same.
func TestForeignCallbacks(t *testing.T) {
	t.Parallel()
	p := open(t)
	c := foreigntest.Node(t, "node/callback.cjs", p.server, p.ours, p.fake.CorpID(), p.fake.OpenKfID(), p.fake.Token(), p.fake.AESKey())
	p.says(t, c, "check ok", "pushed kf_msg_or_event true true 63", "forged signature 403", "forged corp 403", "forged unencrypted 403",
		"our check 200 12345返利", "our callback 200 success", "another key 400", "another company 403", "another token 403", "another form 400", "end")
}

// TestPythonCallbacks does the same with Python's cryptography.
func TestPythonCallbacks(t *testing.T) {
	t.Parallel()
	program := servertest.Need(t, "/usr/bin/python3")
	if exec.CommandContext(t.Context(), program, "-W", "ignore", "-c", "import cryptography").Run() != nil {
		foreigntest.Missing(t, "python3-cryptography")
	}
	p := open(t)
	var pushed []byte
	p.fake.Connect("http://us/", kffake.Local(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		said := map[string]string{"body": string(body)}
		for k := range r.URL.Query() {
			said[k] = r.URL.Query().Get(k)
		}
		if pushed, err = json.Marshal(said); err != nil {
			t.Error(err)
		}
	})))
	p.fake.Say(t.Context(), "wmAnn", "返利")
	c := exec.CommandContext(t.Context(), program, "-W", "ignore", "python/callback.py", p.ours, p.fake.CorpID(), p.fake.OpenKfID(), p.fake.Token(), p.fake.AESKey())
	c.Stdin = bytes.NewReader(pushed)
	p.says(t, c, "signed True", "pushed kf_msg_or_event True True", "our callback 200 success", "another company 403")
}

// nothing is what a channel that does not run is not asked for.
type nothing struct {
	kf.Platform
	kf.Book
	kf.Marks
}
