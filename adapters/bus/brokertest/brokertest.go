// Package brokertest starts brokers for tests, on free ports, in folders of their
// own: a real RabbitMQ, a real Redis, and for Kafka, which needs a JVM, a process that
// speaks its protocol and keeps what it has confirmed.
//
// # Guarantees
//
//   - A broker and its folder are gone when the test binary is, however it ends: a
//     small shell holds the other end of a pipe and sees it close.
//   - Kill ends a broker as kill -9 does, and Start brings it back on the same port
//     with the same data.
//   - Where there is no such program a test is skipped, and says so; with
//     FANLI_NEED_ALL set it fails instead.
package brokertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a busy machine may take to start a broker.
const patience = 3 * time.Minute

// A Broker is one of this test binary.
type Broker struct {
	name  string
	dir   string
	url   string
	path  string   // of the program
	args  []string // in front of which stands the program
	env   []string
	ready func() error

	mu    sync.Mutex
	alive []io.Closer // pipes: when the last process that holds one ends, so does the broker
}

// URL is the broker's address as an operator would write it.
func (b *Broker) URL() string { return b.url }

// Redis starts a Redis that keeps everything it has confirmed.
func Redis(tb testing.TB) *Broker {
	tb.Helper()
	dir, port := memory(tb), freePort(tb)
	return start(tb, &Broker{
		name: "redis-server", dir: dir, url: "redis://127.0.0.1:" + port, path: program(tb, "redis-server"),
		args: []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"},
		ready: func() error {
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
	dir, port, dist, epmd := place(tb), freePort(tb), freePort(tb), freePort(tb)
	return start(tb, &Broker{
		name: "rabbitmq-server", dir: dir, url: "amqp://guest:guest@127.0.0.1:" + port + "/",
		path: program(tb, "/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"),
		env: []string{
			"HOME=" + dir, "RABBITMQ_NODENAME=fanli" + port + "@localhost", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + port,
			"RABBITMQ_DIST_PORT=" + dist, "ERL_EPMD_PORT=" + epmd, "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_MNESIA_BASE=" + filepath.Join(dir, "mnesia"),
			"RABBITMQ_LOG_BASE=" + filepath.Join(dir, "log"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "plugins"),
			"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2", "RABBITMQ_PID_FILE=" + filepath.Join(dir, "rabbit.pid"),
		},
		ready: func() error { return greets(port) },
	})
}

// Kafka starts what speaks Kafka's protocol. It is built from a module, so that it
// is there wherever Go is.
func Kafka(tb testing.TB) *Broker {
	tb.Helper()
	dir, port := place(tb), freePort(tb)
	path := filepath.Join(dir, "kafka")
	build := exec.CommandContext(tb.Context(), program(tb, "go"), "build", "-o", path, "fanli/adapters/bus/brokertest/kafka")
	if text, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return start(tb, &Broker{
		name: "kafka", dir: dir, url: "kafka://127.0.0.1:" + port, path: path, args: []string{port, filepath.Join(dir, "data")},
		ready: func() error {
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

// program finds the first of names, or skips the test.
func program(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	name := filepath.Base(names[0])
	if os.Getenv("FANLI_NEED_ALL") != "" {
		tb.Fatalf("there is no %s, and FANLI_NEED_ALL is set: `make tools` installs one", name)
	}
	tb.Skipf("skipped: there is no %s on this machine; `make test` installs one", name)
	return ""
}

// memory is a folder in memory where there is one: brokers are killed here, not
// machines, and a Redis that waits for the disk twice for each event measures the disk.
func memory(tb testing.TB) string {
	tb.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "fanli-broker-"); err == nil {
		return dir
	}
	return place(tb)
}

func place(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "fanli-broker-")
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// freePort is one that the system gives to nobody who wants any: while a broker is
// dead its port stays free.
func freePort(tb testing.TB) string {
	tb.Helper()
	var lc net.ListenConfig
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		l, err := lc.Listen(tb.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			tb.Fatal(err)
		}
		return port
	}
	tb.Fatal("no port is free")
	return ""
}

func start(tb testing.TB, b *Broker) *Broker {
	tb.Helper()
	tb.Cleanup(b.end)
	b.Start(tb)
	return b
}

// watcher starts the broker in a group of its own and ends the group when its own
// input ends.
const watcher = `dir=$1; shift
trap '' INT TERM HUP
setsid "$@" >>"$dir/log.txt" 2>&1 &
echo $! >"$dir/group"
cat >/dev/null
kill -9 -$! 2>/dev/null
[ -z "$ERL_EPMD_PORT" ] || epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1
wait
rm -rf "$dir"`

// Start starts the broker, or brings back one that was killed, and returns when it
// answers.
func (b *Broker) Start(tb testing.TB) {
	tb.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", watcher, "sh", b.dir, b.path}, b.args...)...) // it ends when the pipe does
	cmd.Env = append(os.Environ(), b.env...)
	alive, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	b.mu.Lock()
	b.alive = append(b.alive, alive) // also those of brokers that were killed: their shells would clean up
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := b.ready()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(b.dir, "log.txt"))
			tb.Fatalf("%s does not answer: %v\n%s", b.name, err, text[max(0, len(text)-2000):])
		case <-tick.C:
		}
	}
}

// Kill ends the broker at once, with all its processes.
func (b *Broker) Kill(tb testing.TB) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "group"))
	if err != nil {
		tb.Fatal(err)
	}
	group, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || group <= 1 {
		tb.Fatalf("%s: group %q", b.name, text)
	}
	if err := syscall.Kill(-group, syscall.SIGKILL); err != nil {
		tb.Fatalf("%s: %v", b.name, err)
	}
	for b.ready() == nil {
		time.Sleep(time.Millisecond) // the system takes the port away after the process
	}
}

// end ends the broker; its shell does the rest.
func (b *Broker) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.alive {
		_ = c.Close()
	}
	b.alive = nil
}
