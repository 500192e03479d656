package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/guard"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/control"
	"fanli/core/ladder"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/user"
)

// cable is the way to the outside. It can be cut for paths with a part.
type cable struct{ cut atomic.Value }

var errCut = errors.New("the cable is cut")

func (c *cable) RoundTrip(r *http.Request) (*http.Response, error) {
	if part, _ := c.cut.Load().(string); part != "" && strings.Contains(r.URL.String(), part) {
		return nil, errCut
	}
	return http.DefaultTransport.RoundTrip(r)
}

// mouth notes what is said on a channel.
type mouth struct{ said []string }

func (m *mouth) Name() string                                 { return "test" }
func (m *mouth) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return nil }
func (m *mouth) Send(_ context.Context, to user.Identity, r bot.Reply) error {
	m.said = append(m.said, to.External+": "+bot.RenderText(r))
	return nil
}

// TestANetworkIsAway: after a few failures its links are noted, the others are made,
// and the noted ones are answered once it is back. A pin counts whatever is measured.
func TestANetworkIsAway(t *testing.T) {
	t.Parallel()
	o, c, m := newOutside(t), &cable{}, &mouth{}
	cfg, err := configs.Load("", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	cfg = inSandbox(cfg, o.world)
	cfg.Guard.Tries, cfg.Guard.Failures, cfg.Guard.Rest, cfg.Guard.OfferTTL = 1, 2, 50*time.Millisecond, -1
	for i := range cfg.Resilience.Ladder {
		cfg.Resilience.Ladder[i].Back = 0
	}
	pass := func() {
		if err := o.world.Advance(time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	a, err := newApp(t.Context(), cfg, surroundings{
		log: logtest.New(nil), now: o.world.Now, http: &http.Client{Transport: c}, holder: "test",
		path: memoryDir(t) + "/fanli.db",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	a.tell.Channels = []bot.Channel{m}
	look := func() { a.resilience.asked = time.Time{}; a.lookAround(t.Context()) }
	say := func(text string) string {
		return bot.RenderText(a.bot.Handle(t.Context(), bot.Message{From: user.Identity{Channel: "test", External: "ann"}, Chat: "ann", Text: text, Locale: "zh"}))
	}
	wants := func(when, text, part string) {
		t.Helper()
		look()
		if got := say(text); !strings.Contains(got, part) {
			t.Errorf("%s: no %q in\n%s", when, part, got)
		}
	}
	const kettle, cup = "https://item.jd.com/100012043978.html", "https://mobile.yangkeduo.com/goods.html?goods_id=1"
	wants("well", kettle, "预计返利")
	c.cut.Store("/fake/jd")
	wants("the first failure", kettle, "还在等京东回应")
	wants("the second failure", kettle, "还在等京东回应")
	wants("away", kettle, "这个链接我已记下")
	if got := a.resilience.health()[networkKind+link.JD]; !got.Away {
		t.Errorf("%+v", got)
	}
	wants("another network", cup, "没有参加返利")
	pass()
	if n, err := a.tell.AnswerWaiting(t.Context()); n != 0 || err != nil || len(m.said) != 0 {
		t.Errorf("while it is away: %d, %v, %v", n, err, m.said)
	}
	c.cut.Store("")
	for range 1000 {
		pass()
		n, err := a.tell.AnswerWaiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond) // the guard has a clock of its own
	}
	if len(m.said) != 1 || !strings.HasPrefix(m.said[0], "ann: 你之前发的京东的一个链接") || !strings.Contains(m.said[0], "预计返利") {
		t.Errorf("ann is told %v", m.said)
	}
	look()
	if a.resilience.ladder.On(ladder.Queue, networkKind+link.JD) {
		t.Error("the rung is still on")
	}
	wants("not pinned", "搜 保温杯", "找到这些")
	for on, part := range map[bool]string{true: "搜索暂时停一停", false: "找到这些"} {
		s := control.Switch{By: "cli", Why: "a test"}
		if err := turn(t.Context(), a.board, s, map[control.Scope]bool{control.Degrade("search-off"): on}); err != nil {
			t.Fatal(err)
		}
		wants("pinned", "搜 保温杯", part)
	}
}

// TestTooManyAtTheEdge: what payers tell us and whether we are well comes in however
// full it is; people read that they should come again.
func TestTooManyAtTheEdge(t *testing.T) {
	t.Parallel()
	cfg := configs.Config{Targets: []string{configs.AllTargets}, Resilience: configs.Resilience{Shed: guard.DoorOptions{Concurrent: 10, Queue: 1, Wait: time.Millisecond}}}
	s := &server{app: &app{cfg: cfg, resilience: newResilience(cfg)}}
	ask := func(method, path string) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, http.NoBody)
		leave, ok := s.admit(w, r)
		if ok {
			leave()
			return http.StatusOK
		}
		var said map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || said["error"] == "" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: %v, %v", method, path, said, w.Header())
		}
		return w.Code
	}
	fill := func(n int) {
		t.Helper()
		for range n {
			if _, err := s.app.resilience.door.Enter(t.Context(), guard.Money); err != nil {
				t.Fatal(err)
			}
		}
	}
	paths := []string{
		"GET /", "GET /go/x", "GET /api/v1/openapi.json", // six tenths
		"POST /api/messages", "POST /api/v1/links", "GET /api/v1/orders", "POST /api/v1/claims/1/proof", // nine
		"POST /pay/confirm/1", "GET /api/v1/wallet", "GET /api/v1/statement", "GET /api/v1/withdrawals", "POST /api/v1/withdrawals", "POST /api/v1/withdrawals/1/cancel",
		"POST /pay/callback/alipay", "POST /pay/charge/alipay", "GET /livez", "GET /readyz", "GET /api/events",
	}
	taken := 0
	for _, tt := range []struct{ inside, away int }{{0, 0}, {6, 3}, {9, 7}, {10, 13}} {
		fill(tt.inside - taken)
		taken = tt.inside
		for i, p := range paths {
			method, path, _ := strings.Cut(p, " ")
			want := http.StatusOK
			if i < tt.away {
				want = http.StatusServiceUnavailable
			}
			if got := ask(method, path); got != want {
				t.Errorf("with %d inside %s is answered %d, want %d", tt.inside, p, got, want)
			}
		}
	}
}

// TestTheLadderFromTheCommandLine: rungs, pins, and what a process says of itself.
func TestTheLadderFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	run := func(args ...string) result {
		return cli(t, "", nil, append(append([]string{"ladder"}, args...), "--data", dir)...)
	}
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{
			"ready": true, "away": []string{"network/jd"},
			"degraded": []ladder.State{{Rung: "links-queued", Effect: ladder.Queue, Of: "network/jd", On: true, Since: time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)}},
		})
	}))
	t.Cleanup(there.Close)
	run("--at", there.URL).want(t, exitOK, "search-off", "load from 80%", "links-queued", "network/* away, for 0s; off after 5s",
		"links-queued (network/jd) is on since 2026-11-11T00:00:00Z; network/jd away")
	run("--at", "http://"+address(t)).want(t, exitOK, "nobody answers there")
	run("pin", "moon", "--why", "x").want(t, exitUsage, `no rung "moon"`)
	run("pin", "search-off").want(t, exitUsage, "--why")
	run("pin").want(t, exitUsage, "one rung")
	run("pin", "search-off", "--why", "a campaign", "--as", "wang").want(t, exitOK, "held on by cli:wang", "a campaign")
	run("pin", "search-off", "--off", "--why", "it is over").want(t, exitOK, "held off by cli", "it is over")
	if out := run("release", "search-off", "--why", "by itself"); strings.Contains(out.out, "held") {
		t.Errorf("released it is\n%s", out.out)
	}
	cli(t, "", nil, "acts", "--data", dir).want(t, exitOK, "switch/degrade/search-off", "switch/keep/search-off")
}
