package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/bus"
	"fanli/adapters/bus/brokertest"
	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/logtest"
)

// A target hears events and keeps what it has heard, as an inbox would: an event
// that comes twice counts once.
type target struct {
	mu     sync.Mutex
	heard  []string
	times  map[string]int
	buried []string
	fail   func(id string, n int) error
	news   chan struct{}
}

func newTarget() *target { return &target{times: map[string]int{}, news: make(chan struct{}, 10_000)} }

func (t *target) handle(_ context.Context, e event.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times[e.ID]++
	if t.fail != nil {
		if err := t.fail(e.ID, t.times[e.ID]); err != nil {
			return err
		}
	}
	if !slices.Contains(t.heard, e.ID) {
		t.heard = append(t.heard, e.ID)
		t.news <- struct{}{}
	}
	return nil
}

func (t *target) bury(_ context.Context, e event.Event, _ error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buried = append(t.buried, e.ID)
	t.news <- struct{}{}
	return nil
}

// all is what was heard and buried so far. Brokers may say something again at any time,
// so that nobody reads either without the lock.
func (t *target) all() (heard, buried []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.heard), slices.Clone(t.buried)
}

// tried is how often an event came.
func (t *target) tried(id string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.times[id]
}

// wantHeard checks what was heard, in order.
func (t *target) wantHeard(tb testing.TB, who string, want ...string) {
	tb.Helper()
	if heard, _ := t.all(); !slices.Equal(heard, want) {
		tb.Errorf("%s hears %v", who, heard)
	}
}

// await waits until so many events were heard or buried.
func (t *target) await(tb *testing.T, n int) {
	tb.Helper()
	limit := time.After(3 * time.Minute)
	for range n {
		select {
		case <-t.news:
		case <-limit:
			t.mu.Lock()
			defer t.mu.Unlock()
			tb.Fatalf("heard %v, buried %v", t.heard, t.buried)
		}
	}
}

var hearers = map[event.Name][]string{
	event.OrderChanged: {"rebate"}, event.LedgerPosted: {"notification"}, event.StaffActed: {"payment", "notification"},
}

// prefix keeps the queues of tests apart.
func prefix(t *testing.T) string {
	return strings.NewReplacer("/", ".", " ", "-", ",", "").Replace(t.Name())
}

