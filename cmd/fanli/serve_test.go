package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanli/bot"
	"fanli/core/link"
)

// What serve promises.
const (
	stopLimit  = 5 * time.Second
	replyLimit = time.Second
	idleKiB    = 40 << 10
)

// fetch asks a process and returns status, headers and JSON fields.
func fetch(t testing.TB, method, url string) (status int, h http.Header, fields map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_ = json.NewDecoder(resp.Body).Decode(&fields) // pages have none
	return resp.StatusCode, resp.Header, fields
}

// readyNow waits until /readyz agrees.
func readyNow(t testing.TB, base string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := again(ctx, func(base string) error {
		if status, _, _ := fetch(t, http.MethodGet, base+"/readyz"); status != http.StatusOK {
			return fmt.Errorf("status %d", status)
		}
		return nil
	}, callerAt(base).where)
	if err != nil {
		t.Fatal(err)
	}
}

func TestLiveAndReady(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	p := launch(t, nil, serveArgs([]string{"--data", memoryDir(t)})...)
	base := p.mustReady(t)
	if status, _, fields := fetch(t, http.MethodGet, base+"/livez"); status != http.StatusOK || fields["alive"] != true {
		t.Errorf("/livez: %d, %v", status, fields)
	}
	readyNow(t, base)
	if status, _, fields := fetch(t, http.MethodGet, base+"/readyz"); status != http.StatusOK || fields["ready"] != true {
		t.Errorf("/readyz: %d, %v", status, fields)
	}
	env := []string{"FANLI_LISTEN=" + strings.TrimPrefix(base, "http://")}
	if code := runProgram(t, env, "check", "--live"); code != exitOK {
		t.Errorf("fanli check --live says %d of a process that is well", code)
	}
	if code, took := p.stop(t); code != exitOK || took > stopLimit {
		t.Errorf("it stops with %d after %v\n%s", code, took, p.log)
	}
	if code := runProgram(t, env, "check", "--live"); code != exitFailed {
		t.Errorf("fanli check --live says %d of a process that is gone", code)
	}
}

