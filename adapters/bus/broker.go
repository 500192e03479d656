package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
)

// Limits of a broker's hearers.
const (
	// triesMax is how often an event is tried before it is buried; with the waits
	// below that is about a minute.
	triesMax  = 12
	tryWait   = 100 * time.Millisecond
	tryMax    = 10 * time.Second
	handleMax = 30 * time.Second // one try
	// reopenWait is between two tries to reach a broker that does not answer.
	reopenWait = time.Second
	// bodyMax is how long an event can be, as it travels: what every broker takes
	// without being asked to take more. A page of 500 order lines is a third of it.
	bodyMax = 900 << 10
)

// Config says which broker carries events.
type Config struct {
	// URL is amqp://… of RabbitMQ, redis://… of Redis with a file that it appends
	// to, or kafka://HOST:PORT,HOST:PORT. It may have a password; nothing logs it.
	URL string
	// Hearers are the targets that hear each event. Those that say events need it
	// as well: a queue must be there before anything is put into it.
	Hearers map[event.Name][]string
	// Prefix begins the names of the queues, so that installations can share a
	// broker; "" is fanli.
	Prefix string
	// Wait is how long to wait after the first try that failed; it doubles up to
	// WaitMax. Zero is 100 milliseconds, and ten seconds.
	Wait, WaitMax time.Duration
	// Idle is how long a process on Redis may have an event before it is taken for
	// dead; zero is a minute, which is longer than handling takes.
	Idle time.Duration
	// Name is this process's, the same after a restart.
	Name string
	Log  *slog.Logger
}

// String keeps the password out of logs.
func (c Config) String() string { return "broker of " + c.Name }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// A Broker carries events between processes. Each hearing target has one queue, of
// which all its processes take, so that an event that two targets hear is put into
// two queues. It is safe for concurrent use.
//
// Publish returns nil once the broker has the event for good in the queue of every
// hearer; until then the relay publishes it again. A hearer that fails tries again
// for about a minute; then the event is buried in the target's own outbox, among the
// dead letters that an operator looks at, and the next one has its turn.
type Broker struct {
	cfg    Config
	engine engine

	mu  sync.Mutex
	pub message.Publisher // nil while the broker was not reached yet

	asking sync.Mutex // held by whoever asks how long a queue is
}

// An engine is a kind of broker.
type engine interface {
	// publisher makes the queues of targets and returns what puts events into
	// them, many at a time and in their order. It fails where the broker does not
	// answer.
	publisher(targets []string) (message.Publisher, error)
	// subscriber returns what takes events of a target's queue, one at a time.
	subscriber(target string) (message.Subscriber, error)
	// depth returns how many events wait in a target's queue.
	depth(ctx context.Context, target string) (int64, error)
	// close ends what depth has opened.
	close() error
}

var _ event.Batcher = (*Broker)(nil)

// NewBroker returns the broker of cfg. It reaches it when it is needed. It fails
// with fault.Invalid for a URL that is none.
func NewBroker(cfg Config) (*Broker, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fault.New(fault.Invalid, "broker.url") // without the cause, which may quote the password
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "fanli"
	}
	if cfg.Wait == 0 {
		cfg.Wait, cfg.WaitMax = tryWait, tryMax
	}
	if cfg.Idle == 0 {
		cfg.Idle = redisIdle
	}
	b := &Broker{cfg: cfg}
	log := watermill.NewSlogLogger(quiet(cfg.Log))
	switch u.Scheme {
	case "amqp", "amqps":
		b.engine = rabbit{cfg.URL, cfg.queue, &measure{}}
	case "redis", "rediss":
		b.engine, err = newRedis(cfg, log)
	case "kafka":
		b.engine, err = newKafka(u, cfg, log)
	default:
		return nil, fault.Newf(fault.Invalid, "broker.url", "%q is not amqp, redis or kafka", u.Scheme)
	}
	return b, err
}

// CheckURL fails with fault.Invalid for what is no broker's address. It does not
// connect, and its error does not repeat the address.
func CheckURL(address string) error {
	b, err := NewBroker(Config{URL: address})
	if err != nil {
		return err
	}
	return b.Close()
}

// quiet lets only errors of the library through: what it says of every message is
// of no use, and may have content.
func quiet(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(errorsOnly{log.Handler()})
}

type errorsOnly struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h errorsOnly) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && h.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (h errorsOnly) WithAttrs(as []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(as)}
}

// WithGroup implements slog.Handler.
func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }

// queue is the name of a target's queue.
func (c Config) queue(target string) string { return c.Prefix + "." + target }

