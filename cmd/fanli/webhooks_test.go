package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/webhook"
	"fanli/core/withdraw"
)

// An integrator has a program that believes what is signed and current, and knows
// ids.
type integrator struct {
	t      *testing.T
	url    string
	now    func() time.Time
	secret webhook.Secret
	hook   int64

	mu     sync.Mutex
	status int               // of its answers
	got    map[string]string // what each id said, without the id
	again  int               // ids that came again
	forged int
}

// integrate starts an integrator's program and enters it.
func integrate(t *testing.T, w *little, name string) *integrator {
	t.Helper()
	p := &integrator{t: t, now: w.now, status: http.StatusOK, got: map[string]string{}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	h, err := w.app.hooks.Add(t.Context(), webhook.Hook{Name: name, URL: s.URL + "/in", Events: webhook.Events()}, webhook.Staff{By: actorCLI})
	if err != nil {
		t.Fatal(err)
	}
	p.url, p.secret, p.hook = s.URL, h.Secret, h.ID
	return p
}

func (p *integrator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id := r.Header.Get(webhook.HeaderID)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil || webhook.Verify(p.secret, id, r.Header.Get(webhook.HeaderTimestamp), r.Header.Get(webhook.HeaderSignature), body, p.now()) != nil:
		p.forged++
		w.WriteHeader(http.StatusUnauthorized)
		return
	case p.status != http.StatusOK:
		w.WriteHeader(p.status)
		return
	}
	if _, known := p.got[id]; known {
		p.again++
	}
	p.got[id] = strings.Replace(string(body), id, "", 1)
}

func (p *integrator) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// said is what it has heard, sorted.
func (p *integrator) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Values(p.got))
}

// A told message is what a program reads of one.
type toldMessage struct {
	Event event.Name
	Data  struct {
		Items []struct {
			State string
			Stage string
			Money money.Fen `json:"amount_fen"`
		}
	}
}

