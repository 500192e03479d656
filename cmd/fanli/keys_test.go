package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	rest "fanli/adapters/gateway"
	"fanli/core/logtest"
)

// TestKeysLetProgramsIn makes a key beside a process that serves, asks with it, and
// revokes it. Both acts are in the record.
func TestKeysLetProgramsIn(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir := memoryDir(t)
	p := launch(t, nil, serveArgs([]string{"--data", dir})...)
	base := p.mustReady(t)
	keys := func(args ...string) result {
		return cli(t, "", nil, append(append([]string{"keys"}, args...), "--data", dir)...)
	}
	keys("list").want(t, exitOK, "there are none")
	made := keys("create", "--client", "acme", "--scopes", "wallet:read,users:act", "--addresses", "127.0.0.1,::1", "--by", "wang", "--reason", "they signed")
	made.want(t, exitOK, "key 1 of acme", "the only time")
	key, _, _ := strings.Cut(made.out, "\n")
	if !regexp.MustCompile(`^fk_[a-z0-9]{8}_[a-z0-9]{40}$`).MatchString(key) {
		t.Fatalf("the key is %q", key)
	}
	ask := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+rest.Path+"me", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := (&http.Client{Timeout: patience}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if got := ask(); got != http.StatusOK {
		t.Errorf("with the key: %d", got)
	}
	list := keys("list")
	list.want(t, exitOK, "acme", "open", "wallet:read users:act; from 127.0.0.1/32 ::1/128", "used "+time.Now().Format("2006"))
	if strings.Contains(list.out, key) {
		t.Error("the list has the key")
	}
	keys("revoke", "1", "--by", "li", "--reason", "they left").want(t, exitOK, "opens nothing any more")
	if got := ask(); got != http.StatusUnauthorized {
		t.Errorf("with the revoked key: %d", got)
	}
	keys("list").want(t, exitOK, "revoked")
	until := time.Now().Add(patience)
	for {
		acts := cli(t, "", nil, "acts", "--data", dir)
		if strings.Contains(acts.out, "key.make") && strings.Contains(acts.out, "key.revoke") && strings.Contains(acts.out, "they left") {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the record says\n%s", acts.out)
		}
		time.Sleep(20 * time.Millisecond) // another process carries it there
	}
	if text := p.log.String(); strings.Contains(text, key) {
		t.Error("the log has the key")
	}
}

func TestKeysThatMakeNoSense(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := map[string]string{"--client": "acme", "--scopes": "wallet:read", "--by": "wang", "--reason": "they signed"}
	for what, text := range map[string]string{
		"--client=Acme Inc": "small letters", "--scopes=all": "is not one of", "--scopes=": "without scopes", "--by=": "--by NAME", "--reason=": "--reason TEXT",
		"--addresses=here": "is not an address", "--days=-1": "between 0 and 3660",
	} {
		flag, value, _ := strings.Cut(what, "=")
		args := []string{"keys", "create", "--data", dir, flag, value}
		for f, v := range good {
			if f != flag {
				args = append(args, f, v)
			}
		}
		cli(t, "", nil, args...).want(t, exitUsage, text)
	}
	cli(t, "", nil, "keys", "create", "--data", dir, "--client", "a", "--scopes", "wallet:read", "--by", "w", "--reason", "r", "--user", "7").want(t, exitFailed, "no user 7")
	cli(t, "", nil, "keys", "revoke", "1", "--data", dir, "--by", "w", "--reason", "r").want(t, exitFailed, "no key 1")
	cli(t, "", nil, "keys", "revoke", "one", "--data", dir).want(t, exitUsage, "not the number of a key")
	cli(t, "", nil, "keys", "list", "--data", dir).want(t, exitOK, "there are none")
}

// TestWhatIsHandedOnSaysWhoAsked: the target behind hears the address that the edge
// believes, and the id; what a stranger wrote is gone.
func TestWhatIsHandedOnSaysWhoAsked(t *testing.T) {
	t.Parallel()
	var heard http.Header
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard = r.Header }))
	t.Cleanup(behind.Close)
	log := logtest.New(nil)
	p := newPool(log)
	if err := p.set([]string{behind.URL}); err != nil {
		t.Fatal(err)
	}
	for remote, want := range map[string]string{"10.0.0.7:1": "198.51.100.1", "192.0.2.7:1": "192.0.2.7"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "203.0.113.1, 198.51.100.1")
		out := httptest.NewRecorder()
		rest.NewEdge(rest.EdgeOptions{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Log: log}).Wrap(handOn(p, log)).ServeHTTP(out, r)
		if got := heard.Get("X-Forwarded-For"); got != want || heard.Get("X-Request-Id") != out.Header().Get("X-Request-Id") {
			t.Errorf("from %s it hears %q, %v", remote, got, heard)
		}
	}
}
