// Package tencentfake is what the fakes of WeChat and WeCom share: the crypto of callbacks,
// written apart from that of our own side so that the two can disagree, ways to fail, and
// a client that reaches a handler without a network.
package tencentfake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What a message is wrapped in before it is encrypted.
const (
	RandomLen = 16
	PadTo     = 32 // though AES has blocks of 16
	HeadLen   = RandomLen + 4
)

// A Crypter is what both sides of a callback share.
type Crypter struct {
	token, receiver string
	key             []byte // 32 bytes
}

// NewCrypter takes the key as the console shows it. One that is none makes every
// message unreadable, as at the platform, which would not take it.
func NewCrypter(token, receiver, key string) Crypter {
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil || len(raw) != 2*aes.BlockSize {
		raw = make([]byte, 2*aes.BlockSize)
	}
	return Crypter{token, receiver, raw}
}

// Sign is the signature over parts, the token among them.
func (c Crypter) Sign(parts ...string) string {
	all := append(slices.Clone(parts), c.token)
	slices.Sort(all)
	sum := sha1.Sum([]byte(strings.Join(all, "")))
	return hex.EncodeToString(sum[:])
}

// Seal encrypts a message for a receiver, which is an app or a company.
func (c Crypter) Seal(random, msg []byte, receiver string) string {
	text := slices.Concat(random, binary.BigEndian.AppendUint32(nil, uint32(len(msg))), msg, []byte(receiver))
	pad := PadTo - len(text)%PadTo
	return c.Encrypt(append(text, bytes.Repeat([]byte{byte(pad)}, pad)...))
}

// Encrypt encrypts what is whole blocks.
func (c Crypter) Encrypt(text []byte) string {
	block, err := aes.NewCipher(c.key)
	if err != nil {
		panic("tencentfake: " + err.Error()) // the key has the right length
	}
	out := make([]byte, len(text))
	cipher.NewCBCEncrypter(block, c.key[:aes.BlockSize]).CryptBlocks(out, text)
	return base64.StdEncoding.EncodeToString(out)
}

// Open decrypts what seal has made, and says for whom it was.
func (c Crypter) Open(sealed string) (msg []byte, receiver string, err error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("not base64: %w", err)
	case len(raw) == 0 || len(raw)%PadTo != 0:
		return nil, "", fmt.Errorf("%d bytes are not whole blocks of %d", len(raw), PadTo)
	}
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return nil, "", err
	}
	cipher.NewCBCDecrypter(block, c.key[:aes.BlockSize]).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > PadTo {
		return nil, "", fmt.Errorf("padded with %d", pad)
	}
	for _, b := range raw[len(raw)-pad:] {
		if int(b) != pad {
			return nil, "", errors.New("padded unevenly")
		}
	}
	raw = raw[:len(raw)-pad]
	if len(raw) < HeadLen {
		return nil, "", errors.New("too short")
	}
	size := int(binary.BigEndian.Uint32(raw[RandomLen:HeadLen]))
	if size > len(raw)-HeadLen {
		return nil, "", fmt.Errorf("a message of %d bytes in %d", size, len(raw)-HeadLen)
	}
	return raw[HeadLen : HeadLen+size], string(raw[HeadLen+size:]), nil
}

// Random returns n random letters and digits.
func Random(n int) string {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}

// Random16 are the bytes before a message.
func Random16() []byte { return []byte(Random(RandomLen)) }
