package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"fanli/core/fault"
	"fanli/core/user"
)

// sealKeyLen is the length of a key of AES-256.
const sealKeyLen = 32

// A vault seals personal data with AES-256-GCM. What it writes begins with the
// id of the key, so that keys can be changed, and is bound to its owner: moved to
// another row it does not open.
type vault struct {
	current string
	keys    map[string]cipher.AEAD
	mark    []byte // makes prints of payout accounts
}

// newVault returns a vault that seals under key and also opens what old ones
// sealed.
func newVault(key []byte, old [][]byte) (*vault, error) {
	v := &vault{keys: map[string]cipher.AEAD{}}
	for _, k := range append(old[:len(old):len(old)], key) {
		if len(k) != sealKeyLen {
			return nil, fault.Newf(fault.Invalid, "store.seal_key", "a seal key has %d bytes, not %d", len(k), sealKeyLen)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "store.seal_key", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "store.seal_key", err)
		}
		v.current = sealKeyID(k)
		v.keys[v.current] = aead
		v.mark = printKey(k)
	}
	return v, nil
}

// sealKeyID names a key without giving it away.
func sealKeyID(key []byte) string {
	h := sha256.Sum256(append([]byte("fanli seal key\x00"), key...))
	return hex.EncodeToString(h[:4])
}

// printKey derives from a seal key the key by which payout accounts are hashed.
func printKey(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("fanli payee print"))
	return h.Sum(nil)
}

// print is equal for equal payout accounts, and tells nothing else to whoever has
// not the key: there are few enough telephone numbers to try them all on a plain
// hash. It changes with the seal key.
func (v *vault) print(p user.Payee) string {
	if p.IsZero() {
		return ""
	}
	h := hmac.New(sha256.New, v.mark)
	h.Write([]byte(p.Key()))
	return hex.EncodeToString(h.Sum(nil))
}

// linkCode is equal for equal codes by which accounts are linked, and tells nothing else
// to whoever has not the key.
func (v *vault) linkCode(code string) string {
	h := hmac.New(sha256.New, v.mark)
	h.Write([]byte("link code\x00" + code))
	return hex.EncodeToString(h.Sum(nil))
}

func (v *vault) seal(plain []byte, owner string) string {
	box := v.keys[v.current].Seal(nil, nil, plain, []byte(owner)) //nolint:gosec // this cipher makes its own random nonce
	return v.current + "." + base64.RawStdEncoding.EncodeToString(box)
}

func (v *vault) open(sealed, owner string) ([]byte, error) {
	id, text, _ := strings.Cut(sealed, ".")
	aead, ok := v.keys[id]
	if !ok {
		return nil, fault.Newf(fault.Internal, "store.seal_key_gone", "sealed under key %q, which is not configured", id)
	}
	box, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "store.unseal", err)
	}
	plain, err := aead.Open(nil, nil, box, []byte(owner))
	return plain, fault.Wrap(fault.Internal, "store.unseal", err)
}

// sealPayee seals a payout account for its owner.
func (v *vault) sealPayee(p user.Payee, owner string) (string, error) {
	p.Changed = at(ms(p.Changed))
	b, err := json.Marshal(p)
	if err != nil {
		return "", fault.Wrap(fault.Internal, "store.sealPayee", err)
	}
	return v.seal(b, owner), nil
}

// openPayee opens what sealPayee sealed.
func (v *vault) openPayee(sealed, owner string) (user.Payee, error) {
	b, err := v.open(sealed, owner)
	if err != nil {
		return user.Payee{}, err
	}
	var p user.Payee
	if err := json.Unmarshal(b, &p); err != nil {
		return user.Payee{}, fault.New(fault.Internal, "store.payee") // without the cause: it quotes the text
	}
	return p, nil
}
