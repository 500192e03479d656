package wechatfake

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
	randomLen = 16
	padTo     = 32 // though AES has blocks of 16
	head      = randomLen + 4
)

// A crypter is what both sides of a callback share.
type crypter struct {
	token, appID string
	key          []byte // 32 bytes
}

// newCrypter takes the key as the console shows it. One that is none makes every
// message unreadable, as at the platform, which would not take it.
func newCrypter(token, appID, key string) crypter {
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil || len(raw) != 2*aes.BlockSize {
		raw = make([]byte, 2*aes.BlockSize)
	}
	return crypter{token, appID, raw}
}

// sign is the signature over parts, the token among them.
func (c crypter) sign(parts ...string) string {
	all := append(slices.Clone(parts), c.token)
	slices.Sort(all)
	sum := sha1.Sum([]byte(strings.Join(all, "")))
	return hex.EncodeToString(sum[:])
}

// seal encrypts a message for an app.
func (c crypter) seal(random, msg []byte, appID string) string {
	text := slices.Concat(random, binary.BigEndian.AppendUint32(nil, uint32(len(msg))), msg, []byte(appID))
	pad := padTo - len(text)%padTo
	return c.encrypt(append(text, bytes.Repeat([]byte{byte(pad)}, pad)...))
}

// encrypt encrypts what is whole blocks.
func (c crypter) encrypt(text []byte) string {
	block, err := aes.NewCipher(c.key)
	if err != nil {
		panic("wechatfake: " + err.Error()) // the key has the right length
	}
	out := make([]byte, len(text))
	cipher.NewCBCEncrypter(block, c.key[:aes.BlockSize]).CryptBlocks(out, text)
	return base64.StdEncoding.EncodeToString(out)
}

// open decrypts what seal has made, and says for which app it was.
func (c crypter) open(sealed string) (msg []byte, appID string, err error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("not base64: %w", err)
	case len(raw) == 0 || len(raw)%padTo != 0:
		return nil, "", fmt.Errorf("%d bytes are not whole blocks of %d", len(raw), padTo)
	}
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return nil, "", err
	}
	cipher.NewCBCDecrypter(block, c.key[:aes.BlockSize]).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > padTo {
		return nil, "", fmt.Errorf("padded with %d", pad)
	}
	for _, b := range raw[len(raw)-pad:] {
		if int(b) != pad {
			return nil, "", errors.New("padded unevenly")
		}
	}
	raw = raw[:len(raw)-pad]
	if len(raw) < head {
		return nil, "", errors.New("too short")
	}
	size := int(binary.BigEndian.Uint32(raw[randomLen:head]))
	if size > len(raw)-head {
		return nil, "", fmt.Errorf("a message of %d bytes in %d", size, len(raw)-head)
	}
	return raw[head : head+size], string(raw[head+size:]), nil
}

// random returns n random letters and digits.
func random(n int) string {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}
