package alipay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
)

// SignedText is what a signature of a form covers: its fields that are not empty,
// without those in except, sorted by name, as name=value with & between them, and
// not escaped.
func SignedText(form url.Values, except ...string) string {
	names := make([]string, 0, len(form))
	for name := range form {
		if form.Get(name) != "" && !slices.Contains(except, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + form.Get(name)
	}
	return strings.Join(names, "&")
}

// verify checks an RSA2 signature.
func verify(key *rsa.PublicKey, text string, signature []byte) error {
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
}
