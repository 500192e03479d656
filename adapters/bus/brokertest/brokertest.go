// Package brokertest starts brokers for tests, as package servertest promises it: a
// real RabbitMQ, a real Redis, and for Kafka, which needs a JVM, a process that speaks
// its protocol and keeps what it has confirmed.
package brokertest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"fanli/core/servertest"
)

// A Broker is one of this test binary.
type Broker struct {
	*servertest.Server
	url string
}

// URL is the broker's address as an operator would write it.
func (b *Broker) URL() string { return b.url }

// Redis starts a Redis that keeps everything it has confirmed.
func Redis(tb testing.TB) *Broker {
	tb.Helper()
	path, dir, port := servertest.Need(tb, "redis-server"), folder(tb), freePort(tb)
	return start(tb, "redis://127.0.0.1:"+port, servertest.Program{
		Name: "redis-server", Dir: dir, Path: path,
		Args: []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"},
		Ready: func() error {
			c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", port), time.Second)
			if err != nil {
				return err
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Second))
			if _, err := io.WriteString(c, "PING\r\n"); err != nil {
				return err
			}
			buf := make([]byte, 7)
			if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "+PONG\r\n" {
				return fmt.Errorf("it says %q: %w", buf, errors.Join(err, errors.New("not ready")))
			}
			return nil
		},
	})
}

// RabbitMQ starts a RabbitMQ.
func RabbitMQ(tb testing.TB) *Broker {
	tb.Helper()
	path := servertest.Need(tb, "/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
	dir, port, dist, epmd := disk(tb), freePort(tb), freePort(tb), freePort(tb)
	return start(tb, "amqp://guest:guest@127.0.0.1:"+port+"/", servertest.Program{
		Name: "rabbitmq-server", Dir: dir, Path: path,
		After: "epmd -port " + epmd + " -kill", // which RabbitMQ leaves behind
		Env: []string{
			"HOME=" + dir, "RABBITMQ_NODENAME=fanli" + port + "@localhost", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + port,
			"RABBITMQ_DIST_PORT=" + dist, "ERL_EPMD_PORT=" + epmd, "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_MNESIA_BASE=" + filepath.Join(dir, "mnesia"),
			"RABBITMQ_LOG_BASE=" + filepath.Join(dir, "log"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "plugins"),
			"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2", "RABBITMQ_PID_FILE=" + filepath.Join(dir, "rabbit.pid"),
		},
		Ready: func() error { return greets(port) },
	})
}

// Kafka starts what speaks Kafka's protocol. It is built from a module, so that it
// is there wherever Go is.
func Kafka(tb testing.TB) *Broker {
	tb.Helper()
	goes, dir, port := servertest.Need(tb, "go"), disk(tb), freePort(tb)
	path := filepath.Join(dir, "kafka")
	build := exec.CommandContext(tb.Context(), goes, "build", "-o", path, "fanli/adapters/bus/brokertest/kafka")
	if text, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return start(tb, "kafka://127.0.0.1:"+port, servertest.Program{
		Name: "kafka", Dir: dir, Path: path, Args: []string{port, filepath.Join(dir, "data")},
		Ready: func() error {
			c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", port), time.Second)
			if err != nil {
				return err
			}
			return c.Close()
		},
	})
}

// greets reports whether a RabbitMQ answers the first bytes of its protocol.
func greets(port string) error {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", port), time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.WriteString(c, "AMQP\x00\x00\x09\x01"); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, 8))
	return err
}

// folder is one in memory where there is one: a Redis that waits for the disk twice for
// each event measures the disk.
func folder(tb testing.TB) string {
	tb.Helper()
	dir, err := servertest.Folder("broker")
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// disk is a folder for brokers that want more room.
func disk(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "fanli-broker-")
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

func freePort(tb testing.TB) string {
	tb.Helper()
	port, err := servertest.FreePort()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

func start(tb testing.TB, url string, p servertest.Program) *Broker {
	tb.Helper()
	s, err := servertest.Start(p)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.End)
	return &Broker{s, url}
}
