package wechatpayfake

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"time"
)

// Lengths of keys and nonces.
const (
	keyBits  = 2048
	nonceLen = 12
)

// A certificate is that of the platform key.
type certificate struct {
	serial string
	pem    []byte
	from   time.Time
	until  time.Time
}

// newCertificate signs the platform key by itself, for five years.
func newCertificate(key *rsa.PrivateKey, now time.Time) (certificate, error) {
	number := new(big.Int).SetBytes([]byte{0x5f, 0xc3, 0xe1, 0x07, 0x11, 0xa0, 0xc4, 0xd9})
	c := certificate{serial: fmt.Sprintf("%X", number.Bytes()), from: now.Add(-time.Hour), until: now.AddDate(5, 0, 0)}
	t := &x509.Certificate{SerialNumber: number, Subject: pkix.Name{CommonName: "Tenpay.com sign"}, NotBefore: c.from, NotAfter: c.until}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return c, err
	}
	c.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return c, nil
}

// certificates answers what only merchants of the old mode may ask.
func (f *Fake) certificates(w http.ResponseWriter) {
	if f.cfg.KeyID != "" {
		f.refuse(w, http.StatusNotFound, "RESOURCE_NOT_EXISTS")
		return
	}
	f.answer(w, http.StatusOK, mustJSON(map[string]any{"data": []any{map[string]any{
		"serial_no": f.cert.serial, "effective_time": stamp(f.cert.from), "expire_time": stamp(f.cert.until),
		"encrypt_certificate": f.seal(f.cert.pem, "certificate", newNonce()[:nonceLen]),
	}}}))
}

// sealed is what is encrypted with the APIv3 key.
type sealed struct {
	Original   string `json:"original_type,omitempty"`
	Algorithm  string `json:"algorithm"`
	Ciphertext string `json:"ciphertext"`
	Associated string `json:"associated_data"`
	Nonce      string `json:"nonce"`
}

// seal encrypts with the APIv3 key. A nonce of a wrong length is written as it is.
func (f *Fake) seal(text []byte, associated, nonce string) sealed {
	s := sealed{Algorithm: "AEAD_AES_256_GCM", Associated: associated, Nonce: nonce}
	block, err := aes.NewCipher([]byte(f.cfg.APIv3Key))
	if err != nil {
		return s
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil || len(nonce) != gcm.NonceSize() {
		s.Ciphertext = base64.StdEncoding.EncodeToString(text)
		return s
	}
	s.Ciphertext = base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), text, []byte(associated)))
	return s
}

func sign(key *rsa.PrivateKey, text string) []byte {
	sum := sha256.Sum256([]byte(text))
	out, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil { // the key is ours
		panic(err)
	}
	return out
}

func verify(key *rsa.PublicKey, text, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(text))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}

func decrypt(key *rsa.PrivateKey, text string) (string, bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", false
	}
	out, err := rsa.DecryptOAEP(sha1.New(), nil, key, raw, nil)
	return string(out), err == nil
}

func encrypt(key *rsa.PublicKey, text string) string {
	out, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte(text), nil)
	if err != nil { // names are short
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(out)
}

// newNonce returns 26 random letters and digits.
func newNonce() string { return rand.Text() }
