package registry_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	adapter "fanli/adapters/registry"
	"fanli/adapters/registry/etcdtest"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/registry"
	"fanli/core/registry/registrytest"
)

// lease is the shortest that an etcd grants.
const lease = adapter.LeaseMin

// open returns a registry of an etcd.
func open(t *testing.T, cfg adapter.Config) *adapter.Etcd {
	t.Helper()
	e, err := adapter.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// raw is a client that does what it likes.
func raw(t *testing.T, s *etcdtest.Server) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestEtcd(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	registrytest.Run(t, func(t *testing.T) func() registry.Registry {
		cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t)}
		return func() registry.Registry { return open(t, cfg) }
	})
}

// wantKnown checks that a watcher was never told that nobody is there, once somebody
// was.
func wantKnown(t *testing.T, w *registrytest.Watcher) {
	t.Helper()
	all := w.All()
	if i := slices.IndexFunc(all, func(s string) bool { return s != "nobody" }); i < 0 || slices.Contains(all[i:], "nobody") {
		t.Errorf("the watcher was told %q", all)
	}
}

// TestAnEtcdThatIsKilledIsNotMissed kills one, twice. Who is known stays known, who
// joins while it is away is there afterwards, and so is who drains.
func TestAnEtcdThatIsKilledIsNotMissed(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t), Lease: lease}
	a, b := open(t, cfg), open(t, cfg)
	w := registrytest.Watch(t, b, "user")
	one := a.Join(registrytest.Process("u1", "user"))
	w.Want(t, "u1")
	s.Kill(t)
	a.Join(registrytest.Process("u2", "user"))
	if ps, err := b.List(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a killed etcd lists %v, %v", ps, err)
	}
	s.Start(t)
	w.Want(t, "u1 u2")
	s.Kill(t)
	if err := one.Drain(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("draining while the etcd is away says %v", err)
	}
	s.Start(t)
	w.Want(t, "u1* u2")
	wantKnown(t, w)
	if err := one.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	w.Want(t, "u2")
}

// TestAnEtcdThatIsAwayKeepsNobodyFromStarting joins and watches before there is
// one.
func TestAnEtcdThatIsAwayKeepsNobodyFromStarting(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	s.Kill(t)
	e := open(t, adapter.Config{URL: s.URL(), Prefix: s.Prefix(t), Lease: lease})
	w := registrytest.Watch(t, e, "user")
	m := e.Join(registrytest.Process("u1", "user"))
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("who is not entered yet drains with %v", err)
	}
	if told := w.Heard(); len(told) > 0 {
		t.Errorf("without an etcd the watcher was told %q", told)
	}
	s.Start(t)
	w.Want(t, "u1*")
}

// TestTheDeadAreGoneAfterAWhile ends a process without a word.
func TestTheDeadAreGoneAfterAWhile(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t), Lease: lease}
	a, b := open(t, cfg), open(t, cfg)
	w := registrytest.Watch(t, b, "user")
	a.Join(registrytest.Process("u1", "user"))
	b.Join(registrytest.Process("u2", "user"))
	w.Want(t, "u1 u2")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	w.Want(t, "u2")
}

// TestAnEtcdThatHangsEndsNobody has one hang for longer than the leases last: when it
// goes on, all leases have ended, and nobody is taken for gone.
func TestAnEtcdThatHangsEndsNobody(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t), Lease: lease}
	a, b := open(t, cfg), open(t, cfg)
	w := registrytest.Watch(t, b, "user")
	a.Join(registrytest.Process("u1", "user"))
	w.Want(t, "u1")
	c := raw(t, s)
	before, err := c.Get(t.Context(), cfg.Prefix+"processes/u1")
	if err != nil || len(before.Kvs) != 1 {
		t.Fatal(before, err)
	}
	s.Pause(t)
	for from := time.Now(); time.Since(from) < 2*lease; { // each waits for its answer
		if ps, err := b.List(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("an etcd that hangs lists %v, %v", ps, err)
		}
	}
	s.Resume(t)
	for n := range c.Watch(t.Context(), cfg.Prefix+"processes/u1", clientv3.WithRev(before.Header.Revision+1)) {
		if i := slices.IndexFunc(n.Events, func(e *clientv3.Event) bool { return e.IsCreate() || e.IsModify() }); i >= 0 {
			if n.Events[i].Kv.Lease == before.Kvs[0].Lease {
				t.Error("it is the same lease: nothing was shown")
			}
			break
		}
	}
	b.Join(registrytest.Process("u2", "user"))
	w.Want(t, "u1 u2")
	wantKnown(t, w)
}

// TestAnEtcdWithoutItsDataIsFilledAgain takes everything away from one.
func TestAnEtcdWithoutItsDataIsFilledAgain(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t), Lease: lease}
	a, b := open(t, cfg), open(t, cfg)
	w := registrytest.Watch(t, b, "user")
	for i := range 5 { // so that the old history is longer
		a.Join(registrytest.Process(fmt.Sprint("u", i), "user"))
	}
	w.Want(t, "u0 u1 u2 u3 u4")
	s.Wipe(t)
	s.Start(t)
	a.Join(registrytest.Process("u5", "user"))
	w.Want(t, "u0 u1 u2 u3 u4 u5")
	for ps := []registry.Process(nil); len(ps) < 6; {
		var err error
		if ps, err = b.List(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantKnown(t, w)
	b.Join(registrytest.Process("u6", "user"))
	w.Want(t, "u0 u1 u2 u3 u4 u5 u6")
}

// TestWhatSomebodyRemovesComesBack deletes a key by hand.
func TestWhatSomebodyRemovesComesBack(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t)}
	e, c := open(t, cfg), raw(t, s)
	w := registrytest.Watch(t, e, "user")
	e.Join(registrytest.Process("u1", "user"))
	w.Want(t, "u1")
	resp, err := c.Delete(t.Context(), cfg.Prefix, clientv3.WithPrefix())
	if err != nil || resp.Deleted != 1 {
		t.Fatal(resp, err)
	}
	for n := range c.Watch(t.Context(), cfg.Prefix, clientv3.WithPrefix(), clientv3.WithRev(resp.Header.Revision+1)) {
		if len(n.Events) > 0 && n.Events[0].IsCreate() {
			break
		}
	}
	wantKnown(t, w)
}

