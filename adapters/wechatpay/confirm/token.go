package confirm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// What a token is made of: the withdrawal, when it ends, and a signature of both.
// 16 bytes of an HMAC cannot be guessed, and keep the link short.
const (
	idLen    = 8
	timeLen  = 8
	macLen   = 16
	tokenLen = idLen + timeLen + macLen
)

// purpose keeps a signature of a link from being one of anything else.
const purpose = "fanli confirm 1\n"

// token names a withdrawal until a time, in whole seconds.
func token(key []byte, id int64, until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(id))
	b = binary.BigEndian.AppendUint64(b, uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, mac(key, b)...))
}

// read returns the withdrawal that a token of ours names. ok is false for any
// other text, and for a token that has ended.
func read(key []byte, text string, now time.Time) (id int64, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != base64.RawURLEncoding.EncodedLen(tokenLen) || len(b) != tokenLen { // the decoder skips line ends
		return 0, false
	}
	body, sig := b[:idLen+timeLen], b[idLen+timeLen:]
	if !hmac.Equal(sig, mac(key, body)) || now.Unix() >= int64(binary.BigEndian.Uint64(body[idLen:])) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(body)), true
}

func mac(key, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write(body)
	return h.Sum(nil)[:macLen]
}
