package bus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/redis/go-redis/v9"

	"fanli/core/fault"
)

// How Redis is used.
const (
	redisBlock = 100 * time.Millisecond // so that stopping need not wait longer
	redisClaim = 5 * time.Second        // between two looks for what a dead process has left
	redisIdle  = time.Minute            // after which a process is taken for dead; longer than handling may take
	redisTrim  = time.Minute            // between two times that what everybody has had is thrown away
)

// streams is Redis: a stream for each target. It is as lasting as Redis' own file;
// see docs/targets.md.
type streams struct {
	options *redis.Options
	name    string
	idle    time.Duration
	queue   func(target string) string
	log     watermill.LoggerAdapter
	ask     *redis.Client // for questions
}

func newRedis(cfg Config, log watermill.LoggerAdapter) (engine, error) {
	o, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, fault.New(fault.Invalid, "broker.url")
	}
	o.ContextTimeoutEnabled = true
	return streams{o, cfg.Name, cfg.Idle, cfg.queue, log, newAsking(*o)}, nil
}

// publisher implements engine. The groups are there before anything is said, and
// begin at the beginning.
func (s streams) publisher(targets []string) (message.Publisher, error) {
	ctx, cancel := context.WithTimeout(context.Background(), handleMax)
	defer cancel()
	client := redis.NewClient(s.options) // the publisher's own: it closes it
	for _, t := range targets {
		err := client.XGroupCreateMkStream(ctx, s.queue(t), t, "0").Err()
		if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
			return nil, errors.Join(err, client.Close())
		}
	}
	return appending{client}, nil
}

// appending puts messages at the ends of streams, a batch in one go.
type appending struct{ client *redis.Client }

// Publish implements message.Publisher.
func (p appending) Publish(stream string, ms ...*message.Message) error {
	ctx, cancel := context.WithTimeout(context.Background(), handleMax)
	defer cancel()
	pipe := p.client.Pipeline()
	for _, m := range ms {
		values, err := redisstream.DefaultMarshallerUnmarshaller{}.Marshal(stream, m)
		if err != nil {
			return err
		}
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: values})
	}
	_, err := pipe.Exec(ctx)
	return err
}

// Close implements message.Publisher.
func (p appending) Close() error { return p.client.Close() }

// subscriber implements engine.
func (s streams) subscriber(target string) (message.Subscriber, error) {
	client := redis.NewClient(s.options) // the subscriber's own: it closes it
	sub, err := redisstream.NewSubscriber(redisstream.SubscriberConfig{
		Client: client, Consumer: s.name, ConsumerGroup: target, BlockTime: redisBlock, ClaimInterval: redisClaim, MaxIdleTime: s.idle,
		NackResendSleep: tryWait, DisableIndefiniteInitialBlock: true, OldestId: "0",
		ShouldStopOnReadErrors: func(err error) bool { return redis.HasErrorPrefix(err, "NOGROUP") }, // it was flushed: begin anew
	}, s.log)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	t := &trimmed{Subscriber: sub, stop: cancel}
	t.done.Go(func() {
		tick := time.NewTicker(redisTrim)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := s.trim(ctx, client, target); err != nil {
					s.log.Error("a stream was not trimmed", err, watermill.LogFields{"target": target})
				}
			}
		}
	})
	return t, nil
}

// A trimmed subscriber throws away what has been handled.
type trimmed struct {
	message.Subscriber
	stop func()
	done sync.WaitGroup
}

// Close implements message.Subscriber.
func (t *trimmed) Close() error {
	t.stop()
	t.done.Wait()
	return t.Subscriber.Close()
}

// trim throws away what the target has had for good: everything before the oldest
// event that was given out and is not acknowledged, or else before the last one
// that was given out.
func (s streams) trim(ctx context.Context, client *redis.Client, target string) error {
	pending, err := client.XPending(ctx, s.queue(target), target).Result()
	if err != nil {
		return err
	}
	from := pending.Lower
	if pending.Count == 0 {
		groups, err := client.XInfoGroups(ctx, s.queue(target)).Result()
		if err != nil {
			return err
		}
		if len(groups) != 1 {
			return errors.New("a stream has a group that is not its target's")
		}
		from = groups[0].LastDeliveredID
	}
	return client.XTrimMinID(ctx, s.queue(target), from).Err()
}
