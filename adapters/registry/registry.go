// Package registry lets processes find each other by way of an etcd.
//
// Each process has one key, PREFIX/processes/ID, that holds what it is and that
// goes when its lease ends. Everybody who looks for somebody watches them all.
//
// # Guarantees
//
//   - It is a registry.Registry: what that promises while a registry is away holds
//     for an etcd that is killed, hangs, has lost its data, or whose history was
//     compacted.
//   - A process that vanishes without having said so is known for one more lease: an
//     etcd that was away ends leases whose holders are well.
//   - Nothing is reached before it is needed, and nobody waits for it: an etcd that
//     is away keeps no process from starting.
//   - Neither logs nor errors have the password or the URL in them.
package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"fanli/core/fault"
	"fanli/core/registry"
)

// How long things take.
const (
	// askMax bounds one question to the etcd.
	askMax = 2 * time.Second
	// pauseMin and pauseMax are between two tries.
	pauseMin = 100 * time.Millisecond
	pauseMax = 2 * time.Second
	// aliveEvery and aliveMax notice a line that carries nothing any more.
	aliveEvery = 10 * time.Second
	aliveMax   = 3 * time.Second
)

// Bounds and defaults of leases.
const (
	LeaseMin     = 2 * time.Second // an etcd grants no shorter ones
	LeaseMax     = time.Minute
	LeaseDefault = 10 * time.Second
)

// PrefixDefault begins the keys of an installation that names no prefix.
const PrefixDefault = "/fanli/"

// Config says which etcd, and how.
type Config struct {
	// URL is etcd://HOST:PORT,HOST:PORT, or etcds://… for one that speaks TLS. It
	// may have a user and a password.
	URL string
	// User and Password are those of the etcd, if they are not in the URL.
	User, Password string
	// Prefix begins all keys, so that installations can share an etcd.
	Prefix string
	// Lease is how long a dead process is known, in whole seconds.
	Lease time.Duration
	// TLS is for etcds://; nil trusts whom the system trusts.
	TLS *tls.Config
	// Log is told when the etcd is away and when it is back; nil for nobody.
	Log *slog.Logger
}

// String keeps the password out of logs.
func (c Config) String() string { return "registry at " + c.Prefix }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// An address is what a URL says.
type address struct {
	hosts          []string // "http://HOST:PORT"
	user, password string
	tls            bool
}

// portDefault is etcd's.
const portDefault = "2379"

// parse reads a URL. Its error does not repeat it.
func parse(text string) (a address, err error) {
	bad := fault.New(fault.Invalid, "registry.url")
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "etcd" && u.Scheme != "etcds" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return a, bad
	}
	scheme := "http"
	if u.Scheme == "etcds" {
		scheme, a.tls = "https", true
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		h, err := url.Parse("//" + strings.TrimSpace(host))
		if err != nil || h.Hostname() == "" || strings.HasSuffix(h.Host, ":") {
			return a, bad
		}
		if h.Port() == "" {
			h.Host += ":" + portDefault
		}
		a.hosts = append(a.hosts, scheme+"://"+h.Host)
	}
	a.user = u.User.Username()
	a.password, _ = u.User.Password()
	return a, nil
}

// CheckURL fails with fault.Invalid for what is no etcd's address. Its error does
// not repeat the address.
func CheckURL(text string) error {
	_, err := parse(text)
	return err
}

// Account returns the user and whether there is a password in a URL.
func Account(text string) (user string, password bool) {
	a, _ := parse(text)
	return a.user, a.password != ""
}

// An Etcd is the registry in an etcd. It is safe for concurrent use. Close it after
// use.
type Etcd struct {
	cfg   clientv3.Config
	dir   string // under which processes are
	lease time.Duration
	log   *slog.Logger

	roll   registry.Roll
	follow sync.Once // begins with the first watcher

	ctx  context.Context // until Close
	end  context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	client *clientv3.Client // nil until it is needed
	away   bool             // so that each change is logged once
}

var _ registry.Registry = (*Etcd)(nil)

