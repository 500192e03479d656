package jd

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// Sign returns the signature of a call: the parameters by name in byte order,
// each name followed by its value as it is before any URL encoding, between two
// secrets, hashed with MD5 and written in upper-case hex. A parameter "sign" is
// left out. MD5 is the platform's choice and used for nothing else.
func Sign(secret string, params map[string]string) string {
	var b strings.Builder
	b.WriteString(secret)
	for _, k := range slices.Sorted(maps.Keys(params)) {
		if k != "sign" {
			b.WriteString(k)
			b.WriteString(params[k])
		}
	}
	b.WriteString(secret)
	sum := md5.Sum([]byte(b.String()))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