// TestWhatWasCompactedIsLookedUp cuts a watcher off while the etcd forgets what
// happens meanwhile.
func TestWhatWasCompactedIsLookedUp(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	line := newLine(t, s.Endpoint())
	prefix := s.Prefix(t)
	a := open(t, adapter.Config{URL: s.URL(), Prefix: prefix, Lease: lease})
	b := open(t, adapter.Config{URL: "etcd://" + line.addr(), Prefix: prefix, Lease: lease})
	w := registrytest.Watch(t, b, "user")
	one := a.Join(registrytest.Process("u1", "user"))
	w.Want(t, "u1")
	line.cut()
	near := registrytest.Watch(t, a, "user")
	two := a.Join(registrytest.Process("u2", "user"))
	near.Want(t, "u1 u2")
	if err := one.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := two.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	near.Want(t, "u2*")
	c := raw(t, s)
	now, err := c.Get(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compact(t.Context(), now.Header.Revision); err != nil {
		t.Fatal(err)
	}
	line.mend(t)
	w.Want(t, "u2*")
	wantKnown(t, w)
}

// TestWhatIsNoProcessHidesNobody writes nonsense beside them.
func TestWhatIsNoProcessHidesNobody(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	cfg := adapter.Config{URL: s.URL(), Prefix: s.Prefix(t)}
	c := raw(t, s)
	for key, value := range map[string]string{"processes/u0": "{", "processes/u9": `{"id":"u1","targets":["user"]}`, "config/x": "{}"} {
		if _, err := c.Put(t.Context(), cfg.Prefix+key, value); err != nil {
			t.Fatal(err)
		}
	}
	e := open(t, cfg)
	e.Join(registrytest.Process("u1", "user"))
	registrytest.Watch(t, e, "user").Want(t, "u1")
}

// A log is safe for concurrent use.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestPasswords has an etcd that asks for one. It is in no log and in no error.
func TestPasswords(t *testing.T) {
	t.Parallel()
	const secret = "se:cr/et@%"
	logtest.Secret(secret)
	s := etcdtest.New(t)
	c := raw(t, s)
	for _, do := range []func() error{
		func() (err error) { _, err = c.UserAdd(t.Context(), "root", secret); return err },
		func() (err error) { _, err = c.UserGrantRole(t.Context(), "root", "root"); return err },
		func() (err error) { _, err = c.AuthEnable(t.Context()); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	text := &log{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log says\n%s\nthe etcd says\n%s", text, s.Log())
		}
	})
	prefix := s.Prefix(t)
	cfg := adapter.Config{URL: s.URL(), User: "root", Password: secret, Prefix: prefix, Lease: lease, Log: logtest.New(text)}
	inURL := cfg
	inURL.URL, inURL.User, inURL.Password = "etcd://root:se%3Acr%2Fet%40%25@"+s.Endpoint(), "", ""
	a, b := open(t, cfg), open(t, inURL)
	w := registrytest.Watch(t, b, "user")
	a.Join(registrytest.Process("u1", "user"))
	w.Want(t, "u1")
	s.Kill(t) // a new client has to say the password again
	d := open(t, cfg)
	d.Join(registrytest.Process("u2", "user"))
	s.Start(t)
	w.Want(t, "u1 u2")
	wrong := cfg
	wrong.Password = secret + "!"
	_, err := open(t, wrong).List(t.Context())
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("with another password it lists, %v", err)
	}
	for what, said := range map[string]string{
		"the log": text.String(), "the error": fmt.Sprint(err), "a configuration": fmt.Sprintf("%v %+v %#v %s", cfg, inURL, cfg, inURL),
	} {
		if strings.Contains(said, "cr/et") || strings.Contains(said, "cr%2Fet") {
			t.Errorf("%s has the password: %s", what, said)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"etcd://etcd":                           true,
		"etcd://a:2379,b:2379,c:2379":           true,
		"etcd://a,b":                            true,
		"etcds://user:p%40ss@etcd.example:2379": true,
		"etcd://[::1]:2379":                     true,
		"etcd://":                               false,
		"etcd://a,":                             false,
		"etcd://a:":                             false,
		"http://a:2379":                         false,
		"etcd://a:2379/path":                    false,
		"etcd://a:2379?x=y":                     false,
		"a:2379":                                false,
		"etcd://user:secret@a:x":                false,
		"":                                      false,
	} {
		err := adapter.CheckURL(text)
		if (err == nil) != ok || err != nil && (!fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := adapter.New(adapter.Config{URL: text}); (err == nil) != ok {
			t.Errorf("New %q: %v", text, err)
		}
	}
	if user, password := adapter.Account("etcd://u:p@a"); user != "u" || !password {
		t.Errorf("the account is %s, %v", user, password)
	}
	if user, password := adapter.Account("etcd://a"); user != "" || password {
		t.Errorf("the account of nobody is %s, %v", user, password)
	}
}