// targets are all that hear anything.
func (c Config) targets() (out []string) {
	for _, ts := range c.Hearers {
		out = append(out, ts...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Publish puts e into the queue of every target that hears it.
func (b *Broker) Publish(ctx context.Context, e event.Event) error {
	return b.PublishAll(ctx, []event.Event{e})[0]
}

// PublishAll implements event.Batcher: what goes into one queue is sent in one go, in
// the order of es.
func (b *Broker) PublishAll(ctx context.Context, es []event.Event) []error {
	errs := make([]error, len(es))
	pub, err := b.publisher()
	if err != nil {
		for i := range errs {
			errs[i] = down(err)
		}
		return errs
	}
	queues := map[string][]int{}
	bodies := make([][]byte, len(es))
	for i, e := range es {
		bodies[i], errs[i] = encode(e)
		if errs[i] != nil {
			continue
		}
		for _, t := range b.cfg.Hearers[e.Name] {
			queues[t] = append(queues[t], i)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(queues)) {
		ms := make([]*message.Message, len(queues[t]))
		for k, i := range queues[t] {
			ms[k] = message.NewMessageWithContext(context.WithoutCancel(ctx), watermill.NewUUID(), bodies[i])
		}
		if err := pub.Publish(b.cfg.queue(t), ms...); err != nil {
			for _, i := range queues[t] {
				errs[i] = down(err)
			}
		}
	}
	return errs
}

// encode writes an event as it travels. One that no broker would take is refused here,
// so that it does not look as if the broker were away.
func encode(e event.Event) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "bus.Publish", err)
	}
	if len(body) > bodyMax {
		return nil, fault.Newf(fault.Invalid, "event.too_large", "%s has %d bytes", e.ID, len(body))
	}
	return body, nil
}

// down is an error of the broker as a whole.
func down(err error) error {
	return &fault.Error{Code: fault.Unavailable, Reason: event.Down, Op: "bus.Publish", Err: err}
}

// publisher reaches the broker at the first call that succeeds.
func (b *Broker) publisher() (message.Publisher, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pub != nil {
		return b.pub, nil
	}
	pub, err := b.engine.publisher(b.cfg.targets())
	if err != nil {
		return nil, err
	}
	b.pub = pub
	return pub, nil
}

// A Hearing is what a target does with events.
type Hearing struct {
	Target string
	Handle event.Handler
	// Bury keeps an event that cannot be handled among the dead letters of the
	// target.
	Bury func(ctx context.Context, e event.Event, cause error) error
}

// Hear takes events out of a target's queue, one at a time, until ctx ends. A broker
// that does not answer is tried again. It returns nil then.
func (b *Broker) Hear(ctx context.Context, h Hearing) error {
	for ctx.Err() == nil {
		err := b.hear(ctx, h)
		if err == nil || ctx.Err() != nil {
			continue
		}
		b.cfg.Log.Warn("events do not arrive", "target", h.Target, "error", err, "try", "look whether the broker runs and takes our account")
		select {
		case <-ctx.Done():
		case <-time.After(reopenWait):
		}
	}
	return nil
}

func (b *Broker) hear(ctx context.Context, h Hearing) error {
	if _, err := b.publisher(); err != nil { // which makes the queue
		return err
	}
	sub, err := b.engine.subscriber(h.Target)
	if err != nil {
		return err
	}
	r, err := message.NewRouter(message.RouterConfig{CloseTimeout: handleMax}, watermill.NewSlogLogger(quiet(b.cfg.Log)))
	if err != nil {
		return errors.Join(err, sub.Close())
	}
	r.AddConsumerHandler(h.Target, b.cfg.queue(h.Target), sub, b.take(ctx, h))
	return errors.Join(r.Run(ctx), sub.Close())
}

// take returns what handles one message: it tries, waits while a switch stops it, and
// buries what cannot be handled. An event that could be neither handled nor buried
// goes back to its queue.
func (b *Broker) take(ctx context.Context, h Hearing) message.NoPublishHandlerFunc {
	return func(m *message.Message) error {
		var e event.Event
		if err := json.Unmarshal(m.Payload, &e); err != nil {
			e = event.Event{ID: "unreadable/" + m.UUID, Name: "unreadable", At: time.Now(), Data: json.RawMessage(`null`)}
			return h.Bury(ctx, e, err)
		}
		for {
			err := b.try(ctx, h, m, e)
			switch {
			case err == nil:
				return nil
			case ctx.Err() != nil: // we are being stopped, and the event is not to blame
				return err
			case fault.ReasonOf(err) != control.Stopped && !fault.Away(err):
				b.cfg.Log.Error("an event was buried", "target", h.Target, "event", e.ID, "name", string(e.Name), "error", err,
					"try", "fanli events dead "+h.Target)
				return h.Bury(ctx, e, err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(b.cfg.WaitMax): // it waits as long as the switch is on, or somebody away, and is never buried
			}
		}
	}
}

// try handles an event a few times.
func (b *Broker) try(ctx context.Context, h Hearing, m *message.Message, e event.Event) error {
	retry := middleware.Retry{
		MaxRetries: triesMax - 1, InitialInterval: b.cfg.Wait, MaxInterval: b.cfg.WaitMax, Multiplier: 2,
		ShouldRetry: func(p middleware.RetryParams) bool {
			return ctx.Err() == nil && fault.ReasonOf(p.Err) != control.Stopped && !fault.Away(p.Err)
		},
	}
	handle := retry.Middleware(middleware.Recoverer(func(*message.Message) ([]*message.Message, error) {
		ctx, cancel := context.WithTimeout(ctx, handleMax)
		defer cancel()
		return nil, h.Handle(ctx, e)
	}))
	_, err := handle(m)
	return err
}

// Close ends the connection that events are said over, and the one over which the
// queues are measured.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.engine.close()
	if b.pub != nil {
		err = errors.Join(err, b.pub.Close())
		b.pub = nil
	}
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}
