package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/bus/brokertest"
	"fanli/adapters/manual"
	"fanli/adapters/observe"
	"fanli/adapters/observe/otlptest"
	"fanli/adapters/store/mariadbtest"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/logtest"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
	"fanli/core/user"
)

// A half is one process of a split in two, within the test.
type half struct {
	app  *app
	obs  *observe.Observer
	stop func()
}

// halves are a fanli in two processes: people on one side, money on the other.
type halves struct {
	t      *testing.T
	traces *otlptest.Collector
	market *market.Market
	net    *linktest.Memory
	people *half
	money  *half

	mu   sync.Mutex
	at   time.Time
	told []string
}

func (p *halves) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *halves) advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = p.at.Add(d)
}

// The pair is the channel, too.
func (p *halves) Name() string                                 { return "little" }
func (p *halves) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return nil }
func (p *halves) Send(_ context.Context, to user.Identity, r bot.Reply) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, to.External+": "+bot.RenderText(r))
	return nil
}

func newHalves(t *testing.T) *halves {
	t.Helper()
	p := &halves{t: t, traces: otlptest.New(t), at: time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)}
	p.market = market.New(p.now, littleFee, 1)
	p.market.Stock(market.Goods{ID: "100012043970", Title: "保温杯", Shop: "小店", Price: 5000, Rate: 2000})
	p.net = linktest.NewMemory(link.JD, p.market, p.now)
	server := mariadbtest.Shared(t)
	env := map[string]string{
		"FANLI_DATABASE_DSN": databasesOf(t, server, "observe"), "FANLI_DATABASE_SEAL_KEY": strings.Repeat("6b", sealKeyLen),
		"FANLI_PEERS_TOKEN": "a token that only this pair knows", "FANLI_BROKER_URL": brokertest.Redis(t).URL(), "FANLI_BROKER_PREFIX": "observe",
		"FANLI_NETWORKS_JD_APP_KEY": "key", "FANLI_NETWORKS_JD_APP_SECRET": "SECRET-OF-JD",
		"FANLI_TRACE_ENDPOINT": p.traces.URL, "FANLI_TRACE_SAMPLE": "100%", "FANLI_ADMIN_LISTEN": "127.0.0.1:0",
	}
	first, second := address(t), address(t)
	env["FANLI_PEERS_TARGETS"] = fmt.Sprintf("{bot: %q, user: %q, order: %q, rebate: %q, payment: %q, notification: %q}",
		"static:"+first, "static:"+first, "static:"+second, "static:"+second, "static:"+second, "static:"+second)
	p.people = p.half(env, "bot,user", first)
	p.money = p.half(env, "order,rebate,payment,notification", second)
	p.people.app.tell.Channels = []bot.Channel{p}
	return p
}

func (p *halves) half(env map[string]string, targets, peer string) *half {
	p.t.Helper()
	own := map[string]string{"FANLI_TARGETS": targets, "FANLI_PEERS_LISTEN": peer, "FANLI_DATA": p.t.TempDir()}
	cfg, err := configs.Load("", func(name string) (string, bool) {
		if v, ok := own[name]; ok {
			return v, true
		}
		v, ok := env[name]
		return v, ok
	})
	if err != nil {
		p.t.Fatal(err)
	}
	cfg.Sync.Rescan = false
	around := surroundings{
		log: logtest.New(nil), now: p.now, holder: targets, http: &http.Client{},
		stands: &stands{networks: []link.Network{p.net}, feeds: []order.Feed{feedtest.NewMemory(link.JD, "main", p.market)}, payer: manual.Payer{}},
	}
	h := &half{}
	if h.obs, err = newObserver(p.t.Context(), cfg, around, nil); err != nil {
		p.t.Fatal(err)
	}
	around.obs = h.obs
	if h.app, err = newApp(p.t.Context(), cfg, around); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	done := make(chan error, 1)
	go func() { done <- h.app.peers.run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Error(err)
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), patience)
		defer cancel()
		if err := h.obs.Close(end); err != nil {
			p.t.Error(err)
		}
		if err := h.app.close(); err != nil {
			p.t.Error(err)
		}
	})
	p.t.Cleanup(h.stop)
	return h
}