// TestStopsInTime asks the process to end while a page is open and a network does
// not answer. It ends in time and in order, and the question that was open is
// answered, once, by the next process.
func TestStopsInTime(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir, out := memoryDir(t), newOutside(t)
	env, args := out.settings(t, dir)
	p := launch(t, env, serveArgs(args)...)
	base := p.mustReady(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	where := base
	c := newCaller(func(context.Context) (string, error) { return where, nil })
	c.mustAsk(t, "你好")
	if err := out.world.Fail(link.JD, "stall"); err != nil {
		t.Fatal(err)
	}
	id, err := c.post(ctx, itemLink(link.JD, 8))
	if err != nil {
		t.Fatal(err)
	}
	asking, left := make(chan struct{}), make(chan error, 1)
	go func() { // the page stays open
		open := false
		left <- c.follow(ctx, base+"/api/events", func(name string, _ said) (bool, error) {
			if name == "typing" && !open {
				open = true
				close(asking)
			}
			return false, nil
		})
	}()
	select {
	case <-asking:
	case <-ctx.Done():
		t.Fatal("nobody looks the link up")
	}
	code, took := p.stop(t)
	t.Logf("stopped with %d after %v", code, took.Round(time.Millisecond))
	if code != exitOK || took > stopLimit {
		t.Errorf("it stops with %d after %v\n%s", code, took, p.log)
	}
	if err := <-left; err == nil || ctx.Err() != nil {
		t.Errorf("the page is left hanging: %v", err)
	}
	if err := out.world.Fail(link.JD, ""); err != nil {
		t.Fatal(err)
	}
	next := launch(t, env, serveArgs(args)...)
	where = next.mustReady(t)
	r, err := c.answer(ctx, id)
	if err != nil || shopLink(r) == "" {
		t.Errorf("after the restart the answer is %q, %v", bot.RenderText(r), err)
	}
	h, err := c.history(ctx)
	if err != nil || len(h) != 4 {
		t.Errorf("the chat has %d entries instead of two questions and two answers, %v", len(h), err)
	}
	next.stop(t)
}

// TestRestartAfterAKillWorksAtOnce kills the process and has its successor follow
// orders right away: it does not wait until the leases of the dead one end.
func TestRestartAfterAKillWorksAtOnce(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir, out := memoryDir(t), newOutside(t)
	env, args := out.settings(t, dir)
	p := launch(t, env, serveArgs(args)...)
	where := p.mustReady(t)
	c := newCaller(func(context.Context) (string, error) { return where, nil })
	url := shopLink(c.mustAsk(t, "https://item.jd.com/100012043978.html"))
	p.kill()
	if _, _, err := out.world.Buy(url, 1); err != nil {
		t.Fatal(err)
	}
	next := launch(t, env, serveArgs(args)...)
	where = next.mustReady(t)
	const limit = 20 * time.Second // a lease is a minute long
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	from := time.Now()
	if err := c.notice(ctx); err != nil {
		t.Fatalf("nobody has followed the order for %v: %v", limit, err)
	}
	t.Logf("the shopper hears of the order %v after the restart", time.Since(from).Round(time.Millisecond))
}

// TestFirstReply measures how long it takes from nothing to the first answer: a
// process starts on an empty folder, makes its database, and looks a link up at a
// network. What counts is its own time, not that in which others had the machine; what
// they have made slow all the same is measured again. With -short a process that hangs
// is found by a limit ten times as high.
func TestFirstReply(t *testing.T) {
	if underRace {
		t.Skip(unwatched)
	}
	limit := replyLimit
	if testing.Short() {
		t.Parallel()
		limit *= 10
	}
	program(t) // building it is not a part of the start
	took := firstReply(t)
	for range 4 {
		if took > limit {
			took = min(took, firstReply(t))
		}
	}
	if took > limit {
		t.Errorf("the first answer takes %v, more than %v", took, limit)
	}
}

// firstReply is how long a process takes of its own time from its start to its first
// answer.
func firstReply(t *testing.T) time.Duration {
	t.Helper()
	p := launch(t, nil, serveArgs([]string{"--data", memoryDir(t)})...)
	c := callerAt(p.mustReady(t))
	ready := time.Since(p.began)
	r := c.mustAsk(t, "https://item.jd.com/100012043978.html")
	watch, had := time.Since(p.began), shareOf(p.cmd.Process.Pid)
	took := max(ownTime(watch, share{}, had), had.used)
	p.kill()
	t.Logf("ready after %v, first answer after %v, %v of them its own", ready.Round(time.Millisecond), watch.Round(time.Millisecond), took.Round(time.Millisecond))
	if shopLink(r) == "" {
		t.Errorf("the answer is %q", bot.RenderText(r))
	}
	return took
}

// TestIdleMemory looks at the memory of a process that has answered people and now
// only has its jobs.
func TestIdleMemory(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	if runtime.GOOS != "linux" {
		t.Skip("skipped: only Linux tells a process's memory in /proc")
	}
	p := launch(t, nil, serveArgs([]string{"--data", memoryDir(t)})...)
	base := p.mustReady(t)
	for range 3 {
		c := callerAt(base)
		for _, text := range []string{"你好", "https://item.jd.com/100012043978.html", "搜 耳机", "余额"} {
			c.mustAsk(t, text)
		}
	}
	const watch = 4 * time.Second
	tick := time.NewTicker(watch / 10)
	defer tick.Stop()
	highest := 0
	for from := time.Now(); time.Since(from) < watch; <-tick.C {
		highest = max(highest, ownKiB(t, p))
	}
	t.Logf("at most %d KiB", highest)
	if highest == 0 || highest > idleKiB {
		t.Errorf("an idle process has %d KiB, more than %d", highest, idleKiB)
	}
	p.stop(t)
}

// ownKiB is how much memory a process holds that is its own: pages of the binary are
// the machine's, which takes them back when it needs them.
func ownKiB(t testing.TB, p *process) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the status has no RssAnon")
	return 0
}

