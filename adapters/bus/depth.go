package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
)

// measureMax is how long reaching a broker may take to which only a question is put.
const measureMax = time.Second

var (
	errAsking = errors.New("the broker has not answered the last question yet")
	errLost   = errors.New("the broker does not know how much waits")
)

// Depth returns how many events wait in a target's queue, as the broker counts them. An
// event that a process has, and is not done with, may count or not. It fails where the
// broker does not answer, and never later than ctx ends.
func (b *Broker) Depth(ctx context.Context, target string) (int64, error) {
	if !b.asking.TryLock() {
		return 0, errAsking
	}
	type answer struct {
		count int64
		err   error
	}
	got := make(chan answer, 1)
	go func() { // clients of brokers wait for an answer as long as the connection seems to live
		defer b.asking.Unlock()
		n, err := b.engine.depth(ctx, target)
		got <- answer{n, err}
	}()
	select {
	case a := <-got:
		if a.err != nil {
			return 0, fmt.Errorf("queue of %s: %w", target, a.err)
		}
		return a.count, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// A measure is a connection to RabbitMQ on which nothing is asked but how long queues
// are, so that a question about one that is not there breaks nothing.
type measure struct {
	mu   sync.Mutex
	conn *amqp.Connection
	ch   *amqp.Channel
}

// depth implements engine.
func (r rabbit) depth(_ context.Context, target string) (int64, error) {
	m := r.measure
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil {
		conn, ch, err := r.dial(measureMax)
		if err != nil {
			return 0, err
		}
		m.conn, m.ch = conn, ch
	}
	q, err := m.ch.QueueDeclarePassive(r.queue(target), true, false, false, false, nil)
	if err != nil {
		m.hangUp()
	}
	return int64(q.Messages), err
}

// hangUp ends the connection; the next question makes another one.
func (m *measure) hangUp() {
	if m.conn != nil {
		_ = m.conn.CloseDeadline(time.Now().Add(measureMax)) // nothing is lost with it
		m.conn = nil
	}
}

// close implements engine.
func (r rabbit) close() error {
	r.measure.mu.Lock()
	defer r.measure.mu.Unlock()
	r.measure.hangUp()
	return nil
}

// depth implements engine: what no process was given, and what those who were given
// something are not done with.
func (s streams) depth(ctx context.Context, target string) (int64, error) {
	groups, err := s.ask.XInfoGroups(ctx, s.queue(target)).Result()
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		switch {
		case g.Name != target:
		case g.Lag < 0:
			return 0, errLost
		default:
			return g.Lag + g.Pending, nil
		}
	}
	return 0, errLost
}

// close implements engine.
func (s streams) close() error { return s.ask.Close() }

// newAsking returns a client for questions, which connects when it is first used.
func newAsking(o redis.Options) *redis.Client {
	o.PoolSize, o.DialTimeout, o.MaxRetries = 1, measureMax, -1
	return redis.NewClient(&o)
}

// depth implements engine: what the group is behind the ends of all partitions.
func (l logs) depth(_ context.Context, target string) (behind int64, err error) {
	c := protocol(kafka.DefaultSaramaSubscriberConfig())
	c.Net.DialTimeout, c.Metadata.Retry.Max = measureMax, 0
	client, err := sarama.NewClient(l.brokers, c)
	if err != nil {
		return 0, err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return 0, errors.Join(err, client.Close())
	}
	defer func() { err = errors.Join(err, admin.Close()) }() // and the client with it
	topic := l.queue(target)
	partitions, err := client.Partitions(topic)
	if err != nil {
		return 0, err
	}
	done, err := admin.ListConsumerGroupOffsets(target, map[string][]int32{topic: partitions})
	if err != nil {
		return 0, err
	}
	for _, p := range partitions {
		end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		if err != nil {
			return 0, err
		}
		from, err := client.GetOffset(topic, p, sarama.OffsetOldest)
		if err != nil {
			return 0, err
		}
		if b := done.GetBlock(topic, p); b != nil && b.Offset > from { // none: it has begun nowhere yet
			from = b.Offset
		}
		behind += max(end-from, 0)
	}
	return behind, nil
}

// close implements engine.
func (logs) close() error { return nil }
