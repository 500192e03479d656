package central

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"fanli/core/fault"
)

// trialLease is after how long a trial is forgotten whose asker has died.
const trialLease = 10 * time.Second

// answersEvery is how often an asker looks for answers.
const answersEvery = 20 * time.Millisecond

// A Trial is a document that somebody shows to the processes before it counts.
type Trial struct {
	Text string
	id   string // the lease, under which also the answers are
}

// A Verdict is what a process says of a trial.
type Verdict struct {
	Process string `json:"process"`
	Why     string `json:"why,omitempty"` // it would refuse it; "": it would take it
}

// Try shows a document to the living processes, and returns what they say of it as
// soon as all of those that are named have said something, or after patience. Nothing
// is left of it afterwards.
func (b *Book) Try(ctx context.Context, text string, processes []string, patience time.Duration) (out []Verdict, err error) {
	c, err := b.conn()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout+patience)
	defer cancel()
	lease, err := c.Grant(ctx, int64(trialLease/time.Second))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "central.Try", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = c.Revoke(ctx, lease.ID) // else it ends by itself
	}()
	id := strconv.FormatInt(int64(lease.ID), 16)
	if _, err := c.Put(ctx, b.prefix+"trials/"+id, text, clientv3.WithLease(lease.ID)); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "central.Try", err)
	}
	end := time.Now().Add(patience)
	for {
		r, err := b.get(ctx, b.prefix+"answers/"+id+"/", clientv3.WithPrefix())
		if err != nil {
			return nil, err
		}
		if len(r.Kvs) < len(processes) && time.Now().Before(end) {
			time.Sleep(answersEvery)
			continue
		}
		for _, kv := range r.Kvs {
			var v Verdict
			if json.Unmarshal(kv.Value, &v) == nil {
				out = append(out, v)
			}
		}
		return out, nil
	}
}

// Answer says what a process thinks of a trial.
func (b *Book) Answer(ctx context.Context, t Trial, v Verdict) error {
	c, err := b.conn()
	if err != nil {
		return err
	}
	lease, err := strconv.ParseInt(t.id, 16, 64)
	if err != nil {
		return fault.Wrap(fault.Invalid, "central.Answer", err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err = c.Put(ctx, b.prefix+"answers/"+t.id+"/"+v.Process, string(text), clientv3.WithLease(clientv3.LeaseID(lease)))
	return err
}

// trial returns the trial of which an event of etcd tells.
func (b *Book) trial(e *clientv3.Event) (t Trial, put, ok bool) {
	id, ok := strings.CutPrefix(string(e.Kv.Key), b.prefix+"trials/")
	return Trial{string(e.Kv.Value), id}, e.Type == clientv3.EventTypePut, ok
}
