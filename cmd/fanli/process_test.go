package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/alipay/alipayfake"
	"fanli/adapters/observe"
	"fanli/adapters/sandbox"
	"fanli/core/logtest"
)

func TestMain(m *testing.M) {
	observe.Libraries(logtest.New(nil)) // what they say is looked at, too
	code := m.Run()
	_ = os.RemoveAll(programDir())
	os.Exit(code)
}

// programDir is where the binary of this test run is. Everybody may look into it:
// some tests start the binary as a user with fewer rights.
func programDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("fanli-program-%d", os.Getpid()))
}

// build makes the binary that people run: the whole program, without the race
// detector and, as `make build`, without what only debuggers read.
var build = sync.OnceValues(func() (string, error) {
	if err := os.Mkdir(programDir(), 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(programDir(), "fanli")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// unwatched is why tests that start it are skipped where the test binary is watched.
const unwatched = "skipped under the race detector, which does not watch other processes: stage 2 plays it"

// program returns the path of the binary.
func program(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil && !needAll() {
		t.Skip("skipped: there is no go command to build the binary with")
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// logBytesMax bounds what is kept of a process's log.
const logBytesMax = 16 << 10

// A screen keeps what a process writes, and finds the line that says where it
// serves. It is safe for concurrent use.
type screen struct {
	mu    sync.Mutex
	text  []byte
	base  string
	ready chan struct{} // closed when base is there
}

// Write keeps the newest part of what comes.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, b...)
	if _, rest, ok := bytes.Cut(s.text, []byte("fanli is ready: open ")); ok && s.base == "" {
		if line, _, whole := bytes.Cut(rest, []byte("\n")); whole {
			s.base = string(line)
			close(s.ready)
		}
	}
	if cut := len(s.text) - logBytesMax; cut > 0 && s.base != "" {
		s.text = append([]byte(nil), s.text[cut:]...)
	}
	return len(b), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// A process is the real binary at work.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	out   *screen // standard output
	log   *screen // standard error
	ended chan struct{}
}

// launch starts the binary with nothing in its environment but env. It is killed
// at the end of the test if it still runs.
func launch(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	return launchAs(t, nil, env, args...)
}

// launchAs is launch as another user.
func launchAs(t testing.TB, who *syscall.Credential, env []string, args ...string) *process {
	t.Helper()
	p := &process{
		cmd: exec.Command(program(t), args...), out: &screen{ready: make(chan struct{})}, log: &screen{ready: make(chan struct{})},
		ended: make(chan struct{}),
	}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, logtest.Tee(p.log, logtest.Process(env, args))
	logtest.Environment(env)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// ready waits for the line that says where the process serves. It fails if the
// process ends before.
func (p *process) ready(ctx context.Context) (base string, err error) {
	select {
	case <-p.out.ready:
		return p.out.base, nil
	case <-p.ended:
		return "", fmt.Errorf("the process ended by itself: %s\n%s", p.cmd.ProcessState, p.log)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// mustReady is ready for a test that needs the process, with a generous limit.
func (p *process) mustReady(t testing.TB) (base string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	base, err := p.ready(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// kill ends the process as a loss of power does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the process to end and returns its exit code, and how long it took.
func (p *process) stop(t testing.TB) (code int, took time.Duration) {
	t.Helper()
	from := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.end(t), time.Since(from)
}

// end waits until the process has ended by itself and returns its exit code.
func (p *process) end(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
		t.Fatalf("the process does not end\n%s", p.log)
	}
	return p.cmd.ProcessState.ExitCode()
}

// patience is how long a busy machine may take for what usually takes a moment.
const patience = time.Minute

// An outside is everything that is not fanli: shops, networks and payer, on real
// time, in this process. What happens to fanli's process leaves them alone.
type outside struct {
	world *sandbox.World
	base  string
	wire  wire
}

// newOutside opens the outside on a free port.
func newOutside(t testing.TB) *outside {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{base: "http://" + ln.Addr().String()}
	if o.world, err = sandbox.New(sandbox.Options{BaseURL: o.base, Keys: alipayKeys(t)}); err != nil {
		t.Fatal(err)
	}
	o.wire.to = o.world.Handler()
	srv := &http.Server{Handler: &o.wire}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return o
}

// madeKeys are those of the Alipay of all worlds: making them takes a moment.
var madeKeys = sync.OnceValues(func() (*alipayfake.Keys, error) { return alipayfake.NewKeys(time.Now()) })

func alipayKeys(t testing.TB) *alipayfake.Keys {
	t.Helper()
	k, err := madeKeys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// settings writes a configuration of the networks and the payer outside into dir
// and returns how to start with it. The secrets go their own ways.
func (o *outside) settings(t testing.TB, dir string) (env []string, args []string) {
	t.Helper()
	at := o.world.Endpoints()
	tb, jd, pdd, pay := at["taobao"], at["jd"], at["pdd"], withAlipay(alipay.Config{}, o.world)
	text := fmt.Sprintf(`
networks:
  taobao: {endpoint: %q, app_key: %q, site_id: %q, adzone_ids: [%s], page_size: 10}
  jd: {endpoint: %q, app_key: %q, page_size: 10}
  pdd: {endpoint: %q, client_id: %q, pid: %q, page_size: 10}
guard: {per_second: 2000, burst: 2000, offer_ttl: 1s, miss_ttl: 1s, rest: 1s}
sync: {every: 1s, first: 1h, rescan: false}
rebate: {hold_days: {default: 0, taobao: 0}}
withdraw: {auto: 200.00, cooling: 0s}
payer: alipay
alipay: {gateway: %q, app_id: %q, app_cert: %q, alipay_cert: %q, root_cert: %q}
`, tb.URL, tb.Key, tb.Site, strings.Join(tb.Slots, ", "), jd.URL, jd.Key, pdd.URL, pdd.Key, pdd.Slots[0],
		pay.Gateway, pay.AppID, pay.AppCert, pay.AlipayCert, pay.RootCert)
	config, secret := filepath.Join(dir, "fanli.yaml"), filepath.Join(dir, "jd.secret")
	if err := errors.Join(os.WriteFile(config, []byte(text), 0o600), os.WriteFile(secret, []byte(jd.Secret+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	env = []string{
		"FANLI_NETWORKS_TAOBAO_APP_SECRET=" + tb.Secret, "FANLI_NETWORKS_JD_APP_SECRET_FILE=" + secret,
		"FANLI_NETWORKS_PDD_CLIENT_SECRET=" + pdd.Secret, "FANLI_ALIPAY_PRIVATE_KEY=" + pay.PrivateKey,
	}
	return env, []string{"--config", config, "--data", filepath.Join(dir, "data")}
}

// serveArgs makes the command line of serve, on any free port.
func serveArgs(common []string) []string {
	return append([]string{"serve", "--listen", "127.0.0.1:0"}, common...)
}

// A wire lies between fanli and the outside. It can be cut at the next request
// under a path.
type wire struct {
	to http.Handler

	mu    sync.Mutex
	cut   *cut
	heard []string // methods that JD was asked for
}

// count returns what counts the calls of JD's methods that begin so from now on.
func (w *wire) count(method string) func() int {
	since := len(w.methods())
	return func() (n int) {
		for _, m := range w.methods()[since:] {
			if strings.HasPrefix(m, method) {
				n++
			}
		}
		return n
	}
}

func (w *wire) methods() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard)
}

// hear notes what a request asks JD for.
func (w *wire) hear(r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/fake/jd") && r.ParseForm() == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard = append(w.heard, r.Form.Get("method"))
	}
}

// A cut is how the wire is cut.
type cut struct {
	under  string        // requests whose path begins so
	answer bool          // after the request had its effect; else before
	hit    chan struct{} // closed when it has happened
}

// arm cuts the wire at the next request under a path; the caller dies meanwhile.
func (w *wire) arm(under string, answer bool) *cut {
	c := &cut{under: under, answer: answer, hit: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = c
	return c
}

// take returns the cut that is meant for a request, once.
func (w *wire) take(path string) *cut {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cut
	if c == nil || !strings.HasPrefix(path, c.under) {
		return nil
	}
	w.cut = nil
	return c
}

// disarm lets everything through again.
func (w *wire) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = nil
}

// ServeHTTP passes requests on, or cuts.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	c := w.take(r.URL.Path)
	if c == nil {
		w.hear(r)
		w.to.ServeHTTP(rw, r)
		return
	}
	if c.answer {
		w.to.ServeHTTP(nowhere{http.Header{}}, r)
	}
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the caller is gone
	close(c.hit)
	select {
	case <-r.Context().Done(): // the caller is dead
	case <-time.After(patience):
	}
	panic(http.ErrAbortHandler)
}

// nowhere takes an answer that nobody will read.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}
