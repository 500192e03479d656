package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// A Digest is the hash of a batch: the entries of one Post, in their order. The
// store keeps it beside them, so that an entry that is changed afterwards does
// not have it any more. Ids are not in it: they are given later.
type Digest struct {
	h   hash.Hash
	buf []byte
}

// NewDigest returns the digest of no entries.
func NewDigest() *Digest {
	d := &Digest{h: sha256.New()}
	d.Reset()
	return d
}

// Reset makes d the digest of no entries again.
func (d *Digest) Reset() {
	d.h.Reset()
	d.h.Write([]byte("fanli batch 1\n"))
}

// Add adds an entry, with all it says.
func (d *Digest) Add(e *Entry) {
	b := d.buf[:0]
	b = binary.BigEndian.AppendUint64(b, uint64(e.Amount))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, s := range [...]string{e.Key, string(e.Kind), string(e.From), string(e.To), e.Cause, e.Note} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s))) // so that no two entries look alike
		b = append(b, s...)
	}
	d.buf = b
	d.h.Write(b)
}

// String returns the digest in hex.
func (d *Digest) String() string {
	var sum [sha256.Size]byte
	return hex.EncodeToString(d.h.Sum(sum[:0]))
}

// DigestOf returns the digest of a batch.
func DigestOf(entries []Entry) string {
	d := NewDigest()
	for i := range entries {
		d.Add(&entries[i])
	}
	return d.String()
}