// TestRefusesToStart starts the process where it cannot work: it says what is
// wrong, in words that name the place, and ends.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	write := func(t *testing.T, dir, name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name string
		args func(t *testing.T, dir string) []string
		code int
		want []string
	}{
		{"the port is taken", func(t *testing.T, dir string) []string {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ln.Close() })
			return []string{"serve", "--data", dir, "--listen", ln.Addr().String()}
		}, exitFailed, []string{"address already in use", "--listen"}},
		{"another fanli is at work in the folder", func(t *testing.T, dir string) []string {
			launch(t, nil, "serve", "--data", dir, "--listen", "127.0.0.1:0").mustReady(t)
			return serveArgs([]string{"--data", dir})
		}, exitFailed, []string{"another fanli", "--data"}},
		{"the data folder is a file", func(t *testing.T, dir string) []string {
			return serveArgs([]string{"--data", write(t, dir, "file", "")})
		}, exitFailed, []string{"data folder", "file", "not a directory"}},
		{"the key of the payout accounts is damaged", func(t *testing.T, dir string) []string {
			write(t, dir, "seal.key", "not a key")
			return serveArgs([]string{"--data", dir})
		}, exitFailed, []string{"seal.key", "backup"}},
		{"the database is none", func(t *testing.T, dir string) []string {
			write(t, dir, "fanli.db", strings.Repeat("not a database\n", 1000))
			return serveArgs([]string{"--data", dir})
		}, exitFailed, []string{"not a database"}},
		{"the sandbox's world is damaged", func(t *testing.T, dir string) []string {
			write(t, dir, "sandbox.json", `{"ahead":`)
			return serveArgs([]string{"--data", dir})
		}, exitFailed, []string{"sandbox.json", "remove it"}},
		{"there is no such configuration", func(_ *testing.T, dir string) []string {
			return serveArgs([]string{"--data", dir, "--config", filepath.Join(dir, "none.yaml")})
		}, exitUsage, []string{"none.yaml", "no such file"}},
		{"the configuration is a folder", func(_ *testing.T, dir string) []string {
			return serveArgs([]string{"--data", dir, "--config", dir})
		}, exitUsage, []string{"is a directory"}},
		{"the configuration is not YAML", func(t *testing.T, dir string) []string {
			return serveArgs([]string{"--data", dir, "--config", write(t, dir, "bad.yaml", "listen: [")})
		}, exitUsage, []string{"bad.yaml", "line 1"}},
		{"one target of several", func(_ *testing.T, dir string) []string {
			return serveArgs([]string{"--data", dir, "--targets", "order"})
		}, exitUsage, []string{"--targets", "order", "SQLite"}},
		{"an address that is none", func(_ *testing.T, dir string) []string {
			return []string{"serve", "--data", dir, "--listen", "nowhere"}
		}, exitFailed, []string{"nowhere", "port"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantRefusal(t, launch(t, nil, tt.args(t, memoryDir(t))...), tt.code, tt.want...)
		})
	}
}

// wantRefusal waits for the end of a process that cannot start.
func wantRefusal(t *testing.T, p *process, code int, want ...string) {
	t.Helper()
	got, text := p.end(t), p.log.String()
	if got != code {
		t.Errorf("it ends with %d, want %d", got, code)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
	if !strings.HasPrefix(text, "fanli: ") || strings.Contains(text, "goroutine ") || strings.Count(text, "\n") > 3 {
		t.Errorf("that is not one clear line:\n%s", text)
	}
	if strings.Contains(p.out.String(), "ready") {
		t.Error("it said that it was ready")
	}
}

// TestReadOnlyFolder starts the process as somebody who may not write where the
// data is.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir := t.TempDir()
	if code := runProgram(t, nil, "migrate", "--data", dir); code != exitOK {
		t.Fatal(code)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range append(files, dir) {
		if err := os.Chmod(f, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	for _, command := range []string{"serve", "migrate", "withdrawals", "sync"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			args := []string{command, "--data", dir}
			if command == "serve" {
				args = serveArgs(args[1:])
			}
			wantRefusal(t, launchAs(t, nobody(), nil, args...), exitFailed, dir)
		})
	}
}

// nobody is a user without rights, or nil for a test that has none itself.
func nobody() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}