// works lets the jobs of both go on until a condition holds.
func (p *halves) works(what string, holds func() bool) {
	p.t.Helper()
	for from := time.Now(); !holds(); {
		if time.Since(from) > patience {
			p.people.stop()
			p.money.stop()
			p.t.Fatalf("%s did not happen; people were told %q; there is\n%s", what, p.told, p.all())
		}
		for _, h := range []*half{p.money, p.people} {
			if err := h.app.settleDown(p.t.Context()); err != nil {
				p.t.Log(err) // the other one may still begin to listen
			}
		}
		time.Sleep(10 * time.Millisecond) // the broker and the other half are at work
	}
}

// TestOneStoryIsOneTrace pastes a link whose order is there already in a fanli of two
// processes, and finds everything that follows in one connected trace: calls, events,
// the posting, and the message about it. It has nothing personal.
func TestOneStoryIsOneTrace(t *testing.T) {
	t.Parallel()
	p := newHalves(t)
	var id string
	say := p.people.app.handler("little")
	traced := p.people.app.bot.Trace
	p.people.app.bot.Users = seeing{p.people.app.bot.Users, func(ctx context.Context) { id = traced(ctx) }}
	const who, pasted = "PERSON-7", "https://item.jd.com/100012043970.html"
	r := say(t.Context(), bot.Message{From: user.Identity{Channel: "little", External: who}, Chat: who, ID: "1", Text: pasted, Locale: "zh"})
	story := id
	p.advance(time.Minute)
	l := p.buys(r)
	p.advance(time.Minute)
	if err := p.money.app.settleDown(t.Context()); err != nil { // the order is seen before its link is heard of
		t.Fatal(err)
	}
	p.works("that somebody is told", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.told) > 0
	})
	p.people.stop()
	p.money.stop()

	spans := p.one(story)
	roots, ids, names := 0, map[string]bool{}, map[string]bool{}
	for _, s := range spans {
		ids[s.ID] = true
		names[s.Instance+" "+s.Name+" "+strings.TrimPrefix(s.Kind, "SPAN_KIND_")] = true
	}
	for _, s := range spans {
		if s.Parent == "" {
			roots++
		} else if !ids[s.Parent] {
			t.Errorf("%s hangs in the air", s.Name)
		}
	}
	if roots != 1 {
		t.Errorf("the trace has %d beginnings", roots)
	}
	const people, money = "bot,user ", "order,rebate,payment,notification "
	for _, want := range []string{
		people + "message INTERNAL",
		people + "fanli.v1.RebateService/MakePromise CLIENT", money + "fanli.v1.RebateService/MakePromise SERVER",
		people + "say link.made PRODUCER", money + "hear link.made CONSUMER",
		money + "say order.changed PRODUCER", money + "hear order.changed CONSUMER",
		money + "fanli.v1.UserService/GetLevel CLIENT", people + "fanli.v1.UserService/GetLevel SERVER",
		money + "say rebate.changed PRODUCER", money + "hear rebate.changed CONSUMER",
		money + "say ledger.posted PRODUCER", money + "hear ledger.posted CONSUMER",
		money + "notify INTERNAL",
		money + "fanli.v1.BotService/Send CLIENT", people + "fanli.v1.BotService/Send SERVER",
	} {
		if !names[want] {
			t.Errorf("the trace has no %q", want)
		}
	}
	if t.Failed() {
		t.Log(p.all())
	}
	raw := p.traces.Raw()
	for _, secret := range []string{who, "item.jd.com", "100012043970", "保温杯", l.ID, l.Order, "a token that only", "SECRET-OF-JD", "127.0.0.1"} {
		if strings.Contains(raw, secret) {
			t.Errorf("%q left with a span", secret)
		}
	}
}

