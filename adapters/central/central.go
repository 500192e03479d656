// Package central keeps the configuration of all processes in etcd: documents with
// versions, which of them counts, and which one each process runs. What is in a
// document is none of its business.
//
//	PREFIX config/current            the number of the version that counts
//	PREFIX config/versions/0000000007  a version: text, author, time, note
//	PREFIX config/applied/PROCESS    what a process says of itself, as long as it lives
//	PREFIX config/trials/ID          a document that somebody wants to try
//	PREFIX config/answers/ID/PROCESS what a process thinks of it
//
// # Guarantees
//
//   - A version is never changed by this package, and its number is never given
//     twice while one of the versions from it on is there.
//   - Of two who publish after the same version one succeeds; the other gets
//     fault.Conflict and has changed nothing. A version and the fact that it counts
//     are written in one transaction.
//   - The newest [HistoryMax] versions are kept.
//   - Watch calls back soon after every change, after a connection that was lost is
//     there again, and also after changes of others who know nothing of this package.
//   - What a process says of itself is gone a while after it has died.
//
// # Not here
//
// Whether a document is sound: anybody who can write to the etcd can write nonsense,
// so every reader checks what it has read.
package central

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"fanli/core/fault"
)

// HistoryMax is how many versions are kept.
const HistoryMax = 100

// Bounds of what an etcd that is not well may cost.
const (
	callTimeout  = 3 * time.Second
	reconnectMax = time.Second // between two tries to connect
	retryAfter   = time.Second // after a watch or a lease has ended
)

