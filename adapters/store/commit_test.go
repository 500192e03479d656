package store_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/fault"
	"fanli/core/ledger"
)

// A wire stands between a store and its server. It can break at the next commit:
// before the server hears of it, or before its answer comes.
type wire struct {
	net.Listener
	server string
	breaks atomic.Int32
}

// Where a wire breaks.
const (
	nowhere = iota
	beforeTheServer
	beforeTheAnswer
)

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{Listener: l, server: server}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

// carry carries one connection.
func (w *wire) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		b := make([]byte, 32<<10)
		for {
			n, err := server.Read(b)
			if err != nil {
				return
			}
			if deaf.Load() {
				return // the server has answered, so it has done it
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		if bytes.HasSuffix(b[:n], []byte("\x03COMMIT")) { // a question that is nothing else
			switch w.breaks.Swap(nowhere) {
			case beforeTheServer:
				return
			case beforeTheAnswer:
				deaf.Store(true)
				_, _ = io.Copy(server, bytes.NewReader(b[:n]))
				<-answered
				return
			}
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestALostCommitIsUnknown breaks the connection at a commit. Nobody can say
// whether it happened, and the store does not; the same command again, under the
// same key, finds out.
func TestALostCommitIsUnknown(t *testing.T) {
	t.Parallel()
	s := mariadbtest.Shared(t)
	w := newWire(t, s.Addr())
	dsn := s.Database(t)
	db := open(t, store.Config{DSN: strings.Replace(dsn, s.Addr(), w.Addr().String(), 1)})
	must(t, move(t.Context(), db, "first"))
	entries := func() int64 {
		t.Helper()
		rep, err := ledger.Audit(t.Context(), db.Ledger())
		must(t, err)
		if !rep.OK() {
			t.Errorf("%+v", rep)
		}
		return rep.Entries
	}
	for _, tt := range []struct {
		name   string
		breaks int32
		kept   int64
	}{{"BeforeTheServer", beforeTheServer, 1}, {"BeforeTheAnswer", beforeTheAnswer, 3}} {
		t.Run(tt.name, func(t *testing.T) {
			w.breaks.Store(tt.breaks)
			if err := move(t.Context(), db, tt.name); !fault.Is(err, fault.Unknown) {
				t.Errorf("a lost commit: %v, want unknown", err)
			}
			if got := entries(); got != tt.kept {
				t.Errorf("%d entries, want %d", got, tt.kept)
			}
			before := entries()
			must(t, move(t.Context(), db, tt.name))
			if got, want := entries(), map[int64]int64{1: 2, 3: 3}[before]; got != want {
				t.Errorf("%d entries after the same once more, want %d", got, want)
			}
		})
	}
}
