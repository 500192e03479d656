package bottest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	fen "fanli/core/money"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/user"
	"fanli/core/withdraw"
)

type (
	money  = fen.Fen
	booked = credit.Booked
)

// Balances is part of ledger.Tx.
func (t *tx) Balances(accounts []ledger.Account) (map[ledger.Account]money, error) {
	out := map[ledger.Account]money{}
	for _, a := range accounts {
		out[a] = t.balances[a]
	}
	return out, nil
}

// Entries is part of ledger.Tx.
func (t *tx) Entries(keys []string) (map[string]ledger.Entry, error) {
	out := map[string]ledger.Entry{}
	for _, e := range t.entries {
		if slices.Contains(keys, e.Key) {
			out[e.Key] = e
		}
	}
	return out, nil
}

// Post is part of ledger.Tx.
func (t *tx) Post(entries []ledger.Entry, balances map[ledger.Account]money) error {
	for _, e := range entries {
		e.ID = int64(len(t.entries) + 1)
		t.entries = append(t.entries, e)
	}
	for a, b := range balances {
		t.balances[a] = b
	}
	return nil
}

// creditStore is a credit.Store.
type creditStore struct{ inbox }

type creditTx struct{ *tx }

func (s creditStore) InTx(_ context.Context, fn func(credit.Tx) error) error {
	return s.run(func(t *tx) error { return fn(creditTx{t}) })
}

func (t creditTx) Booked(keys []order.Key) (map[order.Key]booked, error) {
	out := map[order.Key]booked{}
	for _, k := range keys {
		if b, ok := t.booked[k]; ok {
			out[k] = b
		}
	}
	return out, nil
}

func (t creditTx) PutBooked(bs []booked) error {
	for _, b := range bs {
		t.booked[b.Key] = b
	}
	return nil
}

// ledgerReader is a ledger.Reader.
type ledgerReader struct{ *store }

func (s ledgerReader) Balance(_ context.Context, a ledger.Account) (money, error) {
	return read(s.store, func() (money, error) { return s.balances[a], nil })
}

func (s ledgerReader) Wallet(_ context.Context, id int64) (map[ledger.Pocket]money, error) {
	return read(s.store, func() (map[ledger.Pocket]money, error) {
		out := map[ledger.Pocket]money{}
		for a, b := range s.balances {
			if u, p, ok := a.Owner(); ok && u == id {
				out[p] = b
			}
		}
		return out, nil
	})
}

func (s ledgerReader) Paid(_ context.Context, id int64) (money, error) {
	return read(s.store, func() (sum money, err error) {
		for _, e := range s.entries {
			if e.Kind == ledger.Payout && e.From == ledger.User(id, ledger.Reserved) {
				sum += e.Amount
			}
		}
		return sum, nil
	})
}

func (s ledgerReader) Statement(_ context.Context, id, before int64, count int) ([]ledger.Entry, error) {
	return read(s.store, func() (out []ledger.Entry, err error) {
		for _, e := range slices.Backward(s.entries) {
			from, _, _ := e.From.Owner()
			to, _, _ := e.To.Owner()
			if (from == id || to == id) && (before == 0 || e.ID < before) && len(out) < count {
				out = append(out, e)
			}
		}
		return out, nil
	})
}

func (s ledgerReader) Caused(_ context.Context, cause string) ([]ledger.Entry, error) {
	return read(s.store, func() (out []ledger.Entry, err error) {
		for _, e := range s.entries {
			if e.Cause == cause {
				out = append(out, e)
			}
		}
		return out, nil
	})
}