func broker(t *testing.T, url, name string) *bus.Broker {
	t.Helper()
	b, err := bus.NewBroker(bus.Config{
		URL: url, Hearers: hearers, Name: name, Log: logtest.New(nil), Prefix: prefix(t),
		Wait: time.Millisecond, WaitMax: 20 * time.Millisecond, Idle: 3 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// hear makes a target hear until the test ends, or until stop.
func hear(t *testing.T, b *bus.Broker, name string, to *target) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.Hear(ctx, bus.Hearing{Target: name, Handle: to.handle, Bury: to.bury}); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func say(t *testing.T, b *bus.Broker, name event.Name, id string) {
	t.Helper()
	e := event.Event{ID: id, Name: name, At: time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC), Data: []byte(`{"n":1}`)}
	if err := b.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func TestBrokersCarryEvents(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *brokertest.Broker{
		"RabbitMQ": brokertest.RabbitMQ, "Redis": brokertest.Redis, "Kafka": brokertest.Kafka,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := open(t)
			t.Run("each target hears in order", func(t *testing.T) { eachInOrder(t, server) })
			t.Run("said before anybody hears", func(t *testing.T) { saidBefore(t, server) })
			t.Run("a failure is tried, then buried", func(t *testing.T) { failuresAreBuried(t, server) })
			t.Run("what is stopped waits", func(t *testing.T) { stoppedWaits(t, server) })
			t.Run("a process dies", func(t *testing.T) { aProcessDies(t, server) })
			t.Run("a batch arrives in order", func(t *testing.T) { batchInOrder(t, server) })
			t.Run("what waits is counted", func(t *testing.T) { waitingIsCounted(t, server) })
			t.Run("killed", func(t *testing.T) { survivesAKill(t, server) })
		})
	}
}

func eachInOrder(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	rebate, payment, notification := newTarget(), newTarget(), newTarget()
	hear(t, b, "rebate", rebate)
	hear(t, b, "payment", payment)
	stop := hear(t, b, "notification", notification)
	var want []string
	for i := range 50 {
		id := fmt.Sprint("order/", i)
		want = append(want, id)
		say(t, b, event.OrderChanged, id)
	}
	say(t, b, event.StaffActed, "act")
	say(t, b, event.LedgerPosted, "posted")
	say(t, b, event.LinkMade, "nobody hears it")
	rebate.await(t, 50)
	payment.await(t, 1)
	notification.await(t, 2)
	rebate.wantHeard(t, "rebate", want...)
	notification.wantHeard(t, "notification", "act", "posted")
	payment.wantHeard(t, "payment", "act")
	stop()
	say(t, b, event.LedgerPosted, "later")
	again := newTarget()
	hear(t, b, "notification", again)
	again.await(t, 1)
	want = []string{"later"}
	if heard, _ := again.all(); heard[0] == "posted" { // the stop came before it was confirmed, and so it comes again
		again.await(t, 1)
		want = []string{"posted", "later"}
	}
	again.wantHeard(t, "after a stop, notification", want...)
}

func saidBefore(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	say(t, b, event.OrderChanged, "early")
	rebate := newTarget()
	hear(t, broker(t, server.URL(), "b"), "rebate", rebate)
	rebate.await(t, 1)
}

func failuresAreBuried(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	rebate := newTarget()
	rebate.fail = func(id string, n int) error {
		switch {
		case id == "panics":
			panic("a defect")
		case id == "busy" && n < 4:
			return fault.New(fault.Unavailable, "db.busy")
		case id == "wrong":
			return errors.New("it cannot be read")
		}
		return nil
	}
	hear(t, b, "rebate", rebate)
	for _, id := range []string{"busy", "wrong", "fine", "panics", "last"} {
		say(t, b, event.OrderChanged, id)
	}
	rebate.await(t, 5)
	if heard, buried := rebate.all(); !slices.Equal(heard, []string{"busy", "fine", "last"}) || !slices.Equal(buried, []string{"wrong", "panics"}) {
		t.Errorf("heard %v, buried %v", heard, buried)
	}
	if n := rebate.tried("wrong"); n != bus.TriesMax {
		t.Errorf("what cannot be handled was tried %d times", n)
	}
}

func stoppedWaits(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	payment := newTarget()
	reasons := map[string]string{"stopped": control.Stopped, "away": fault.Down}
	payment.fail = func(id string, n int) error {
		if n <= bus.TriesMax { // longer than anything else may fail
			return &fault.Error{Code: fault.Unavailable, Reason: reasons[id]}
		}
		return nil
	}
	hear(t, b, "payment", payment)
	for id := range reasons {
		say(t, b, event.StaffActed, id)
	}
	payment.await(t, len(reasons))
	for id := range reasons {
		if _, buried := payment.all(); payment.tried(id) != bus.TriesMax+1 || len(buried) != 0 {
			t.Errorf("%s: tried %d times, buried %v", id, payment.tried(id), buried)
		}
	}
}

// deadly is the address under which this test binary, started again, hears one event
// as a process of rebate and never ends it.
const deadly = "FANLI_BUSTEST_DEADLY"

// TestMain is the process that dies, where it is asked to be.
func TestMain(m *testing.M) {
	if at := os.Getenv(deadly); at != "" {
		b, err := bus.NewBroker(bus.Config{
			URL: at, Hearers: hearers, Name: "dies", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Prefix: os.Getenv(deadly + "_PREFIX"),
		})
		if err != nil {
			panic(err)
		}
		_ = b.Hear(context.Background(), bus.Hearing{Target: "rebate", Handle: func(context.Context, event.Event) error {
			fmt.Println("entered")
			select {}
		}})
	}
	os.Exit(m.Run())
}

// aProcessDies kills a process in the middle of an event: another one of its target
// gets it, and all that follow.
func aProcessDies(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	for i := range 5 {
		say(t, b, event.OrderChanged, fmt.Sprint("dies/", i))
	}
	dies := exec.CommandContext(t.Context(), os.Args[0])
	dies.Env = append(os.Environ(), deadly+"="+server.URL(), deadly+"_PREFIX="+prefix(t))
	dies.Stderr = logtest.Tee(io.Discard, "dies")
	out, err := dies.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dies.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("entered"))); err != nil {
		t.Fatal(err)
	}
	lives := newTarget()
	hear(t, broker(t, server.URL(), "lives"), "rebate", lives)
	if err := dies.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dies.Wait() // it was killed
	lives.await(t, 5)
}

