package proof_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/proof"
)

// A chest keeps batches and seals in memory.
type chest struct {
	batches []proof.Batch
	seals   []proof.Seal
	taken   bool // somebody else seals
}

func (c *chest) LastSeal(context.Context) (proof.Seal, error) {
	if len(c.seals) == 0 {
		return proof.Seal{}, nil
	}
	return c.seals[len(c.seals)-1], nil
}

func (c *chest) Batches(_ context.Context, after int64, count int) (out []proof.Batch, err error) {
	for _, b := range c.batches {
		if b.ID > after && len(out) < count {
			out = append(out, b)
		}
	}
	return out, nil
}

func (c *chest) AddSeal(_ context.Context, s proof.Seal) error {
	if c.taken || s.ID != int64(len(c.seals)+1) {
		return fault.New(fault.Conflict, "")
	}
	c.seals = append(c.seals, s)
	return nil
}

func (c *chest) post(at time.Time, n int) {
	for range n {
		id := int64(len(c.batches) + 1)
		c.batches = append(c.batches, proof.Batch{ID: id, Entries: 2, Digest: fmt.Sprint("d", id), At: at})
	}
}

func TestDaysAreSealedWhenTheyAreOver(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("Asia/Shanghai", 8*3600)
	midnight := time.Date(2026, 11, 12, 0, 0, 0, 0, shanghai)
	now := midnight
	c := &chest{}
	s := &proof.Sealer{Store: c, Now: func() time.Time { return now }, Zone: shanghai}
	run := func(want int) {
		t.Helper()
		if n, err := s.Run(t.Context()); n != want || err != nil {
			t.Fatalf("at %s: %d seals, %v; want %d", now, n, err, want)
		}
	}
	run(0)
	c.post(midnight.Add(-time.Hour), 2500) // more than a page
	c.post(midnight.Add(-time.Millisecond), 1)
	c.post(midnight, 1)
	now = midnight.Add(9 * time.Minute)
	run(0) // a transaction from before midnight may still be under way
	now = midnight.Add(10 * time.Minute)
	run(1)
	run(0)
	if got := c.seals[0]; got.Day != "2026-11-11" || got.LastBatch != 2501 || got.Batches != 2501 || got.Entries != 5002 || got.Prev != "" || len(got.Hash) != 64 {
		t.Errorf("seal %+v", got)
	}
	c.post(midnight.AddDate(0, 0, 5), 1) // and none in between
	now = midnight.AddDate(0, 0, 30)
	run(2)
	if got := c.seals[2]; got.Day != "2026-11-17" || got.Prev != c.seals[1].Hash || got.Batches != 1 || c.seals[1].Day != "2026-11-12" {
		t.Errorf("seals %+v", c.seals)
	}
	c.post(now, 1)
	c.taken, now = true, now.AddDate(0, 0, 2)
	run(0) // the other one has done it
}

// TestASealIsOfItsBatches changes each thing that a seal covers.
func TestASealIsOfItsBatches(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)
	hash := func(spoil func(*chest)) string {
		c := &chest{}
		c.post(day, 3)
		c.post(day.AddDate(0, 0, 1), 3)
		spoil(c)
		s := &proof.Sealer{Store: c, Now: func() time.Time { return day.AddDate(0, 0, 9) }, Zone: time.UTC}
		if n, err := s.Run(t.Context()); n != 2 || err != nil {
			t.Fatalf("%d seals, %v", n, err)
		}
		return c.seals[1].Hash
	}
	sound := hash(func(*chest) {})
	if hash(func(*chest) {}) != sound {
		t.Error("two seals of the same days differ")
	}
	for name, spoil := range map[string]func(*chest){
		"a digest of the day": func(c *chest) { c.batches[4].Digest = "x" }, "a digest of the day before": func(c *chest) { c.batches[1].Digest = "x" },
		"entries": func(c *chest) { c.batches[4].Entries++ }, "an id": func(c *chest) { c.batches[5].ID++ },
		"a time": func(c *chest) { c.batches[4].At = c.batches[4].At.Add(time.Second) }, "one less": func(c *chest) { c.batches = c.batches[:5] },
	} {
		if hash(spoil) == sound {
			t.Errorf("%s is not in the seal", name)
		}
	}
}