// TestProgramsHearTheWholeStory: one program is well, one fails until staff sees to
// it, one is paused and later hears from a process that dies with every other step.
// In the end all have heard the same.
func TestProgramsHearTheWholeStory(t *testing.T) {
	t.Parallel()
	w := newLittle(t)
	w.tune = func(c *configs.Config) { c.Webhooks.AllowPrivate = true }
	w.mustOpen()
	well, bad, late := integrate(t, w, "well"), integrate(t, w, "bad"), integrate(t, w, "late")
	staff := webhook.Staff{By: actorCLI}
	if _, err := w.app.hooks.Pause(t.Context(), late.hook, staff); err != nil {
		t.Fatal(err)
	}
	bad.answer(http.StatusServiceUnavailable)
	s := &tale{w: w, lines: map[string]string{}}
	for _, step := range s.steps() {
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
	}
	w.mustSettle()
	wantStory(t, w, well)
	acts, err := w.app.db.Acts().Acts(t.Context(), audit.Filter{What: "webhook.add", Count: 9})
	if err != nil || len(acts) != 3 {
		t.Errorf("recorded are %+v, %v", acts, err)
	}

	bad.answer(http.StatusGone)
	w.advance(24 * time.Hour)
	w.mustSettle()
	hooks, err := w.app.hooks.Hooks(t.Context())
	if err != nil || hooks[1].State != webhook.Off || len(bad.said()) != 0 {
		t.Fatalf("%+v, %v", hooks[1], err)
	}
	bad.answer(http.StatusOK)
	if _, err := w.app.hooks.Resume(t.Context(), bad.hook, staff); err != nil {
		t.Fatal(err)
	}
	for range 3 { // what is dead by now is retried; the rest comes in its time
		log, err := w.app.hooks.Log(t.Context(), bad.hook, 1000)
		for _, v := range log {
			if v.Stage == webhook.Dead {
				w.advance(time.Millisecond)
				err = errors.Join(err, w.app.hooks.Retry(t.Context(), v.ID, staff))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		w.advance(25 * time.Hour)
		w.mustSettle()
	}
	wantHeardSame(t, "the one that failed", bad, well)

	if _, err := w.app.hooks.Resume(t.Context(), late.hook, staff); err != nil {
		t.Fatal(err)
	}
	dying := 0
	w.hook = func(point string) error {
		if point == "webhook.commit" { // it has been taken, and that is about to be stored
			if dying++; dying%2 == 1 {
				return errCrash
			}
		}
		return nil
	}
	for i := 0; ; i++ {
		n, err := w.app.hooks.Deliver(t.Context())
		if n == 0 && err == nil {
			break
		}
		if err != nil && !errors.Is(err, errCrash) || i > 1000 {
			t.Fatal(err)
		}
	}
	wantHeardSame(t, "the one that was late", late, well)
	if late.again == 0 || well.again != 0 {
		t.Errorf("%d came again to the one that was late, %d to the other", late.again, well.again)
	}
}

// TestAClientsProgramHearsOfItsUsers: whose a user is comes with the news that the
// user has joined.
func TestAClientsProgramHearsOfItsUsers(t *testing.T) {
	t.Parallel()
	w := newLittle(t)
	w.tune = func(c *configs.Config) { c.Webhooks.AllowPrivate = true }
	w.mustOpen()
	p := &integrator{t: t, now: w.now, status: http.StatusOK, got: map[string]string{}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	h, err := w.app.hooks.Add(t.Context(), webhook.Hook{Name: "shop", Client: "shop", URL: s.URL, Events: webhook.Events()}, webhook.Staff{By: actorCLI})
	if err != nil {
		t.Fatal(err)
	}
	p.secret = h.Secret
	for _, i := range []user.Identity{{Channel: "api/shop", External: "u-1"}, {Channel: "api/other", External: "o-1"}, identityOf("ann")} {
		if _, _, err := w.app.users.Resolve(t.Context(), i, "zh"); err != nil {
			t.Fatal(err)
		}
	}
	w.mustSettle()
	for id := range int64(3) {
		e, err := event.New("withdrawal/"+string(rune('1'+id))+"/paid", event.WithdrawalChanged, w.now(), withdraw.Changed{ID: id + 1, User: id + 1, Amount: 100, State: withdraw.Paid})
		if err == nil {
			err = w.app.bus.Publish(t.Context(), e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.mustSettle()
	if said := p.said(); len(said) != 1 || !strings.Contains(said[0], `{"user":1,"external_id":"u-1","id":1,"amount_fen":100,"state":"paid","automatic":false}`) {
		t.Errorf("heard is %v", said)
	}
}

func wantHeardSame(t *testing.T, who string, got, want *integrator) {
	t.Helper()
	if !slices.Equal(got.said(), want.said()) || got.forged != 0 {
		t.Errorf("%s has heard %d things, %d forged; want %d\n%s\nwant\n%s", who, len(got.said()), got.forged, len(want.said()),
			strings.Join(got.said(), "\n"), strings.Join(want.said(), "\n"))
	}
}

// wantStory holds what a program has heard against the books.
func wantStory(t *testing.T, w *little, p *integrator) {
	t.Helper()
	var paid money.Fen
	kinds := map[string]int{}
	for _, body := range p.said() {
		var m toldMessage
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		for _, i := range m.Data.Items {
			kinds[string(m.Event)+" "+i.State+i.Stage]++
			if m.Event == event.WithdrawalChanged && i.State == "paid" {
				paid += i.Money
			}
		}
	}
	if paid == 0 || paid != w.bank.sum() {
		t.Errorf("told is that %s were paid; the bank has paid %s", paid, w.bank.sum())
	}
	for _, kind := range []string{"order.changed paid", "order.changed settled", "rebate.changed pending", "rebate.changed available", "withdrawal.changed paid"} {
		if kinds[kind] == 0 {
			t.Errorf("nothing is told of %s: %v", kind, kinds)
		}
	}
	if p.forged != 0 {
		t.Errorf("%d messages were not believed", p.forged)
	}
}

// TestWebhooksFromTheCommandLine plays an operator's way.
func TestWebhooksFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	private := written(t, "private.yaml", "webhooks: {allow_private: true}\n")
	p := &integrator{t: t, now: time.Now, status: http.StatusOK, got: map[string]string{}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	fanli := func(args ...string) result {
		return cli(t, "", nil, append(append([]string{"webhooks"}, args...), "--data", dir, "--config", private)...)
	}
	fanli("list").want(t, exitOK, "there are none")
	cli(t, "", nil, "webhooks", "add", "--name", "shop", "--url", s.URL, "--data", dir).want(t, exitUsage, "webhooks.allow_private")
	fanli("add", "--name", "shop", "--url", "ftp://x").want(t, exitUsage, "not an https address")
	fanli("add", "--name", "shop", "--url", s.URL, "--events", "link.made").want(t, exitUsage, "link.made")
	r := fanli("add", "--name", "shop", "--client", "shop", "--url", s.URL+"/in", "--as", "li", "--reason", "they asked")
	r.want(t, exitOK, "whsec_", "webhook 1 shop; this is the only time")
	secret, _, _ := strings.Cut(r.out, "\n")
	p.secret = webhook.Secret(secret)
	fanli("add", "--name", "shop", "--url", s.URL).want(t, exitFailed, "with this name already")
	fanli("test", "1").want(t, exitOK, "taken, status 200")
	p.answer(http.StatusTeapot)
	fanli("test", "1").want(t, exitFailed, "failed: status, status 418")
	cli(t, "", nil, "webhooks", "test", "1", "--data", dir).want(t, exitFailed, "failed: address, status 0")
	p.answer(http.StatusOK)
	list := fanli("list")
	list.want(t, exitOK, "shop", "active, 2 failures since", s.URL+"/in, users of shop: order.changed")
	if strings.Contains(list.out, secret) {
		t.Errorf("the secret is listed:\n%s", list.out)
	}
	fanli("log", "1").want(t, exitOK, "webhook.test", "delivered", "dead", "taken, status 200", "status 418", "failed: address")
	fanli("log", "2").want(t, exitOK, "nothing was delivered")
	fanli("retry", "2").want(t, exitOK, "delivery 2: retry")
	fanli("retry", "99").want(t, exitFailed, "there is none with the number 99")
	fanli("pause", "1").want(t, exitOK, "webhook 1: pause")
	fanli("list").want(t, exitOK, "paused")
	fanli("resume", "1").want(t, exitOK)
	next := fanli("rotate", "1")
	next.want(t, exitOK, "whsec_", "webhook 1: rotate")
	if strings.Contains(next.out, secret) {
		t.Error("it is the same secret")
	}
	fanli("test", "1").want(t, exitOK, "taken") // by the secret before
	fanli("pause", "one").want(t, exitUsage, `"one" is not a number`)
	fanli("remove", "1").want(t, exitOK)
	fanli("test", "1").want(t, exitFailed, "there is none with the number 1")
	if p.forged != 0 || len(p.got) != 2 {
		t.Errorf("%d forged, %d taken", p.forged, len(p.got))
	}
	cli(t, "", nil, "events", "--data", dir).want(t, exitOK, "notification       10 wait")
}
