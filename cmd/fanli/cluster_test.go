package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/adapters/alipay"
	"fanli/adapters/bus/brokertest"
	"fanli/adapters/registry/etcdtest"
	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/bot/telegram/telegramfake"
)

// replicas is how many processes of each target there are.
const replicas = 2

// A site is what a cluster stands on.
type site struct {
	name     string // of its databases and queues
	database *mariadbtest.Server
	broker   *brokertest.Broker
	registry *etcdtest.Server
	cache    *brokertest.Broker
	lines    bool // toxiproxy lies on every way between processes, to the servers and abroad
}

// A cluster is all targets in processes of their own, over a real database server, a
// real broker, a registry and a cache.
type cluster struct {
	t        *testing.T
	site     site
	out      *outside
	phones   *telegramfake.Server
	dsn      string // for staff, on no line
	key      []byte
	nodes    []*node
	lines    []*line
	env      []string // of the program, for staff
	args     []string
	gateways []string
	turn     atomic.Int64
}

// newCluster makes one that does not run yet.
func newCluster(t *testing.T, s site) *cluster {
	t.Helper()
	dir := memoryDir(t)
	c := &cluster{t: t, site: s, out: newOutside(t), key: []byte(strings.Repeat("k", sealKeyLen))}
	c.env, c.args = c.out.settings(t, dir)
	c.dsn = databasesOf(t, s.database, s.name)
	c.env = append(c.env, "FANLI_DATABASE_SEAL_KEY="+hex.EncodeToString(c.key), "FANLI_PEERS_TOKEN=a token that only this cluster knows",
		"FANLI_BROKER_PREFIX="+s.name, "FANLI_REGISTRY_PREFIX="+s.registry.Prefix(t), "FANLI_REDIS_PREFIX="+s.name)
	var telegram []string
	c.phones, telegram = newPhones(t)
	abroad := c.abroad(strings.TrimPrefix(telegram[1], telegramAt))
	for _, target := range targets() {
		for i := range replicas {
			n := &node{t: t, name: fmt.Sprintf("%s/%d", target.name, i+1), listen: address(t), waits: -1}
			peer := address(t)
			if target.name == gatewayTarget {
				c.gateways = append(c.gateways, "http://"+n.listen)
			}
			n.env = slices.Concat(c.env, telegram, abroad, c.servers(n.name), []string{
				"FANLI_TARGETS=" + target.name, "FANLI_LISTEN=" + n.listen, "FANLI_PEERS_LISTEN=" + peer,
				"FANLI_REGISTRY_ADVERTISE=" + c.advertised("to "+n.name, peer, n.listen),
			})
			n.args = []string{"serve", "--config", c.args[1], "--data", filepath.Join(dir, strings.ReplaceAll(n.name, "/", "-"))}
			c.nodes = append(c.nodes, n)
		}
	}
	c.env = append(c.env, "FANLI_DATABASE_DSN="+c.dsn)
	return c
}

// servers are the addresses of servers as one process sees them.
func (c *cluster) servers(node string) []string {
	return []string{
		"FANLI_DATABASE_DSN=" + c.through(node+" to mariadb", c.dsn, c.site.database.Addr()),
		"FANLI_REGISTRY_URL=" + c.through(node+" to etcd", c.site.registry.URL(), c.site.registry.Endpoint()),
		"FANLI_REDIS_URL=" + c.through(node+" to redis", c.site.cache.URL(), hostOf(c.t, c.site.cache.URL())),
		"FANLI_BROKER_URL=" + c.through(node+" to rabbitmq", c.site.broker.URL(), hostOf(c.t, c.site.broker.URL())),
	}
}

// telegramAt begins what says where Telegram is.
const telegramAt = "FANLI_TELEGRAM_ENDPOINT="

// abroad are the addresses of networks, payer and Telegram as all processes see them,
// each over one line.
func (c *cluster) abroad(telegram string) (env []string) {
	at := c.out.world.Endpoints()
	for _, way := range [][3]string{
		{"to taobao", "FANLI_NETWORKS_TAOBAO_ENDPOINT=", at["taobao"].URL}, {"to jd", "FANLI_NETWORKS_JD_ENDPOINT=", at["jd"].URL},
		{"to pdd", "FANLI_NETWORKS_PDD_ENDPOINT=", at["pdd"].URL},
		{"to alipay", "FANLI_ALIPAY_GATEWAY=", withAlipay(alipay.Config{}, c.out.world).Gateway}, {"to telegram", telegramAt, telegram},
	} {
		env = append(env, way[1]+c.through(way[0], way[2], hostOf(c.t, way[2])))
	}
	return env
}

// through puts a line of its own into an address.
func (c *cluster) through(name, address, host string) string {
	return strings.Replace(address, host, c.on(name, host), 1)
}

// on returns where an address is reached over a line of its own, or the address
// where there are no lines.
func (c *cluster) on(name, to string) string {
	if !c.site.lines {
		return to
	}
	l := newLine(c.t, name, "127.0.0.1:0", to)
	c.lines = append(c.lines, l)
	return l.proxy.Listen
}

// advertised is the host at which a process says that it is reached. Lines to it are on
// another address of this machine, with the same ports.
func (c *cluster) advertised(name string, at ...string) string {
	const here, there = "127.0.0.1", "127.0.0.2"
	if !c.site.lines {
		return here
	}
	for i, to := range at {
		c.lines = append(c.lines, newLine(c.t, fmt.Sprintf("%s, port %d", name, i+1), strings.Replace(to, here, there, 1), to))
	}
	return there
}

