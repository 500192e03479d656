package proof

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"time"

	"fanli/core/fault"
)

// A Seal closes a day of the ledger. Its hash covers every batch of the day, by
// the batch's digest, and the seal before: whoever remembers the hash of one seal
// has remembered everything up to it.
type Seal struct {
	ID        int64  // from 1 without gaps
	Day       string // "2026-11-11", in the zone of the house
	LastBatch int64  // the batches up to this one, after those of the seal before
	Batches   int64  // how many
	Entries   int64  // in them
	Prev      string // hash of the seal before; "" for the first
	Hash      string // in hex
	At        time.Time
}

// A sealer computes the hash of a seal while its batches go by.
type sealer struct {
	h       hash.Hash
	last    int64
	batches int64
	entries int64
}

func newSealer(prev string) *sealer {
	s := &sealer{h: sha256.New()}
	s.h.Write([]byte("fanli seal 1\n"))
	s.text(prev)
	return s
}

func (s *sealer) text(v string) {
	s.number(int64(len(v)))
	s.h.Write([]byte(v))
}

func (s *sealer) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	s.h.Write(b[:])
}

func (s *sealer) add(b Batch) {
	s.number(b.ID)
	s.text(b.Digest)
	s.number(b.Entries)
	s.number(b.At.UnixMilli())
	s.last, s.batches, s.entries = b.ID, s.batches+1, s.entries+b.Entries
}

// sum returns the hash of seal, which must say of its batches what s has seen.
func (s *sealer) sum(seal Seal) string {
	s.number(seal.ID)
	s.text(seal.Day)
	s.number(s.last)
	s.number(s.batches)
	s.number(s.entries)
	s.number(seal.At.UnixMilli())
	return hex.EncodeToString(s.h.Sum(nil))
}

// A SealStore keeps seals.
type SealStore interface {
	// LastSeal returns the newest seal; the zero Seal before the first.
	LastSeal(ctx context.Context) (Seal, error)
	// Batches returns up to count batches after the one with id after, in order.
	Batches(ctx context.Context, after int64, count int) ([]Batch, error)
	// AddSeal stores a seal. It fails with fault.Conflict if its ID is taken.
	AddSeal(ctx context.Context, s Seal) error
}

// A Sealer seals days that are over.
type Sealer struct {
	Store SealStore
	Now   func() time.Time
	Zone  *time.Location
	// Told is called with every new seal, so that its hash stands somewhere outside
	// of the database too.
	Told func(Seal)
}

// sealMargin is how long after midnight a day is sealed: a transaction that
// began before may still be under way, also on another machine.
const sealMargin = 10 * time.Minute

// sealPage is how many batches are read at a time.
const sealPage = 1000

// Run seals every day that is over and not sealed yet. It returns how many seals
// it has made. Days without entries have none.
func (s *Sealer) Run(ctx context.Context) (n int, err error) {
	for {
		ok, err := s.one(ctx)
		if fault.Is(err, fault.Conflict) { // another process is at it
			return n, nil
		}
		if err != nil || !ok {
			return n, err
		}
		n++
	}
}

// one seals one day.
func (s *Sealer) one(ctx context.Context) (ok bool, err error) {
	last, err := s.Store.LastSeal(ctx)
	if err != nil {
		return false, err
	}
	next, err := s.Store.Batches(ctx, last.LastBatch, 1)
	if err != nil || len(next) == 0 {
		return false, err
	}
	y, m, d := next[0].At.In(s.Zone).Date()
	end := time.Date(y, m, d+1, 0, 0, 0, 0, s.Zone)
	now := s.Now()
	if now.Before(end.Add(sealMargin)) {
		return false, nil
	}
	sum := newSealer(last.Hash)
	if err := s.gather(ctx, sum, last.LastBatch, end); err != nil {
		return false, err
	}
	seal := Seal{
		ID: last.ID + 1, Day: end.AddDate(0, 0, -1).Format(time.DateOnly), LastBatch: sum.last, Batches: sum.batches, Entries: sum.entries,
		Prev: last.Hash, At: now.Truncate(time.Millisecond).UTC(),
	}
	seal.Hash = sum.sum(seal)
	if err := s.Store.AddSeal(ctx, seal); err != nil {
		return false, err
	}
	if s.Told != nil {
		s.Told(seal)
	}
	return true, nil
}

// gather adds the batches after one, up to the first of another day.
func (s *Sealer) gather(ctx context.Context, sum *sealer, after int64, end time.Time) error {
	for {
		bs, err := s.Store.Batches(ctx, after, sealPage)
		if err != nil {
			return err
		}
		for _, b := range bs {
			if !b.At.Before(end) {
				return nil
			}
			sum.add(b)
			after = b.ID
		}
		if len(bs) < sealPage {
			return nil
		}
	}
}
