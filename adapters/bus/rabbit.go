package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	amqp "github.com/rabbitmq/amqp091-go"
)

// How RabbitMQ is used.
const (
	rabbitDial = 5 * time.Second
	rabbitBeat = 10 * time.Second
	// rabbitAhead is how many events the server hands out before the first of them is
	// acknowledged, so that nobody waits for the way there and back. What a slow
	// process has ahead waits for it, so it is few.
	rabbitAhead = 10
)

// rabbit is RabbitMQ: a durable queue for each target, messages that are on disk
// before Publish returns.
//
// It is written on the server's own client: the library's adapter waits for each
// message's confirmation before it sends the next one, looks at its connection without
// a lock while it makes a new one, and comes back up to a minute and a half after the
// server does.
type rabbit struct {
	url     string
	queue   func(target string) string
	measure *measure
}

// connect returns a connection with a channel on which the queues are there.
func (r rabbit) connect(queues ...string) (*amqp.Connection, *amqp.Channel, error) {
	conn, ch, err := r.dial(rabbitDial)
	if err != nil {
		return nil, nil, err
	}
	for _, q := range queues {
		if _, err := ch.QueueDeclare(q, true, false, false, false, nil); err != nil {
			return nil, nil, errors.Join(err, conn.Close())
		}
	}
	return conn, ch, nil
}

// dial returns a connection with a channel.
func (r rabbit) dial(within time.Duration) (*amqp.Connection, *amqp.Channel, error) {
	conn, err := amqp.DialConfig(r.url, amqp.Config{Heartbeat: rabbitBeat, Locale: "en_US", Dial: amqp.DefaultDial(within)})
	if err != nil {
		return nil, nil, err
	}
	ch, err := conn.Channel()
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, ch, nil
}

// publisher implements engine.
func (r rabbit) publisher(targets []string) (message.Publisher, error) {
	p := &confirmed{rabbit: r}
	for _, t := range targets {
		p.queues = append(p.queues, r.queue(t))
	}
	return p, p.open()
}

// confirmed puts messages into queues. It sends a batch in one go and then waits until
// the server has all of it.
type confirmed struct {
	rabbit
	queues []string

	mu   sync.Mutex
	conn *amqp.Connection // nil after a failure: the next batch connects
	ch   *amqp.Channel
}

// open connects. The queues are made again each time: a server that has lost them
// would confirm what nobody will ever take.
func (p *confirmed) open() error {
	if p.conn != nil {
		return nil
	}
	conn, ch, err := p.connect(p.queues...)
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return errors.Join(err, conn.Close())
	}
	p.conn, p.ch = conn, ch
	return nil
}

// Publish implements message.Publisher.
func (p *confirmed) Publish(queue string, ms ...*message.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return err
	}
	err := p.send(queue, ms)
	if err != nil {
		_ = p.conn.Close() // it is broken already, as a rule
		p.conn = nil
	}
	return err
}

func (p *confirmed) send(queue string, ms []*message.Message) error {
	ctx, cancel := context.WithTimeout(context.Background(), handleMax)
	defer cancel()
	waiting := make([]*amqp.DeferredConfirmation, len(ms))
	for i, m := range ms {
		headers := amqp.Table{}
		for k, v := range m.Metadata {
			headers[k] = v
		}
		var err error
		waiting[i], err = p.ch.PublishWithDeferredConfirmWithContext(ctx, "", queue, false, false, amqp.Publishing{
			MessageId: m.UUID, Headers: headers, Body: m.Payload, DeliveryMode: amqp.Persistent,
		})
		if err != nil {
			return err
		}
	}
	for _, w := range waiting {
		if ok, err := w.WaitContext(ctx); err != nil || !ok {
			return errors.Join(fmt.Errorf("%s: not confirmed", queue), err)
		}
	}
	return nil
}

// Close implements message.Publisher.
func (p *confirmed) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return nil
	}
	conn := p.conn
	p.conn = nil
	return hangUp(conn)
}

// hangUp ends a connection. One that the broker has ended before, as when it was
// killed, needs no more.
func hangUp(conn *amqp.Connection) error {
	if err := conn.Close(); !errors.Is(err, amqp.ErrClosed) {
		return err
	}
	return nil
}

// subscriber implements engine.
func (r rabbit) subscriber(target string) (message.Subscriber, error) {
	conn, ch, err := r.connect(r.queue(target))
	if err != nil {
		return nil, err
	}
	if err := ch.Qos(rabbitAhead, 0, false); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &taking{conn: conn, ch: ch, closing: make(chan struct{})}, nil
}

// taking takes messages of a queue, one at a time, until its connection ends; who
// wants more opens another one.
type taking struct {
	conn    *amqp.Connection
	ch      *amqp.Channel
	once    sync.Once
	closing chan struct{}
	all     sync.WaitGroup
}

// Subscribe implements message.Subscriber.
func (s *taking) Subscribe(ctx context.Context, queue string) (<-chan *message.Message, error) {
	in, err := s.ch.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	s.all.Go(func() {
		defer close(out)
		for {
			select {
			case d, open := <-in:
				if !open || !s.hand(ctx, out, d) {
					return
				}
			case <-s.closing:
				return
			case <-ctx.Done():
				return
			}
		}
	})
	return out, nil
}

// hand hands a message on and waits for what becomes of it. What is not acknowledged
// before the connection ends the server hands out again.
func (s *taking) hand(ctx context.Context, out chan<- *message.Message, d amqp.Delivery) bool {
	m := message.NewMessage(d.MessageId, d.Body)
	for k, v := range d.Headers {
		if text, ok := v.(string); ok {
			m.Metadata.Set(k, text)
		}
	}
	select {
	case out <- m:
	case <-s.closing:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-m.Acked():
		return d.Ack(false) == nil
	case <-m.Nacked():
		return d.Nack(false, true) == nil
	}
}

// Close implements message.Subscriber.
func (s *taking) Close() (err error) {
	s.once.Do(func() {
		close(s.closing)
		s.all.Wait()
		err = hangUp(s.conn)
	})
	return err
}
