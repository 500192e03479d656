package pdd

import (
	"crypto/md5" // the platform's signature is MD5
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// Sign returns the signature of params: their names and values in the order of
// the names, between two copies of the secret, as upper-case MD5. Arrays and
// objects are signed as the JSON text that travels.
func Sign(secret string, params map[string]string) string {
	var b strings.Builder
	b.WriteString(secret)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != "sign" {
			b.WriteString(name)
			b.WriteString(params[name])
		}
	}
	b.WriteString(secret)
	sum := md5.Sum([]byte(b.String()))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
