package bus

import (
	"errors"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-amqp/v3/pkg/amqp"
	"github.com/ThreeDotsLabs/watermill/message"
)

// rabbit is RabbitMQ: a durable queue for each target, messages that are on disk
// before Publish returns.
type rabbit struct {
	url   string
	queue func(target string) string
	log   watermill.LoggerAdapter
}

func (r rabbit) config() amqp.Config {
	c := amqp.NewDurableQueueConfig(r.url)
	c.Publish.ConfirmDelivery = true // without it an event may be lost while the server goes down
	c.Publish.ChannelPoolSize = 1
	return c
}

// publisher implements engine.
func (r rabbit) publisher(targets []string) (message.Publisher, error) {
	sub, err := amqp.NewSubscriber(r.config(), r.log)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		err = errors.Join(err, sub.SubscribeInitialize(r.queue(t)))
	}
	if err = errors.Join(err, sub.Close()); err != nil {
		return nil, err
	}
	return amqp.NewPublisher(r.config(), r.log)
}

// subscriber implements engine.
func (r rabbit) subscriber(string) (message.Subscriber, error) {
	return amqp.NewSubscriber(r.config(), r.log)
}