func (s ledgerReader) Walk(_ context.Context, fn func(ledger.Entry) error) error {
	entries, _ := read(s.store, func() ([]ledger.Entry, error) { return slices.Clone(s.entries), nil })
	for _, e := range entries {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func (s ledgerReader) Accounts(context.Context) (map[ledger.Account]money, error) {
	return read(s.store, func() (map[ledger.Account]money, error) {
		out := map[ledger.Account]money{}
		for a, b := range s.balances {
			out[a] = b
		}
		return out, nil
	})
}

// withdrawStore is a withdraw.Store.
type withdrawStore struct{ inbox }

type withdrawTx struct{ *tx }

func (s withdrawStore) InTx(_ context.Context, fn func(withdraw.Tx) error) error {
	return s.run(func(t *tx) error { return fn(withdrawTx{t}) })
}

func (s withdrawStore) Withdrawal(_ context.Context, id int64) (withdraw.Withdrawal, error) {
	return read(s.store, func() (withdraw.Withdrawal, error) {
		if id < 1 || id > int64(len(s.withdrawals)) {
			return withdraw.Withdrawal{}, fault.New(fault.NotFound, "withdraw.none")
		}
		return s.withdrawals[id-1], nil
	})
}

func (s withdrawStore) OfUser(_ context.Context, id, before int64, count int) ([]withdraw.Withdrawal, error) {
	return read(s.store, func() (out []withdraw.Withdrawal, err error) {
		for _, w := range slices.Backward(s.withdrawals) {
			if w.User == id && (before == 0 || w.ID < before) && len(out) < count {
				out = append(out, w)
			}
		}
		return out, nil
	})
}

func (s withdrawStore) InState(_ context.Context, now time.Time, count int, states ...withdraw.State) ([]withdraw.Withdrawal, error) {
	return read(s.store, func() (out []withdraw.Withdrawal, err error) {
		for _, w := range s.withdrawals {
			if slices.Contains(states, w.State) && !w.NextAt.After(now) && len(out) < count {
				out = append(out, w)
			}
		}
		return out, nil
	})
}

func (t withdrawTx) ByKey(key string) (withdraw.Withdrawal, error) {
	for _, w := range t.withdrawals {
		if w.Key == key {
			return w, nil
		}
	}
	return withdraw.Withdrawal{}, fault.New(fault.NotFound, "")
}

func (t withdrawTx) Open(id int64) (n int, err error) {
	for _, w := range t.withdrawals {
		if w.User == id && !w.State.Final() {
			n++
		}
	}
	return n, nil
}

func (t withdrawTx) Insert(w withdraw.Withdrawal) (int64, error) {
	w.ID = int64(len(t.withdrawals) + 1)
	t.withdrawals = append(t.withdrawals, w)
	return w.ID, nil
}

func (t withdrawTx) Swap(w withdraw.Withdrawal, was withdraw.State) (bool, error) {
	if old := t.withdrawals[w.ID-1]; old.State != was || old.Rev != w.Rev-1 {
		return false, nil
	}
	t.withdrawals[w.ID-1] = w
	return true, nil
}

func (s withdrawStore) first(is func(w withdraw.Withdrawal) bool) (withdraw.Withdrawal, error) {
	return read(s.store, func() (withdraw.Withdrawal, error) {
		if i := slices.IndexFunc(s.withdrawals, is); i >= 0 {
			return s.withdrawals[i], nil
		}
		return withdraw.Withdrawal{}, fault.New(fault.NotFound, "")
	})
}

func (s withdrawStore) ByNumber(_ context.Context, number string) (withdraw.Withdrawal, error) {
	return s.first(func(w withdraw.Withdrawal) bool { return w.Number == number })
}

func (withdrawStore) OfBatch(context.Context, string) ([]withdraw.Withdrawal, error) { return nil, nil }

func (withdrawStore) Incidents(context.Context, int) ([]withdraw.Incident, error) { return nil, nil }

// Spent and the rest of what limits, risk and incidents need are not asked for in
// conversations.
func (withdrawTx) Spent(withdraw.Query) (int, money, error)    { return 0, 0, nil }
func (withdrawTx) Sharing(user.Payee, int64) (int, error)      { return 0, nil }
func (withdrawTx) AddIncident(withdraw.Incident) (bool, error) { return false, nil }

// controlStore is a control.Store.
type controlStore struct{ inbox }

func (s controlStore) InTx(_ context.Context, fn func(control.Tx) error) error {
	return s.run(func(t *tx) error { return fn(t) })
}

func (s controlStore) Switches(context.Context) ([]control.Switch, error) {
	return read(s.store, func() ([]control.Switch, error) {
		var out []control.Switch
		for _, k := range slices.Sorted(maps.Keys(s.switches)) {
			out = append(out, s.switches[k])
		}
		return out, nil
	})
}

func (t *tx) Switches(scopes ...control.Scope) (out []control.Switch, err error) {
	for _, k := range scopes {
		if s := t.switches[k]; s.On {
			out = append(out, s)
		}
	}
	return out, nil
}

// Act records what staff did.
func (t *tx) Act(a audit.Act) error { t.record(a); return nil }

func (t *tx) SetSwitch(s control.Switch) error {
	if t.switches == nil {
		t.switches = map[control.Scope]control.Switch{}
	}
	t.switches[s.Scope] = s
	return nil
}

// messageStore is a notify.Store.
type messageStore struct{ inbox }

type messageTx struct{ *tx }

func (s messageStore) InTx(_ context.Context, fn func(notify.Tx) error) error {
	return s.run(func(t *tx) error { return fn(messageTx{t}) })
}

func (s messageStore) Waiting(_ context.Context, now time.Time, count int) ([]notify.Message, error) {
	return read(s.store, func() (out []notify.Message, err error) {
		before, held, urgent := map[int64]bool{}, map[int64]bool{}, map[int64]bool{}
		for _, m := range s.messages {
			overtakes := held[m.User] && m.Topic() == "" && !urgent[m.User]
			if m.State != notify.Waiting || before[m.User] && !overtakes {
				continue
			}
			before[m.User] = true
			held[m.User] = held[m.User] || m.Held
			urgent[m.User] = urgent[m.User] || m.Topic() == ""
			if !m.next.After(now) && len(out) < count {
				out = append(out, m.Message)
			}
		}
		return out, nil
	})
}

func (s messageStore) Mark(_ context.Context, id int64, o notify.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.messages[id-1]
	m.State, m.Tries, m.Held, m.next, m.why = o.State, o.Tries, o.Held, o.Next, o.Reason
	return nil
}

func (s messageStore) Told(_ context.Context, prefix string) ([]string, error) {
	return read(s.store, func() (out []string, err error) {
		for _, m := range s.messages {
			if m.State == notify.Sent && strings.HasPrefix(m.Key, prefix) {
				out = append(out, m.Key)
			}
		}
		return out, nil
	})
}

func (s messageStore) Untold(context.Context, int64, int64, int) ([]notify.Untold, error) {
	return nil, nil
}

func (t messageTx) Write(ms []notify.Message) error {
	for _, m := range ms {
		if slices.ContainsFunc(t.messages, func(o message) bool { return o.Key == m.Key }) {
			continue
		}
		m.ID = int64(len(t.messages) + 1)
		t.messages = append(t.messages, message{Message: m})
	}
	return nil
}

func (t messageTx) Keys(prefixes []string) (out []string, err error) {
	for _, m := range t.messages {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(m.Key, p) }) {
			out = append(out, m.Key)
		}
	}
	return out, nil
}

// memory is a bot.Memory.
type memory struct{ *store }

func (s memory) Answer(_ context.Context, channel, id string) (answer []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, ok = s.answers[channel+"\n"+id]
	return answer, ok, nil
}

func (s memory) KeepAnswer(_ context.Context, channel, id string, answer []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.answers[channel+"\n"+id]; !ok {
		s.answers[channel+"\n"+id] = answer
	}
	return nil
}

func (s memory) Dialogue(_ context.Context, id int64) (state []byte, rev int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dialogues[id]
	return d.state, d.rev, nil
}

func (s memory) SetDialogue(_ context.Context, id, rev int64, state []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dialogues[id].rev != rev {
		return fault.New(fault.Conflict, "dialogue.moved")
	}
	s.dialogues[id] = dialogue{state, rev + 1}
	return nil
}

// A dialogue is a state with its revision.
type dialogue struct {
	state []byte
	rev   int64
}
