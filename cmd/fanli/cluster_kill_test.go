package main

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/adapters/bus/brokertest"
	"fanli/adapters/registry/etcdtest"
	"fanli/adapters/store/mariadbtest"
)

// TestAClusterThatIsKilledLosesNothing kills every process of a cluster and every
// server that it stands on, again and again, and makes the lines between them bad,
// while people do the whole loop. All of it, and when, comes from a seed. Within a
// minute after the last fault everything is where one process would have put it. Then
// whole targets are away for a while.
func TestAClusterThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	const people = 4
	p := plan{lasts: 90 * time.Second, kills: 20, deaths: 5, bad: 90}
	if os.Getenv("FANLI_SOAK") != "" {
		p = plan{lasts: 15 * time.Minute, kills: 200, deaths: 50, bad: 900}
	}
	database, broker, registry := mariadbtest.New(t), brokertest.RabbitMQ(t), etcdtest.New(t)
	cache := brokertest.Redis(t)
	c := newCluster(t, site{name: "kill", database: database, broker: broker, registry: registry, cache: cache, lines: true})
	servers := map[string]mortal{"mariadb": database, "rabbitmq": broker, "etcd": registry, "redis": cache}
	seed := seedOf(t)
	all := c.schedule(seed, p, servers)
	t.Logf("seed %d: FANLI_SEED=%[1]d make test-cluster does the same", seed)
	defer func() {
		if t.Failed() {
			t.Logf("what happened was\n%s", listing(all))
		}
	}()
	defer c.end()
	c.start()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var done, ended atomic.Bool
	one, many := oneProcess(t, people), newSaga(t, c.out, c.books(), c.links(), c.phones, c.where, people)
	var telling, twin errgroup.Group
	telling.Go(func() error {
		defer cancel()
		defer ended.Store(true)
		return many.tell(ctx, func(*person, int) bool { return done.Load() })
	})
	twin.Go(func() error {
		return one.tell(t.Context(), func(p *person, rounds int) bool { return ended.Load() && rounds >= many.people[p.number].rounds })
	})
	h := newHavoc(c, servers)
	err := h.run(ctx, all)
	done.Store(true)
	busy, calm := many.steps.Load(), time.Now()
	if told := telling.Wait(); told != nil || err != nil {
		t.Fatal(err, told)
	}
	many.books.settled(t, c.out)
	took := time.Since(calm)
	c.report(h, all, took)
	t.Logf("%d steps during the faults", busy)
	if err := twin.Wait(); err != nil {
		t.Fatal("one process: ", err)
	}
	if busy < 4*people {
		t.Errorf("the faults came to people who took %d steps", busy)
	}
	wantSame(t, one.chapters(t), many.chapters(t))
	many.wantTold()
	many.books.wantTrue(t, c.out, many.shoppers())
	c.wantSound(many.books)
	c.wantDegraded(many)
	c.stop()
}

// schedule draws what goes wrong in this cluster.
func (c *cluster) schedule(seed uint64, p plan, servers map[string]mortal) []mishap {
	var nodes, lines []string
	for _, n := range c.nodes {
		nodes = append(nodes, n.name)
	}
	for _, l := range c.lines {
		lines = append(lines, l.name)
	}
	return schedule(seed, p, nodes, slices.Sorted(maps.Keys(servers)), lines)
}

// report says what happened, and fails if it was less than was planned, or lasted.
func (c *cluster) report(h *havoc, all []mishap, took time.Duration) {
	c.t.Helper()
	killedAll, fell := 0, 0
	for _, n := range c.nodes {
		killedAll += n.killed
		fell += n.fell
		if err := n.wrong(); err != nil {
			c.t.Error(err)
		}
	}
	c.t.Logf("%d faults in %v, the last one %v late; %d processes were killed, %d ended by themselves without a server; calm after %v",
		len(all), time.Since(h.begun)-took, h.late, killedAll, fell, took)
	if took > converges {
		c.t.Errorf("the cluster needed %v to come to rest", took)
	}
}