// all lists what was sent, for a test that failed.
func (p *halves) all() string {
	var out []string
	for _, s := range p.traces.Spans() {
		out = append(out, fmt.Sprint(s.Trace[:6], " ", s.Parent, "→", s.ID, " ", s.Instance, " ", s.Name, " ", s.Attributes["fanli.code"]))
	}
	return strings.Join(out, "\n")
}

// one returns the only trace that people know by an id.
func (p *halves) one(id string) []otlptest.Span {
	p.t.Helper()
	traces := map[string][]otlptest.Span{}
	for _, s := range p.traces.Spans() {
		if id != "" && strings.HasPrefix(strings.ToUpper(s.Trace), id) {
			traces[s.Trace] = append(traces[s.Trace], s)
		}
	}
	if len(traces) != 1 {
		p.t.Fatalf("%d traces begin with %q", len(traces), id)
	}
	for _, spans := range traces {
		return spans
	}
	return nil
}

// buys opens the link of a reply and orders.
func (p *halves) buys(r bot.Reply) market.Line {
	p.t.Helper()
	click, ok := p.net.Click(link.Made{URL: shopLink(r)})
	if !ok {
		p.t.Fatalf("there is no link in %+v", r)
	}
	l, err := p.market.Buy(click, 1, func(n int64) (string, string) { return fmt.Sprintf("26%010d", n), fmt.Sprintf("line-%d", n) })
	if err == nil {
		err = p.market.Pay(l.ID)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return l
}

// seeing users show the context in which they are asked.
type seeing struct {
	bot.Users
	see func(ctx context.Context)
}

func (s seeing) Resolve(ctx context.Context, i user.Identity, locale string) (user.User, bool, error) {
	s.see(ctx)
	return s.Users.Resolve(ctx, i, locale)
}

// TestTheAdminPort holds what is shown where, and to whom.
func TestTheAdminPort(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir := t.TempDir()
	p := launch(t, []string{"FANLI_ADMIN_LISTEN=127.0.0.1:0", "FANLI_LOG_FORMAT=json"}, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	base := p.mustReady(t)
	me := callerAt(base)
	me.mustAsk(t, "https://item.jd.com/100012043978.html")
	m := regexp.MustCompile(`"msg":"the admin port is open".*"address":"([^"]+)"`).FindStringSubmatch(p.log.String())
	if m == nil {
		t.Fatalf("no address in %s", p.log)
	}
	admin := "http://" + m[1]
	for _, c := range []struct {
		url  string
		want int
		text string
	}{
		{admin + "/livez", 200, `"alive":true`},
		{admin + "/readyz", 200, `"databases":{"bot":"answers"`},
		{admin + "/metrics", 200, `fanli_chat_turns_total{channel="web",outcome="answered"} 1`},
		{admin + "/metrics", 200, "fanli_ready 1"},
		{admin + "/metrics", 200, `fanli_links_made_total{network="jd"} 1`},
		{admin + "/metrics", 200, "fanli_ledger_entries_total 0"},
		{admin + "/metrics", 200, `fanli_dead_letters{target="payment"} 0`},
		{admin + "/metrics", 200, `fanli_withdrawals{state="unknown"} 0`},
		{admin + "/metrics", 200, "go_goroutines "},
		{admin + "/debug/pprof/goroutine?debug=1", 200, "goroutine profile"},
		{admin + "/debug/pprof/cmdline", 404, ""},
		{base + "/metrics", 404, ""},
		{base + "/debug/pprof/goroutine?debug=1", 404, ""},
	} {
		status, text := look(t, c.url, "")
		if status != c.want || !strings.Contains(text, c.text) {
			t.Errorf("%s says %d, want %d and %q, in\n%.3000s", c.url, status, c.want, c.text, text)
		}
		if strings.Contains(text, "fanli_read_errors_total{") {
			t.Errorf("something could not be read:\n%s", text)
		}
	}
	if code, took := p.stop(t); code != exitOK || took > stopLimit {
		t.Errorf("it stops with %d after %v", code, took)
	}
	for line := range strings.Lines(p.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["version"] == nil || fields["targets"] == nil {
			t.Errorf("a line of the log is not JSON, or does not say of whom it is: %s", line)
		}
	}
}

// look asks, with a token if there is one.
func look(t *testing.T, url, token string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

// TestTheAdminPortKnowsItsPeople holds the token, and that profiles are not shown to
// other machines without one.
func TestTheAdminPortKnowsItsPeople(t *testing.T) {
	t.Parallel()
	w := newLittle(t).mustOpen()
	s := &server{app: w.app}
	s.ready.Store(true)
	const token = "a token of sixteen bytes"
	ask := func(h http.Handler, path, from, token string) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = from
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code
	}
	const here, there, profile = "127.0.0.1:5", "10.0.0.9:5", "/debug/pprof/goroutine?debug=1"
	open, closed := s.adminHandler(configs.Admin{}), s.adminHandler(configs.Admin{Token: token})
	for _, c := range []struct {
		h                 http.Handler
		path, from, token string
		want              int
	}{
		{open, profile, here, "", 200}, {open, profile, there, "", 403}, {open, "/readyz", there, "", 200},
		{closed, profile, here, "", 401}, {closed, profile, there, token, 200}, {closed, profile, there, token + "x", 401},
		{closed, "/readyz", there, "", 200}, {closed, "/metrics", there, "", 401}, {open, "/", here, "", 404},
	} {
		if got := ask(c.h, c.path, c.from, c.token); got != c.want {
			t.Errorf("%s from %s with %q: %d, want %d", c.path, c.from, c.token, got, c.want)
		}
	}
	s.ready.Store(false)
	if got := ask(open, "/readyz", here, ""); got != http.StatusServiceUnavailable {
		t.Errorf("it stops and says %d", got)
	}
}

// TestRoutesAreFew holds that what somebody asks for makes no new series.
func TestRoutesAreFew(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "chat", "/api/messages": "chat.messages", "/api/events": "chat.events", "/pay/confirm/SECRET": "confirm", "/pay/code/SECRET": "code",
		"/pay/callback/alipay": "callback", "/pay/charge/alipay": "charge", "/readyz": "readyz", "/shop/jd/1": "sandbox", "/x/../y": "other", "/.env": "other",
		"/api/v1/links": "api", "/assets/1/a.js": "assets",
	} {
		if got := routeOf(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

// TestPeopleAreGivenTheTrace holds that the id in an answer that failed is the
// beginning of the trace's.
func TestPeopleAreGivenTheTrace(t *testing.T) {
	t.Parallel()
	traces := otlptest.New(t)
	obs, err := observe.New(t.Context(), observe.Options{
		Now: time.Now, Log: logtest.New(nil), Trace: observe.Trace{Endpoint: traces.URL, Sample: 100_00, Service: "fanli"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := newLittle(t).mustOpen()
	w.app.obs = obs
	w.app.observeBot()
	var log bytes.Buffer
	w.app.bot.Log = slog.New(observe.Log(slog.NewJSONHandler(logtest.Tee(&log, logtest.App), nil), nil))
	_ = w.app.db.Close()
	r := w.app.handler("little")(t.Context(), bot.Message{From: user.Identity{Channel: "little", External: "a"}, Chat: "a", ID: "1", Text: "余额"})
	if err := obs.Close(t.Context()); err != nil {
		t.Error(err)
	}
	spans := traces.Spans()
	if len(spans) != 1 || spans[0].Attributes["fanli.outcome"] == "answered" {
		t.Fatalf("%+v", spans)
	}
	id := strings.ToUpper(spans[0].Trace[:10])
	if !strings.Contains(r.Text, id) || !strings.Contains(log.String(), `"id":"`+id+`"`) || !strings.Contains(log.String(), `"trace_id":"`+spans[0].Trace+`"`) {
		t.Errorf("people were told %q, the log says %s; the trace is %s", r.Text, log.String(), spans[0].Trace)
	}
}
