// Package callback admits what WeChat and WeCom push to us: it says of a request whether
// it is one of theirs, of now, seen for the first time, and what is in it.
//
// Both sign and encrypt alike. The crypto is silenceper/wechat's; what is around it is
// not, because that checks no freshness and no replay, and for WeCom no signature.
//
// # Guarantees
//
//   - What is refused is refused with a RefusalError, which is fit for a metric and a log and
//     names no value of the request.
//   - Signatures are compared in a time that says nothing.
//   - Nothing encrypted is opened before its signature is right.
//   - A request that comes again to the byte within Redelivery of the first is a
//     redelivery: its message is known by its own id. One that comes later, and one with
//     the same time, nonce and signatures whose body differs, is a replay.
//   - A body is read up to BodyBytesMax, and XML that declares types, has an element twice,
//     a second root, attributes, many levels or many elements is refused.
package callback

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// A RefusalError is why a callback was turned away: a label of a metric.
type RefusalError string

// Error makes a refusal an error. It names no value of the request.
func (r RefusalError) Error() string { return "callback refused: " + string(r) }

// The reasons.
const (
	ErrMethod     RefusalError = "method"
	ErrQuery      RefusalError = "query"     // the query lacks something, or has it twice
	ErrSignature  RefusalError = "signature" // of the query or of what is encrypted
	ErrStale      RefusalError = "stale"     // the time in the query is not now
	ErrReplayed   RefusalError = "replayed"  // the same request again, too late or with something else in it
	ErrTooLarge   RefusalError = "too_large" // of a body
	ErrMalformed  RefusalError = "malformed" // XML that is none
	ErrDTD        RefusalError = "dtd"       // XML that declares types
	ErrDuplicate  RefusalError = "duplicate" // an element twice
	ErrRoot       RefusalError = "root"      // a second root
	ErrDeep       RefusalError = "deep"      // too many levels or elements
	ErrPlain      RefusalError = "plain"     // what must be encrypted is not
	ErrUndecoded  RefusalError = "undecoded" // what is encrypted cannot be read
	ErrApp        RefusalError = "app"       // it is encrypted for somebody else
	ErrAccount    RefusalError = "account"   // it is for somebody else
	ErrMessage    RefusalError = "message"   // it lacks what every message has
	ErrDiffers    RefusalError = "differs"   // its plain part is not what is encrypted
	ErrNotRunning RefusalError = "not_running"
	ErrPanic      RefusalError = "panic"
)

// ReasonOf is the label of a refusal.
func ReasonOf(err error) RefusalError {
	var r RefusalError
	if errors.As(err, &r) {
		return r
	}
	return ErrMalformed
}

// StatusOf is what the other side is told of it.
func StatusOf(err error) int {
	switch ReasonOf(err) {
	case ErrSignature, ErrStale, ErrReplayed, ErrApp, ErrAccount:
		return http.StatusForbidden
	case ErrTooLarge:
		return http.StatusRequestEntityTooLarge
	case ErrMethod:
		return http.StatusMethodNotAllowed
	case ErrNotRunning:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// Freshness is how far a request's time may be from ours.
const Freshness = 5 * time.Minute

// queryBytesMax bounds each value of the query but the echo, which may be encrypted.
const (
	queryBytesMax = 128
	echoBytesMax  = 512
)

// one returns the only value of a name; it is refused if there are two.
func one(q url.Values, name string, size int) (string, error) {
	switch v := q[name]; {
	case len(v) > 1 || len(v) == 1 && len(v[0]) > size:
		return "", ErrQuery
	case len(v) == 1:
		return v[0], nil
	default:
		return "", nil
	}
}

// A Signed is what the query of a request says.
type Signed struct {
	Timestamp, Nonce string
	Signature        string // of these two
	Message          string // the signature of what is encrypted, too
	Encryption, Echo string
}

// Query reads the query of a request.
func Query(r *http.Request) (s Signed, err error) {
	q := r.URL.Query()
	for name, to := range map[string]*string{
		"timestamp": &s.Timestamp, "nonce": &s.Nonce, "signature": &s.Signature,
		"msg_signature": &s.Message, "encrypt_type": &s.Encryption, "echostr": &s.Echo,
	} {
		size := queryBytesMax
		if to == &s.Echo {
			size = echoBytesMax
		}
		if *to, err = one(q, name, size); err != nil {
			return Signed{}, err
		}
	}
	return s, nil
}

// Fresh says whether a request is of now.
func (s Signed) Fresh(now time.Time) error {
	sec, err := strconv.ParseInt(s.Timestamp, 10, 64)
	if err != nil {
		return ErrQuery
	}
	if d := now.Sub(time.Unix(sec, 0)); d > Freshness || d < -Freshness {
		return ErrStale
	}
	return nil
}

// Equal compares in a time that says nothing.
func Equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Read returns the body of a request, if it is short and text.
func Read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if _, _, err := mime.ParseMediaType(kind); err != nil {
			return nil, ErrMalformed
		}
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, BodyBytesMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, ErrTooLarge
	case err != nil:
		return nil, ErrMalformed
	default:
		return b, nil
	}
}

// Keys are what both sides share.
type Keys struct {
	Token    string
	AESKey   string // 43 characters
	Receiver string // the id of the account, or of the company
}

// keyBytes is the length of a key, decoded.
const keyBytes = 32

// raw is the key; nil for what is none.
func (k Keys) raw() []byte {
	b := unbase64(k.AESKey + "=")
	if len(b) != keyBytes {
		return nil
	}
	return b
}

// Sound reports whether the key is one.
func (k Keys) Sound() bool { return k.raw() != nil }

// Open checks the signature of what is encrypted, and returns what it says.
func (k Keys) Open(s Signed, sealed string) ([]byte, error) {
	if !Equal(s.Message, util.Signature(k.Token, s.Timestamp, s.Nonce, sealed)) {
		return nil, ErrSignature
	}
	_, plain, err := util.DecryptMsg(k.Receiver, sealed, k.AESKey)
	if err == nil {
		return plain, nil
	}
	key := k.raw() // with what is no key the library panics
	if key == nil {
		return nil, ErrUndecoded
	}
	if _, _, _, other := util.AESDecryptMsg(unbase64(sealed), key); other == nil {
		return nil, ErrApp
	}
	return nil, ErrUndecoded
}

// unbase64 decodes; nil for what is not base64.
func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
