package wechat

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// A refusal is why a callback was turned away: a label of the metric.
type refusal string

// Error makes a refusal an error. It names no value of the request.
func (r refusal) Error() string { return "wechat: callback refused: " + string(r) }

// The reasons.
const (
	errMethod     refusal = "method"
	errQuery      refusal = "query"     // the query lacks something, or has it twice
	errSignature  refusal = "signature" // of the query or of what is encrypted
	errStale      refusal = "stale"     // the time in the query is not now
	errReplayed   refusal = "replayed"  // the very same request again
	errTooLarge   refusal = "too_large" // of a body
	errMalformed  refusal = "malformed" // XML that is none
	errDTD        refusal = "dtd"       // XML that declares types
	errDuplicate  refusal = "duplicate" // an element twice
	errRoot       refusal = "root"      // a second root
	errDeep       refusal = "deep"      // too many levels or elements
	errPlain      refusal = "plain"     // what must be encrypted is not
	errUndecoded  refusal = "undecoded" // what is encrypted cannot be read
	errApp        refusal = "app"       // it is encrypted for somebody else
	errAccount    refusal = "account"   // it is for somebody else
	errMessage    refusal = "message"   // it lacks what every message has
	errDiffers    refusal = "differs"   // its plain part is not what is encrypted
	errNotRunning refusal = "not_running"
	errPanic      refusal = "panic"
)

// A Mode says how messages travel, as chosen in the platform's console.
type Mode string

// The modes.
const (
	Plain      Mode = "plain"      // 明文模式: nothing is encrypted, and the signature does not cover the message
	Compatible Mode = "compatible" // 兼容模式: both, of which we read what is encrypted
	Safe       Mode = "safe"       // 安全模式
)

// Freshness and memory of the guard.
const (
	freshness = 5 * time.Minute  // how far a request's time may be from ours
	remember  = 10 * time.Minute // how long a request is known again: twice that, so that none is fresh and forgotten
	replayMax = 1 << 16          // requests that this process remembers by itself
)

// queryBytesMax bounds each value of the query.
const queryBytesMax = 128

// one returns the only value of a name; it is refused if there are two.
func one(q url.Values, name string) (string, error) {
	switch v := q[name]; {
	case len(v) > 1 || len(v) == 1 && len(v[0]) > queryBytesMax:
		return "", errQuery
	case len(v) == 1:
		return v[0], nil
	default:
		return "", nil
	}
}

// A signed is what the query of a request says.
type signed struct {
	timestamp, nonce, signature, message, encryption, echo string
}

// query reads the query of a request.
func query(r *http.Request) (s signed, err error) {
	q := r.URL.Query()
	for name, to := range map[string]*string{
		"timestamp": &s.timestamp, "nonce": &s.nonce, "signature": &s.signature,
		"msg_signature": &s.message, "encrypt_type": &s.encryption, "echostr": &s.echo,
	} {
		if *to, err = one(q, name); err != nil {
			return signed{}, err
		}
	}
	return s, nil
}

// equal compares in a time that says nothing.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// admit checks what the query alone can show: who it is from, and that it is of now.
func (c *Channel) admit(s signed) error {
	if s.timestamp == "" || s.nonce == "" || s.signature == "" {
		return errQuery
	}
	if !equal(s.signature, util.Signature(c.opts.Token, s.timestamp, s.nonce)) {
		return errSignature
	}
	sec, err := strconv.ParseInt(s.timestamp, 10, 64)
	if err != nil {
		return errQuery
	}
	if d := c.opts.Now().Sub(time.Unix(sec, 0)); d > freshness || d < -freshness {
		return errStale
	}
	return nil
}

// read returns the body of a request, if it is short and text.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if _, _, err := mime.ParseMediaType(kind); err != nil {
			return nil, errMalformed
		}
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errTooLarge
	case err != nil:
		return nil, errMalformed
	default:
		return b, nil
	}
}

// open returns the message in a body: the encrypted one wherever something must be, or
// is, encrypted.
func (c *Channel) open(s signed, body []byte) (*element, error) {
	outer, err := parse(body)
	if err != nil {
		return nil, err
	}
	if c.opts.Mode == Plain {
		if s.encryption != "" && s.encryption != "raw" {
			return nil, errUndecoded
		}
		return outer, nil
	}
	sealed := outer.find("Encrypt")
	if s.encryption != "aes" || sealed == "" || s.message == "" {
		return nil, errPlain
	}
	if !equal(s.message, util.Signature(c.opts.Token, s.timestamp, s.nonce, sealed)) {
		return nil, errSignature
	}
	_, raw, err := util.DecryptMsg(c.opts.AppID, sealed, c.opts.AESKey)
	if err != nil {
		if _, _, _, other := util.AESDecryptMsg(unbase64(sealed), c.key); other == nil {
			return nil, errApp
		}
		return nil, errUndecoded
	}
	inner, err := parse(raw)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"ToUserName", "FromUserName", "MsgId", "Content", "Event", "EventKey"} {
		if plain := outer.child(name); plain != nil && outer.find(name) != inner.find(name) {
			return nil, errDiffers // a plain part that somebody has put around
		}
	}
	return inner, nil
}

// known reports whether the very same request was here before. The cache lets processes
// know of each other's; what it has lost, this process still knows.
func (c *Channel) known(ctx context.Context, s signed) bool {
	key := "wechat/seen/" + digest(s.timestamp+"\n"+s.nonce+"\n"+s.signature+"\n"+s.message)
	if !c.seen.add(key, c.opts.Now()) {
		return true
	}
	if c.opts.Cache == nil {
		return false
	}
	if _, ok := c.opts.Cache.Get(ctx, key); ok {
		return true
	}
	c.opts.Cache.Set(ctx, key, []byte{1}, remember)
	return false
}

// A recollection is what one process remembers of requests: those of now and those of
// before. The zero value is empty.
type recollection struct {
	mu          sync.Mutex
	now, before map[string]bool
	since       time.Time
}

// add remembers a key for at least remember, unless there are too many; fresh is false
// for one that is known.
func (m *recollection) add(key string, now time.Time) (fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil || len(m.now) >= replayMax || now.Sub(m.since) >= remember {
		m.before, m.now, m.since = m.now, map[string]bool{}, now
	}
	if m.now[key] || m.before[key] {
		return false
	}
	m.now[key] = true
	return true
}

// digest names a text without telling it.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// idForm is what the platform's ids of people and accounts look like.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_@.-]{1,64}$`)
