package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/core/logtest"
)

// rewrite puts a text into a file at once, as editors do.
func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// awaitLog waits until a log says something.
func awaitLog(t *testing.T, log *screen, text string) {
	t.Helper()
	awaitTimes(t, log, text, 1)
}

// awaitTimes waits until a log has said something so often.
func awaitTimes(t *testing.T, log *screen, text string, times int) {
	t.Helper()
	from := time.Now()
	for strings.Count(log.String(), text) < times {
		if time.Since(from) > patience {
			t.Fatalf("it does not say %q %d times:\n%s", text, times, log)
		}
		time.Sleep(10 * time.Millisecond) // another process is at work
	}
}

// TestAFileIsTakenUpWhileItRuns changes the operator's file under a process: what is
// sound counts, what is broken, empty or half written does not.
func TestAFileIsTakenUpWhileItRuns(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	out, dir := newOutside(t), memoryDir(t)
	env, args := out.settings(t, dir)
	path := args[1]
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	with := func(rebate string) string {
		return strings.Replace(string(text), "rebate: {", "rebate: {base: "+rebate+", ", 1)
	}
	p := launch(t, env, serveArgs(args)...)
	m := &member{base: p.mustReady(t), p: p}
	m.me = callerAt(m.base)
	m.wantShare(t, out, 7000)

	rewrite(t, path, with("30%"))
	awaitLog(t, p.log, "changed=[rebate.base]")
	m.wantShare(t, out, 3000)
	if c := m.config(t); c != nil {
		t.Errorf("/readyz speaks of a configuration that waits for nothing: %v", c)
	}

	rewrite(t, path, with("300%"))
	awaitLog(t, p.log, "rebate.base: 300% is not between 0% and 100%")
	m.wantShare(t, out, 3000)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	awaitLog(t, p.log, "the file is empty")
	m.wantShare(t, out, 3000)

	rewrite(t, path, with("20%")+"\nzone: Asia/Tokyo\n")
	awaitLog(t, p.log, "map[zone:it needs a restart]")
	m.wantShare(t, out, 2000)

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	awaitLog(t, p.log, "no such file")
	m.wantShare(t, out, 2000)
	rewrite(t, path, with("10%"))
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	awaitTimes(t, p.log, "asked by SIGHUP", 2)
	awaitTimes(t, p.log, "a new configuration counts", 3)
	m.wantShare(t, out, 1000)
	if code, took := p.stop(t); code != exitOK || took > stopLimit {
		t.Errorf("it stops with %d after %v\n%s", code, took, p.log)
	}
}

// A sieve keeps what a log says of the configuration.
type sieve struct{ to *screen }

// Write keeps a line or drops it.
func (s sieve) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("configuration")) {
		return s.to.Write(b)
	}
	return len(b), nil
}

// TestAFileThatChangesWhileItIsFirstRead: what is written between the first reading and
// the first look counts.
func TestAFileThatChangesWhileItIsFirstRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.yaml")
	rewrite(t, path, "log: {level: info}")
	last, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, path, "log: {level: debug}")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	rang := false
	watchFile(ctx, path, last, func() {
		rang = true
		cancel()
	})
	if !rang {
		t.Error("nobody is told of the change")
	}
}

// TestSettingsChangeWhilePeopleTalk changes everything that can be changed, again and
// again, under people who use it. The race detector watches.
func TestSettingsChangeWhilePeopleTalk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "fanli.yaml")
	version := func(n int) string {
		return fmt.Sprintf(`
log: {level: %s}
rebate: {base: %d%%, budgets: {b: {day: %d}}, checkin: {amount: 0.0%d, budget: b}, write_off: %d}
withdraw: {minimum: 1.0%d, maximum: 19%d, day_count: %d}
links: {deadline: %ds}
bot: {search: %t}
collect: {lasts: %dm, memberships: [{level: 1, days: 30, price: 9.%d0}]}
guard: {tries: %d}
sync: {every: %ds, stall_after: %dm}
`, []string{"info", "debug"}[n%2], 60+n, 5+n, 1+n, n, n, n, n, 3+n, n%2 == 0, 10+n, n, 1+n, 1+n, 10+n)
	}
	rewrite(t, path, version(0))
	ctx, cancel := context.WithCancel(t.Context())
	out, log := &screen{ready: make(chan struct{})}, &screen{ready: make(chan struct{})}
	std := stdio{strings.NewReader(""), out, logtest.Tee(sieve{log}, "serve"), lookupIn(nil)}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, serveArgs([]string{"--config", path, "--data", filepath.Join(dir, "data")}), std)
	}()
	<-out.ready
	var people errgroup.Group
	talking, stop := context.WithCancel(t.Context())
	for range 2 {
		me := callerAt(out.base)
		people.Go(func() error {
			for talking.Err() == nil {
				for _, text := range []string{"https://item.jd.com/100012043978.html", "余额", "签到", "会员", "提现", "耳机"} {
					if _, err := me.ask(t.Context(), text); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	for n := 1; n < 4; n++ {
		rewrite(t, path, version(n))
		awaitTimes(t, log, "a new configuration counts", n)
		for _, key := range []string{"log.level", "guard.tries", "links.deadline", "sync.every", "rebate.base", "rebate.write_off", "withdraw.minimum", "collect.lasts", "collect.memberships", "bot.search"} {
			awaitTimes(t, log, key, n)
		}
	}
	stop()
	if err := people.Wait(); err != nil {
		t.Error(err)
	}
	cancel()
	if code := <-ended; code != exitOK {
		t.Errorf("it ends with %d\n%s", code, log)
	}
	if strings.Contains(log.String(), "not taken") {
		t.Error(log)
	}
}
