package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/bot/wechat/wechatfake"
	"fanli/core/link"
)

// wechatLimit is what WeChat waits at the 99th percentile; it gives up after five seconds.
const wechatLimit = 4 * time.Second

// A copier leads from WeChat to two processes in turn. The first delivery of somebody goes
// to both at once, and what they say to it gets lost.
type copier struct {
	to     [2]*httputil.ReverseProxy
	copied string // who
	n      atomic.Int64
	copies atomic.Int64
}

// ServeHTTP hands a delivery on.
func (c *copier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := c.n.Add(1)
	if r.URL.Query().Get("openid") != c.copied || c.copies.Add(1) > 1 {
		c.to[i%2].ServeHTTP(w, r)
		return
	}
	c.copies.Add(1)
	body, _ := io.ReadAll(r.Body)
	var both errgroup.Group
	for _, to := range c.to {
		own := r.Clone(context.WithoutCancel(r.Context()))
		own.Body = io.NopCloser(bytes.NewReader(body))
		both.Go(func() error {
			to.ServeHTTP(nowhere{http.Header{}}, own)
			return nil
		})
	}
	_ = both.Wait() // there is none
	<-r.Context().Done()
}

// A wechatPair is two processes behind one official account.
type wechatPair struct {
	*pair
	fake  *wechatfake.Server
	front *copier
}

func newWechatPair(t *testing.T, copied string) *wechatPair {
	t.Helper()
	fake := wechatfake.New(wechatfake.Config{Mode: wechatfake.Safe, Profile: wechatfake.Service})
	platform := httptest.NewServer(fake)
	t.Cleanup(platform.Close)
	w := &wechatPair{fake: fake, front: &copier{copied: copied}}
	w.pair = newPair(t, "wechat", "FANLI_WECHAT_APP_ID="+fake.AppID(), "FANLI_WECHAT_APP_SECRET="+fake.Secret(), "FANLI_WECHAT_TOKEN="+fake.Token(),
		"FANLI_WECHAT_ENCODING_AES_KEY="+fake.AESKey(), "FANLI_WECHAT_PROFILE=service", "FANLI_WECHAT_ENDPOINT="+platform.URL,
		"FANLI_LINKS_DEADLINE=4s") // longer than a delivery waits, so that the answer has to be sent
	for i, base := range w.base {
		to, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		w.front.to[i] = httputil.NewSingleHostReverseProxy(to)
	}
	site := httptest.NewServer(w.front)
	t.Cleanup(site.Close)
	fake.Connect(site.URL+"/wechat", nil)
	return w
}

// share is what both processes and this one have had of the machine.
func (w *wechatPair) share() (sum share) {
	for _, pid := range []int{w.bots[0].cmd.Process.Pid, w.bots[1].cmd.Process.Pid, os.Getpid()} {
		s := shareOf(pid)
		sum = share{sum.used + s.used, sum.waited + s.waited}
	}
	return sum
}

// paste lets people paste a link at once, and returns what the slowest of their
// deliveries took of the processes' own time.
func (w *wechatPair) paste(people []string) time.Duration {
	w.t.Helper()
	before := w.share()
	took := make([]time.Duration, len(people))
	var all errgroup.Group
	for i, p := range people {
		all.Go(func() error {
			began := time.Now()
			o := w.fake.Say(w.t.Context(), p, itemLink(link.JD, 8))
			took[i] = time.Since(began)
			if took[i] < wechatLimit && (o.Verdict != wechatfake.Silent || len(o.Deliveries) != 1) {
				return fmt.Errorf("a delivery to %s is %s after %d deliveries: %s", p, o.Verdict, len(o.Deliveries), o.Why)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		w.t.Error(err)
	}
	w.t.Logf("WeChat is answered after %v at most", slices.Max(took))
	return ownTime(slices.Max(took), before, w.share())
}

// TestWechatWithTwoBots has a network stall under two processes: WeChat is answered in
// time, and everybody gets the offer later, once. Of somebody's message three copies
// arrive, two at once at both processes and one while the network still stalls: they make
// one conversion, and are answered once.
func TestWechatWithTwoBots(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	ann := wechatfake.OpenID("Ann", 1)
	w := newWechatPair(t, ann)
	if err := w.out.world.Fail(link.JD, "stall"); err != nil {
		t.Fatal(err)
	}
	var copied errgroup.Group
	copied.Go(func() error {
		if o := w.fake.Say(t.Context(), ann, itemLink(link.JD, 9)); o.Verdict != wechatfake.Silent || len(o.Deliveries) != 2 {
			return fmt.Errorf("ann's message is %s after %d deliveries: %s", o.Verdict, len(o.Deliveries), o.Why)
		}
		return nil
	})
	var people []string
	for try := 1; ; try++ { // a busy machine has others to serve, but not every time
		var some []string
		for i := range 15 {
			some = append(some, wechatfake.OpenID("Person", try*100+i))
		}
		people = append(people, some...)
		took := w.paste(some)
		if took < wechatLimit {
			break
		}
		if try == 5 {
			t.Fatalf("WeChat is answered after %v", took)
		}
	}
	if err := copied.Wait(); err != nil {
		t.Error(err)
	}
	converted := w.out.wire.count("jd.union.open.promotion.")
	if err := w.out.world.Fail(link.JD, ""); err != nil {
		t.Fatal(err)
	}
	everybody := append(people, ann)
	w.wantOffers(everybody)
	if n := converted(); n != len(everybody) {
		t.Errorf("the network has made %d links for %d people", n, len(everybody))
	}
	if n := w.front.copies.Load(); n != 3 {
		t.Errorf("ann's message was delivered %d times", n)
	}
}

// wantOffers waits until everybody has the offer; they have read one answer before it.
func (w *wechatPair) wantOffers(people []string) {
	w.t.Helper()
	ctx := patient(w.t)
	for _, p := range people {
		offers := func() (n int) {
			for _, line := range w.fake.Lines(p) {
				n += strings.Count(line, "预计返利")
			}
			return n
		}
		for offers() == 0 && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	for _, p := range people {
		if lines := w.fake.Lines(p); len(lines) != 2 || !strings.Contains(lines[0], "这个链接我已记下") || !strings.Contains(lines[1], "预计返利") {
			w.t.Errorf("%s reads %q, want that the link is noted, and then the offer", p, lines)
		}
	}
}
