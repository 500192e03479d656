package fakepay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// The headers of requests; answers carry the signature only.
const (
	HeaderMerchant  = "Fakepay-Merchant"
	HeaderTime      = "Fakepay-Time" // unix seconds
	HeaderNonce     = "Fakepay-Nonce"
	HeaderSignature = "Fakepay-Signature"
)

// Sign returns the hex HMAC-SHA256 of parts. Each part goes in with its length
// before it, so that no two lists of parts sign alike. A request signs method,
// path, merchant, time, nonce and body; an answer signs "answer", the request's
// nonce, the status and the body.
func Sign(secret string, parts ...string) string {
	m := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		m.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(m.Sum(nil))
}

// Equal compares two signatures in constant time.
func Equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
