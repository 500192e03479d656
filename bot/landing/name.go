package landing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// names are the last parts of addresses. A name is one block of AES: the link, the
// minute in which the name ends, and a mark. To make one up is to guess a block that
// opens to a mark, a minute to come and a link that exists: less than 2^-60 for each
// try, and a try is a request. Encryption rather than a signature keeps it at 22
// characters and hides the number.
type names struct{ block cipher.Block }

// What a name's block holds, in order.
const (
	idLen   = 8
	timeLen = 4 // minutes since 1970: until the year 10000
	markLen = 4
	nameLen = idLen + timeLen + markLen
)

// mark is what every name of ours holds.
const mark = "fnl1"

func newNames(key []byte) (*names, error) {
	own := hmac.New(sha256.New, key)
	own.Write([]byte("fanli landing 1\n"))
	b, err := aes.NewCipher(own.Sum(nil))
	return &names{b}, err
}

// name names a link until a time, in whole minutes.
func (n *names) name(id int64, until time.Time) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, nameLen), uint64(id))
	b = binary.BigEndian.AppendUint32(b, uint32(until.Unix()/60))
	b = append(b, mark...)
	n.block.Encrypt(b, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// read returns the link that a name of ours names. ok is false for any other text,
// and for a name that has ended.
func (n *names) read(text string, now time.Time) (id int64, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != base64.RawURLEncoding.EncodedLen(nameLen) || len(b) != nameLen { // the decoder skips line ends
		return 0, false
	}
	n.block.Decrypt(b, b)
	id = int64(binary.BigEndian.Uint64(b)) // a negative one is not ours
	until := int64(binary.BigEndian.Uint32(b[idLen:]))
	if string(b[idLen+timeLen:]) != mark || id <= 0 || now.Unix()/60 >= until {
		return 0, false
	}
	return id, true
}
