package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
)

// The headers of a message, as https://www.standardwebhooks.com names them.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Tolerance is how far a receiver lets the time of a message be from its own.
const Tolerance = 5 * time.Minute

// secretMark begins a secret; secretBytes is how long the key behind it is.
const (
	secretMark  = "whsec_"
	secretBytes = 32
	version     = "v1"
)

// A Secret signs messages: whsec_ and a key in base64. It does not show itself.
type Secret string

// NewSecret returns one that nobody can guess.
func NewSecret() Secret {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return Secret(secretMark + base64.StdEncoding.EncodeToString(b))
}

// String hides the secret.
func (Secret) String() string { return secretMark + "***" }

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Reveal returns the secret, to be shown once to who asked for it.
func (s Secret) Reveal() string { return string(s) }

// key returns the bytes that sign.
func (s Secret) key() ([]byte, error) {
	text, ok := strings.CutPrefix(string(s), secretMark)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) == 0 {
		return nil, fault.New(fault.Internal, "webhook.secret") // without the cause: it quotes the text
	}
	return key, nil
}

// sum signs one message: the id, the second of sending and the body, with dots
// between them.
func (s Secret) sum(id, second string, body []byte) ([]byte, error) {
	key, err := s.key()
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(m, "%s.%s.", id, second)
	_, _ = m.Write(body)
	return m.Sum(nil), nil
}

// Sign returns the headers timestamp and signature of a message that is sent at a
// time: one signature for each secret.
func Sign(secrets []Secret, id string, at time.Time, body []byte) (timestamp, signature string, err error) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, s := range secrets {
		sum, err := s.sum(id, timestamp, body)
		if err != nil {
			return "", "", err
		}
		signatures = append(signatures, version+","+base64.StdEncoding.EncodeToString(sum))
	}
	return timestamp, strings.Join(signatures, " "), nil
}

// Verify is what a receiver does with the three headers of a message. It fails with
// fault.Denied if none of the signatures is of the secret, or if the message is older
// or newer than [Tolerance]. Whoever also leaves out the ids of that time that it has
// seen is safe from replays.
func Verify(s Secret, id, timestamp, signature string, body []byte, now time.Time) error {
	second, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(second, 0)).Abs() > Tolerance {
		return fault.Newf(fault.Denied, "", "the time is not now")
	}
	want, err := s.sum(id, timestamp, body)
	if err != nil {
		return err
	}
	for one := range strings.FieldsSeq(signature) {
		text, ok := strings.CutPrefix(one, version+",")
		got, err := base64.StdEncoding.DecodeString(text)
		if ok && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return fault.Newf(fault.Denied, "", "no signature is of this secret")
}

// messageID returns the id under which receivers know the news of an event: the same
// whenever it is made, and telling nothing.
func messageID(hook int64, event string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "fanli webhook\x00%d\x00%s", hook, event))
	return "msg_" + hex.EncodeToString(h[:16])
}