// New returns the registry of cfg. It fails with fault.Invalid for a URL that is
// none; whether anybody answers there shows later.
func New(cfg Config) (*Etcd, error) {
	client, err := cfg.Client()
	if err != nil {
		return nil, err
	}
	e := &Etcd{cfg: client, dir: Dir(cfg.Prefix) + "processes/", lease: cfg.Lease, log: cfg.Log}
	if e.lease == 0 {
		e.lease = LeaseDefault
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.ctx, e.end = context.WithCancel(context.Background())
	e.cfg.Context = e.ctx
	return e, nil
}

// Client returns how an etcd client reaches the etcd of cfg. It fails with
// fault.Invalid for a URL that is none.
func (c Config) Client() (clientv3.Config, error) {
	a, err := parse(c.URL)
	if err != nil {
		return clientv3.Config{}, err
	}
	out := clientv3.Config{
		Endpoints: a.hosts, DialTimeout: askMax, DialKeepAliveTime: aliveEvery, DialKeepAliveTimeout: aliveMax,
		Username: cmp.Or(a.user, c.User), Password: cmp.Or(a.password, c.Password), Logger: zap.NewNop(), // its log would not be ours
	}
	if out.Password != "" {
		out.DialOptions = []grpc.DialOption{grpc.WithChainUnaryInterceptor(askOnce)}
	}
	if a.tls {
		out.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if c.TLS != nil {
			out.TLS = c.TLS
		}
	}
	return out, nil
}

// authenticate is the call by which a client says its password.
const authenticate = "/etcdserverpb.Auth/Authenticate"

// askOnce keeps a client from asking for a token without an end: an etcd that was
// restarted refuses the old token also where the password is said, and the client would
// say it again because of that, deeper and deeper. To an etcd without passwords it sends
// no token any more, and then asks for one as at its beginning.
func askOnce(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, ask grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := ask(ctx, method, req, reply, cc, opts...)
	if method == authenticate && errors.Is(rpctypes.Error(err), rpctypes.ErrInvalidAuthToken) {
		return rpctypes.ErrGRPCAuthNotEnabled
	}
	return err
}

// Dir returns a prefix as one that ends with a slash.
func Dir(prefix string) string {
	if prefix == "" {
		prefix = PrefixDefault
	}
	return strings.TrimRight(prefix, "/") + "/"
}

// Close ends all watching and keeping. Who has joined and not left is gone after a
// while.
func (e *Etcd) Close() error {
	e.end()
	e.work.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == nil {
		return nil
	}
	if err := e.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// reach returns the client. With a password, making one asks the etcd.
func (e *Etcd) reach() (*clientv3.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	if e.client != nil {
		return e.client, nil
	}
	c, err := clientv3.New(e.cfg)
	if err != nil {
		return nil, err
	}
	e.client = c
	return c, nil
}

// lost notes that the etcd does not answer, or refuses us.
func (e *Etcd) lost(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away || e.ctx.Err() != nil {
		return
	}
	e.away = true
	e.log.Warn("the registry does not answer; processes that are known stay in use", "error", err)
}

// back notes that it answers.
func (e *Etcd) back() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away {
		e.away = false
		e.log.Info("the registry answers again")
	}
}

// A pause is between two tries: each is longer, until one has worked.
type pause struct{ next time.Duration }

func (p *pause) reset() { p.next = 0 }

func (p *pause) wait(ctx context.Context) {
	p.next = min(max(2*p.next, pauseMin), pauseMax)
	t := time.NewTimer(p.next)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// List implements registry.Registry.
func (e *Etcd) List(ctx context.Context) ([]registry.Process, error) {
	ps, _, err := e.list(ctx)
	return ps, fault.Wrap(fault.Unavailable, "registry.list", err)
}

// list returns all processes by ID, and the revision at which that is true.
func (e *Etcd) list(ctx context.Context) (ps []registry.Process, revision int64, err error) {
	c, err := e.reach()
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, askMax)
	defer cancel()
	resp, err := c.Get(ctx, e.dir, clientv3.WithPrefix())
	if err != nil {
		return nil, 0, err
	}
	for _, kv := range resp.Kvs {
		if p, ok := e.read(string(kv.Key), kv.Value); ok {
			ps = append(ps, p)
		}
	}
	slices.SortFunc(ps, func(a, b registry.Process) int { return strings.Compare(a.ID, b.ID) })
	return ps, resp.Header.Revision, nil
}

// read returns the process under a key. What cannot be read must not hide the
// others.
func (e *Etcd) read(key string, value []byte) (p registry.Process, ok bool) {
	if err := json.Unmarshal(value, &p); err != nil || e.dir+p.ID != key {
		e.log.Error("there is something in the registry that is no process", "key", key, "error", err)
		return p, false
	}
	return p, true
}