// A Version is one document.
type Version struct {
	Number  int64     `json:"number"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
	Changes string    `json:"changes,omitempty"` // in words, for the record
	Text    string    `json:"text"`
}

// A Head says which version counts. It is what [Book.Publish] holds against what
// counts by then.
type Head struct {
	Number   int64 // 0: none
	revision int64 // etcd's, of the key
}

// A Book is the central configuration.
type Book struct {
	etcd   clientv3.Config
	prefix string

	mu     sync.Mutex
	client *clientv3.Client // nil before something was asked
}

// Open returns the book at an etcd, below a prefix of keys that ends with a slash. It
// connects when it is asked something.
func Open(etcd clientv3.Config, prefix string) *Book {
	etcd.DialTimeout = callTimeout
	etcd.DialOptions = append(etcd.DialOptions[:len(etcd.DialOptions):len(etcd.DialOptions)], grpc.WithConnectParams(grpc.ConnectParams{
		Backoff: backoff.Config{BaseDelay: reconnectMax / 10, Multiplier: 2, Jitter: 0.2, MaxDelay: reconnectMax}, MinConnectTimeout: callTimeout,
	}))
	return &Book{etcd: etcd, prefix: prefix + "config/"}
}

// conn returns the client. Making it asks the etcd where we have a password.
func (b *Book) conn() (*clientv3.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		return b.client, nil
	}
	c, err := clientv3.New(b.etcd)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "central", err)
	}
	b.client = c
	return c, nil
}

// Close ends the connection.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		return nil
	}
	return b.client.Close()
}

// get reads keys.
func (b *Book) get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	c, err := b.conn()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := c.Get(ctx, key, opts...)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "central", err)
	}
	return r, nil
}

func (b *Book) versionKey(n int64) string { return fmt.Sprintf("%sversions/%010d", b.prefix, n) }

// Current returns the version that counts; its number is 0 if there is none. It fails
// with fault.Unavailable if the etcd does not answer, and with fault.Invalid if what is
// there is no version; the head is good for Publish all the same.
func (b *Book) Current(ctx context.Context) (Version, Head, error) {
	r, err := b.get(ctx, b.prefix+"current")
	if err != nil {
		return Version{}, Head{}, err
	}
	if len(r.Kvs) == 0 {
		return Version{}, Head{}, nil
	}
	h := Head{revision: r.Kvs[0].ModRevision}
	if h.Number, err = strconv.ParseInt(string(r.Kvs[0].Value), 10, 64); err != nil || h.Number <= 0 {
		h.Number = 0
		return Version{}, h, fault.Newf(fault.Invalid, "", "the key %scurrent holds no number of a version", b.prefix)
	}
	v, err := b.Version(ctx, h.Number)
	if fault.Is(err, fault.NotFound) {
		err = fault.Newf(fault.Invalid, "", "version %d counts, but is not there", h.Number)
	}
	return v, h, err
}

// Version returns a version. It fails with fault.NotFound if it is not there, and with
// fault.Invalid if something else is.
func (b *Book) Version(ctx context.Context, n int64) (v Version, err error) {
	r, err := b.get(ctx, b.versionKey(n))
	switch {
	case err != nil:
		return v, err
	case len(r.Kvs) == 0:
		return v, fault.Newf(fault.NotFound, "", "there is no version %d", n)
	}
	return record(r.Kvs[0].Value, n)
}

// record reads a version.
func record(text []byte, n int64) (v Version, err error) {
	if err := json.Unmarshal(text, &v); err != nil {
		return Version{Number: n}, fault.Newf(fault.Invalid, "", "version %d cannot be read: %v", n, err)
	}
	v.Number = n
	return v, nil
}

// History returns the newest versions, at most count, newest first. What cannot be
// read has a number only.
func (b *Book) History(ctx context.Context, count int) (out []Version, err error) {
	r, err := b.get(ctx, b.prefix+"versions/", clientv3.WithPrefix(), clientv3.WithLimit(int64(count)),
		clientv3.WithSort(clientv3.SortByKey, clientv3.SortDescend))
	if err != nil {
		return nil, err
	}
	for _, kv := range r.Kvs {
		n, err := strconv.ParseInt(strings.TrimPrefix(string(kv.Key), b.prefix+"versions/"), 10, 64)
		if err != nil {
			continue // a stranger's key
		}
		v, _ := record(kv.Value, n) // shown as what it is
		out = append(out, v)
	}
	return out, nil
}

// Publish makes a document count, as a new version, whose number it returns, if what
// counts is still what the head says. It fails with fault.Conflict if it is not.
func (b *Book) Publish(ctx context.Context, after Head, v Version) (int64, error) {
	newest, err := b.History(ctx, 1)
	if err != nil {
		return 0, err
	}
	v.Number = after.Number + 1
	if len(newest) > 0 {
		v.Number = max(v.Number, newest[0].Number+1)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return 0, fault.Wrap(fault.Invalid, "central.Publish", err)
	}
	c, err := b.conn()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ops := []clientv3.Op{
		clientv3.OpPut(b.versionKey(v.Number), string(text)),
		clientv3.OpPut(b.prefix+"current", strconv.FormatInt(v.Number, 10)),
	}
	if old := v.Number - HistoryMax; old > 0 {
		ops = append(ops, clientv3.OpDelete(b.versionKey(0), clientv3.WithRange(b.versionKey(old+1))))
	}
	r, err := c.Txn(ctx).If(
		clientv3.Compare(clientv3.ModRevision(b.prefix+"current"), "=", after.revision),
		clientv3.Compare(clientv3.CreateRevision(b.versionKey(v.Number)), "=", 0),
	).Then(ops...).Commit()
	switch {
	case err != nil: // it may have happened: who asks sees by whom the current version is
		return 0, fault.Wrap(fault.Unknown, "central.Publish", err)
	case !r.Succeeded:
		return 0, fault.New(fault.Conflict, "central.changed")
	}
	return v.Number, nil
}

// Watch calls wake at the beginning, when something may have changed, and after the
// connection was lost, until ctx ends. Whoever is woken reads what counts. It calls
// judge, which may be nil, with every document that somebody wants to try.
func (b *Book) Watch(ctx context.Context, wake func(), judge func(Trial)) {
	for ctx.Err() == nil {
		b.watchOnce(ctx, wake, judge)
		rest(ctx)
	}
}

// watchOnce does it until the watch ends.
func (b *Book) watchOnce(ctx context.Context, wake func(), judge func(Trial)) {
	c, err := b.conn()
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	// The first answer says that the watch has begun, so that nothing is missed between
	// reading and watching.
	// What processes say stands before "current".
	changes := c.Watch(ctx, b.prefix+"current", clientv3.WithRange(clientv3.GetPrefixRangeEnd(b.prefix)), clientv3.WithCreatedNotify())
	for r := range changes {
		if r.Err() != nil {
			return
		}
		told := len(r.Events) == 0
		for _, e := range r.Events {
			switch t, put, ok := b.trial(e); {
			case !ok:
				told = true
			case put && judge != nil:
				judge(t)
			}
		}
		if told {
			wake()
		}
	}
}

// rest waits a moment, unless ctx ends.
func rest(ctx context.Context) {
	t := time.NewTimer(retryAfter)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// errLease says that what a process said of itself is gone.
var errLease = errors.New("the lease has ended")
