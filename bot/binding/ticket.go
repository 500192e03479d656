package binding

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// A ticket lets a user bind one account until a time. It travels twice: in the address of
// the page, and as the state that the shop hands back. The two are signed apart, so that
// an address that somebody has seen is no state.
type ticket struct {
	user  int64
	until time.Time // whole seconds
	nonce [nonceLen]byte
}

// What a signed ticket holds, in order.
const (
	userLen  = 8
	untilLen = 8
	nonceLen = 12
	macLen   = 16
	bodyLen  = userLen + untilLen + nonceLen
)

// What a ticket is signed for.
const (
	purposePage  = "fanli member page 1\n"
	purposeState = "fanli member state 1\n"
)

func newTicket(user int64, until time.Time) ticket {
	t := ticket{user: user, until: until}
	_, _ = rand.Read(t.nonce[:]) // never fails
	return t
}

// name names the ticket where it is used up.
func (t ticket) name() string { return hex.EncodeToString(t.nonce[:]) }

func (t ticket) sign(key []byte, purpose string) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, bodyLen+macLen), uint64(t.user))
	b = binary.BigEndian.AppendUint64(b, uint64(t.until.Unix()))
	b = append(b, t.nonce[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, mac(key, purpose, b)...))
}

func mac(key []byte, purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write(body)
	return h.Sum(nil)[:macLen]
}

// readTicket returns what was signed. ok is false for any other text, and for a ticket
// that has ended.
func readTicket(key []byte, purpose, text string, now time.Time) (t ticket, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != base64.RawURLEncoding.EncodedLen(bodyLen+macLen) || len(b) != bodyLen+macLen { // the decoder skips line ends
		return t, false
	}
	if !hmac.Equal(b[bodyLen:], mac(key, purpose, b[:bodyLen])) {
		return t, false
	}
	t.user = int64(binary.BigEndian.Uint64(b))                          // what we have signed
	t.until = time.Unix(int64(binary.BigEndian.Uint64(b[userLen:])), 0) // likewise
	copy(t.nonce[:], b[userLen+untilLen:])
	return t, now.Before(t.until)
}
