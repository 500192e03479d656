package bus

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"fanli/core/fault"
)

// logs is Kafka, or what speaks its protocol: a topic for each target, of which its
// processes are one group. How many partitions and copies a topic has is its
// operator's choice, who makes it beforehand; one that is not there is made with one
// partition. A process hears its partitions side by side.
type logs struct {
	brokers []string
	queue   func(target string) string
	log     watermill.LoggerAdapter
}

func newKafka(u *url.URL, cfg Config, log watermill.LoggerAdapter) (engine, error) {
	if u.Host == "" {
		return nil, fault.New(fault.Invalid, "broker.url")
	}
	return logs{strings.Split(u.Host, ","), cfg.queue, log}, nil
}

// protocol makes a client speak what Kafka 2.1 and all later ones understand: 4.0 no
// longer knows what the library would speak.
func protocol(c *sarama.Config) *sarama.Config {
	c.Version = sarama.V2_1_0_0
	return c
}

// publisher implements engine.
func (l logs) publisher(targets []string) (_ message.Publisher, err error) {
	c := protocol(kafka.DefaultSaramaSubscriberConfig())
	admin, err := sarama.NewClusterAdmin(l.brokers, c)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		e := admin.CreateTopic(l.queue(t), &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)
		if !errors.Is(e, sarama.ErrTopicAlreadyExists) {
			err = errors.Join(err, e)
		}
	}
	if err = errors.Join(err, admin.Close()); err != nil {
		return nil, err
	}
	p := protocol(kafka.DefaultSaramaSyncPublisherConfig())
	p.Producer.RequiredAcks = sarama.WaitForAll
	p.Net.MaxOpenRequests = 1 // else what is tried again overtakes
	producer, err := sarama.NewSyncProducer(l.brokers, p)
	if err != nil {
		return nil, err
	}
	return producing{producer}, nil
}

// producing puts messages into topics, a batch in one go.
type producing struct{ to sarama.SyncProducer }

// Publish implements message.Publisher.
func (p producing) Publish(topic string, ms ...*message.Message) error {
	batch := make([]*sarama.ProducerMessage, len(ms))
	for i, m := range ms {
		var err error
		if batch[i], err = (kafka.DefaultMarshaler{}).Marshal(topic, m); err != nil {
			return err
		}
		if key := keyOf(m.Payload); key != "" {
			batch[i].Key = sarama.StringEncoder(key)
		}
	}
	return p.to.SendMessages(batch)
}

// Close implements message.Publisher.
func (p producing) Close() error { return p.to.Close() }

// keyOf returns what decides in which partition an event goes: its user, so that
// what is said of one comes in order. A batch is of many users; it has no key and goes
// anywhere.
func keyOf(body []byte) string {
	var e struct{ Data struct{ User int64 } }
	if json.Unmarshal(body, &e) != nil || e.Data.User == 0 {
		return ""
	}
	return "user/" + strconv.FormatInt(e.Data.User, 10)
}

// subscriber implements engine.
func (l logs) subscriber(target string) (message.Subscriber, error) {
	c := protocol(kafka.DefaultSaramaSubscriberConfig())
	c.Consumer.Offsets.Initial = sarama.OffsetOldest // what was said before the first hearer came is heard
	return kafka.NewSubscriber(kafka.SubscriberConfig{
		Brokers: l.brokers, Unmarshaler: kafka.DefaultMarshaler{}, ConsumerGroup: target, OverwriteSaramaConfig: c, NackResendSleep: tryWait,
	}, l.log)
}