// hostOf is HOST:PORT of an address.
func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// newPhones is Telegram, and how a process reaches it.
func newPhones(t *testing.T) (*telegramfake.Server, []string) {
	t.Helper()
	fake := telegramfake.New(telegramfake.Config{})
	platform := httptest.NewServer(fake)
	t.Cleanup(platform.Close)
	return fake, []string{"FANLI_TELEGRAM_TOKEN=" + telegramfake.DefaultToken, telegramAt + platform.URL}
}

// start starts all processes and waits until they serve.
func (c *cluster) start() {
	c.t.Helper()
	var starting errgroup.Group
	for _, n := range c.nodes {
		starting.Go(func() error {
			n.start()
			return n.serves(c.t.Context())
		})
	}
	if err := starting.Wait(); err != nil {
		c.t.Fatal(err)
	}
}

// where is the gateway whose turn it is: people are sent to all, and to another one
// when theirs does not answer.
func (c *cluster) where(context.Context) (string, error) {
	return c.gateways[int(c.turn.Add(1))%len(c.gateways)], nil
}

// databasesOf makes a database for each target and returns the address of all.
func databasesOf(t *testing.T, server *mariadbtest.Server, name string) string {
	t.Helper()
	dsn := server.Database(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	shell := server.Shell(t, dsn)
	for _, target := range targets() {
		if !target.owns {
			continue
		}
		base := "test_" + name + "_" + target.name
		if _, err := shell.ExecContext(t.Context(), "CREATE DATABASE "+base); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = shell.ExecContext(context.Background(), "DROP DATABASE IF EXISTS "+base) })
	}
	return strings.TrimSuffix(dsn, u.Path) + "/test_" + name + "_" + targetMark
}

// books are those of all targets.
func (c *cluster) books() *books {
	c.t.Helper()
	db, err := openApart(c.t.Context(), store.Config{DSN: c.dsn, SealKey: c.key}, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = db.Close() })
	return &books{db: db, env: c.env, args: c.args}
}

// links are those of the databases of bot and order, which are on one server.
func (c *cluster) links() links {
	c.t.Helper()
	base := func(target string) string { return "test_" + c.site.name + "_" + target + "." }
	return links{
		db:  c.site.database.Shell(c.t, strings.ReplaceAll(c.dsn, targetMark, botTarget)),
		bot: base(botTarget), order: base(orderTarget),
	}
}

// end lets no process be started again, and says what they have said last if the test
// has failed.
func (c *cluster) end() {
	for _, n := range c.nodes {
		n.leave()
		if text := n.said(); text != "" && c.t.Failed() {
			c.t.Logf("%s:\n%s", n.name, text)
		}
	}
}

// stop stops all processes in order.
func (c *cluster) stop() {
	c.t.Helper()
	for _, n := range c.nodes {
		if p := n.leave(); p != nil {
			if code, took := p.stop(c.t); code != exitOK || took > stopLimit {
				c.t.Errorf("%s stops with %d after %v\n%s", n.name, code, took, p.log)
			}
		}
	}
}

// wantSound lets staff look: the audit is clean and no event was given up.
func (c *cluster) wantSound(b *books) {
	c.t.Helper()
	if code := runProgram(c.t, c.env, append([]string{"audit"}, c.args...)...); code != exitOK {
		c.t.Errorf("fanli audit ends with %d", code)
	}
	for _, o := range b.db.Outboxes() {
		dead, err := o.Dead(c.t.Context(), 0, 100)
		if err != nil || len(dead) > 0 {
			c.t.Errorf("%s gave up %+v, %v", o.Name(), dead, err)
		}
	}
}

// address is a free address of this machine whose port the system gives to nobody
// who does not ask for it: a process that was killed finds it free when it comes back.
func address(t *testing.T) string {
	t.Helper()
	for range 1000 {
		at := fmt.Sprintf("127.0.0.1:%d", lowPort.Add(1))
		ln, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		return at
	}
	t.Fatal("no port is free")
	return ""
}

// TestAClusterBooksWhatOneProcessBooks tells the same tale to one process on SQLite and
// to all targets in processes of their own, on a database each, over RabbitMQ, etcd
// and Redis, in the web chat and with Telegram: every entry of the ledger is the same.
func TestAClusterBooksWhatOneProcessBooks(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	const people = 2
	once := func(_ *person, rounds int) bool { return rounds == 1 }
	one := oneProcess(t, people)
	var twin errgroup.Group
	twin.Go(func() error { return one.tell(t.Context(), once) })
	c := newCluster(t, site{name: "story", database: mariadbtest.Shared(t), broker: brokertest.RabbitMQ(t), registry: etcdtest.Shared(t), cache: brokertest.Redis(t)})
	defer c.end()
	c.start()
	many := newSaga(t, c.out, c.books(), c.links(), c.phones, c.where, people)
	if err := errors.Join(many.tell(t.Context(), once), twin.Wait()); err != nil {
		t.Fatal(err)
	}
	many.books.settled(t, c.out)
	wantSame(t, one.chapters(t), many.chapters(t))
	many.wantTold()
	many.books.wantTrue(t, c.out, many.shoppers())
	c.wantSound(many.books)
	c.stop()
}

// converges is how long a cluster may need after the last fault.
const converges = time.Minute
