package taobao

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// The ways to sign a call.
const (
	MD5    = "md5"         // MD5 of secret + text + secret
	HMAC   = "hmac"        // HMAC-MD5
	SHA256 = "hmac-sha256" // HMAC-SHA-256
)

// Sign returns the signature of a call's parameters, in upper-case hex. Every
// parameter that is sent counts but sign itself; empty ones are neither sent nor
// signed. Values are signed as they are before URL encoding. A method that is
// not one of the three signs as MD5, the platform's default.
func Sign(params map[string]string, secret, method string) string {
	keys := make([]string, 0, len(params))
	for k, v := range params {
		if k != "" && k != "sign" && v != "" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var text strings.Builder
	for _, k := range keys {
		text.WriteString(k)
		text.WriteString(params[k])
	}
	var sum []byte
	switch method {
	case HMAC:
		h := hmac.New(md5.New, []byte(secret))
		h.Write([]byte(text.String()))
		sum = h.Sum(nil)
	case SHA256:
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(text.String()))
		sum = h.Sum(nil)
	default:
		s := md5.Sum([]byte(secret + text.String() + secret))
		sum = s[:]
	}
	return strings.ToUpper(hex.EncodeToString(sum))
}