// batchInOrder says many events in one go, some of which nobody hears and one that no
// broker takes.
func batchInOrder(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	rebate, payment := newTarget(), newTarget()
	hear(t, b, "rebate", rebate)
	hear(t, b, "payment", payment)
	var es []event.Event
	var want []string
	for i := range 400 {
		e := event.Event{ID: fmt.Sprint("batch/", i), Name: event.OrderChanged, At: time.Now(), Data: []byte(`{}`)}
		switch {
		case i == 100:
			e.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
		case i%10 == 3:
			e.Name = event.StaffActed
		case i%10 == 4:
			e.Name = event.LinkMade // nobody hears it
		default:
			want = append(want, e.ID)
		}
		es = append(es, e)
	}
	for i, err := range b.PublishAll(t.Context(), es) {
		if large := i == 100; large != fault.Is(err, fault.Invalid) || !large && err != nil {
			t.Errorf("event %d: %v", i, err)
		}
	}
	rebate.await(t, len(want))
	payment.await(t, 40)
	rebate.wantHeard(t, "rebate", want...)
}

// waitingIsCounted asks how long queues are: with what is said before anybody hears,
// after it was heard, and of one that is not there, which breaks nothing.
func waitingIsCounted(t *testing.T, server *brokertest.Broker) {
	b, rebate := broker(t, server.URL(), "a"), newTarget()
	for i := range 7 {
		say(t, b, event.OrderChanged, fmt.Sprint("e", i))
	}
	say(t, b, event.StaffActed, "s")
	counts := func(target string, want int64) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for {
			got, err := b.Depth(ctx, target)
			if err == nil && got == want {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("%s has %d, %v, want %d", target, got, err, want)
			}
			time.Sleep(10 * time.Millisecond) // brokers count in their own time
		}
	}
	counts("rebate", 7)
	counts("payment", 1)
	if n, err := b.Depth(t.Context(), "nobody"); err == nil && n != 0 {
		t.Errorf("of nobody %d wait", n)
	}
	hear(t, b, "rebate", rebate)
	rebate.await(t, 7)
	counts("rebate", 0)
	counts("payment", 1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Depth(over, "rebate"); err == nil {
		t.Log("it was quicker than we were") // nothing is promised but that it does not last
	}
}

// survivesAKill kills the broker while events are said and heard. Whoever says one
// says it again until it is taken, as a relay does.
func survivesAKill(t *testing.T, server *brokertest.Broker) {
	b := broker(t, server.URL(), "a")
	rebate := newTarget()
	hear(t, broker(t, server.URL(), "b"), "rebate", rebate)
	const count = 300
	var starting sync.WaitGroup
	refused := 0
	for i := range count {
		away := i == count/3 || i == 2*count/3
		if away {
			server.Kill(t)
		}
		e := event.Event{ID: fmt.Sprint("kill/", i), Name: event.OrderChanged, At: time.Now(), Data: []byte(`{}`)}
		for b.Publish(t.Context(), e) != nil {
			refused++
			if away {
				away = false
				starting.Go(func() { server.Start(t) })
			}
			time.Sleep(50 * time.Millisecond) // as the relay's clock does
		}
	}
	starting.Wait()
	rebate.await(t, count)
	if refused == 0 {
		t.Error("the broker was never away")
	}
	heard, _ := rebate.all()
	t.Logf("%d events arrived; saying one failed %d times", len(heard), refused)
}

func TestABrokersAddressIsChecked(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "nats://x", "amqp", "redis://:se/cret@h:x", "kafka://", "://se/cret"} {
		_, err := bus.NewBroker(bus.Config{URL: url})
		if !fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != "broker.url" {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && len(url) > 8 && slices.Contains([]string{"se/cret"}, err.Error()) {
			t.Errorf("the password is in %v", err)
		}
	}
}
