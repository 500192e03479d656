package central

import (
	"context"
	"encoding/json"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// A Report is what a process says of its configuration.
type Report struct {
	Process string            `json:"process"`
	Targets []string          `json:"targets"`
	Version int64             `json:"version"`           // that it runs; 0: none
	Refused int64             `json:"refused,omitempty"` // that it does not take
	Why     string            `json:"why,omitempty"`
	Waits   map[string]string `json:"waits,omitempty"` // keys that do not count yet, and why
	At      time.Time         `json:"at"`
}

// Tell keeps in the book what comes from reports, the newest, until ctx ends, and
// takes it out then. After lease without a sign of this process it is gone, too.
func (b *Book) Tell(ctx context.Context, process string, lease time.Duration, reports <-chan Report) {
	var last *Report
	for ctx.Err() == nil {
		_ = b.tellOnce(ctx, process, lease, reports, &last) // it is tried again, and Reports shows who says nothing
		rest(ctx)
	}
}

// tellOnce does it as long as one lease lives.
func (b *Book) tellOnce(ctx context.Context, process string, lease time.Duration, reports <-chan Report, last **Report) error {
	c, err := b.conn()
	if err != nil {
		return err
	}
	s, err := concurrency.NewSession(c, concurrency.WithContext(ctx), concurrency.WithTTL(max(1, int(lease/time.Second))))
	if err != nil {
		return err
	}
	defer func() {
		s.Orphan()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = c.Revoke(ctx, s.Lease()) // else it ends by itself
	}()
	put := func() error {
		if *last == nil {
			return nil
		}
		text, err := json.Marshal(*last)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err = c.Put(ctx, b.prefix+"applied/"+process, string(text), clientv3.WithLease(s.Lease()))
		return err
	}
	for {
		if err := put(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.Done():
			return errLease
		case r := <-reports:
			*last = &r
		}
	}
}

// Reports are what the living processes say, by their names.
func (b *Book) Reports(ctx context.Context) (out []Report, err error) {
	r, err := b.get(ctx, b.prefix+"applied/", clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		return nil, err
	}
	for _, kv := range r.Kvs {
		var p Report
		if json.Unmarshal(kv.Value, &p) == nil {
			out = append(out, p)
		}
	}
	return out, nil
}
