package simulate

import (
	"context"

	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/withdraw"
)

// A Tally counts what was committed through SQL. What was rolled back, and what a
// crash made us forget, is not counted.
type Tally struct {
	Lines   int64 `json:"lines"`       // states of order lines stored
	Rebates int64 `json:"rebates"`     // states of rebates stored
	Entries int64 `json:"entries"`     // ledger entries posted
	Links   int64 `json:"links"`       // links stored
	Moves   int64 `json:"withdrawals"` // transitions of withdrawals
	Claims  int64 `json:"claims"`
	Notices int64 `json:"notices"` // messages delivered
	Merges  int64 `json:"merges"`  // of accounts, done or undone
	Charges int64 `json:"charges"` // transitions of charges
}

// Sum is the number of operations.
func (t Tally) Sum() int64 {
	return t.Lines + t.Rebates + t.Entries + t.Links + t.Moves + t.Claims + t.Notices + t.Merges + t.Charges
}

// Add adds another's counts.
func (t *Tally) Add(o Tally) {
	t.Lines += o.Lines
	t.Rebates += o.Rebates
	t.Entries += o.Entries
	t.Links += o.Links
	t.Moves += o.Moves
	t.Claims += o.Claims
	t.Notices += o.Notices
	t.Merges += o.Merges
	t.Charges += o.Charges
}

// counting runs a transaction and counts it if it was committed.
func counting(t *Tally, run func(*Tally) error) error {
	var n Tally
	err := run(&n)
	if err == nil {
		t.Add(n)
	}
	return err
}

type countedOrders struct {
	order.Store
	w *world
}

func (s countedOrders) InTx(ctx context.Context, fn func(order.Tx) error) error {
	return counting(&s.w.tally, func(n *Tally) error {
		return s.Store.InTx(ctx, func(tx order.Tx) error { *n = Tally{}; return fn(countedOrderTx{tx, n, s.w}) })
	})
}

type countedOrderTx struct {
	order.Tx
	n *Tally
	w *world
}

func (t countedOrderTx) Put(lines []*order.Line) error {
	t.n.Lines += int64(len(lines))
	return t.Tx.Put(lines)
}

func (t countedOrderTx) PutClaim(c order.Claim) (order.Claim, error) {
	t.n.Claims++
	return t.Tx.PutClaim(c)
}

type countedRebates struct {
	rebate.Store
	t *Tally
}

func (s countedRebates) InTx(ctx context.Context, fn func(rebate.Tx) error) error {
	return counting(s.t, func(n *Tally) error {
		return s.Store.InTx(ctx, func(tx rebate.Tx) error { *n = Tally{}; return fn(countedRebateTx{tx, n}) })
	})
}

type countedRebateTx struct {
	rebate.Tx
	n *Tally
}

func (t countedRebateTx) Put(rs []rebate.Rebate) error {
	t.n.Rebates += int64(len(rs))
	return t.Tx.Put(rs)
}

type countedCredits struct {
	credit.Store
	w *world
}

func (s countedCredits) InTx(ctx context.Context, fn func(credit.Tx) error) error {
	return counting(&s.w.tally, func(n *Tally) error {
		return s.Store.InTx(ctx, func(tx credit.Tx) error { *n = Tally{}; return fn(countedCreditTx{tx, n, s.w}) })
	})
}

type countedCreditTx struct {
	credit.Tx
	n *Tally
	w *world
}

type countedMerges struct {
	credit.MergeStore
	w *world
}

func (s countedMerges) InTx(ctx context.Context, fn func(credit.MergeTx) error) error {
	return counting(&s.w.tally, func(n *Tally) error {
		return s.MergeStore.InTx(ctx, func(tx credit.MergeTx) error { *n = Tally{}; return fn(countedMergeTx{tx, n, s.w}) })
	})
}

type countedMergeTx struct {
	credit.MergeTx
	n *Tally
	w *world
}

type countedLinks struct {
	link.Store
	t *Tally
}

func (s countedLinks) InTx(ctx context.Context, fn func(link.Tx) error) error {
	return counting(s.t, func(n *Tally) error {
		return s.Store.InTx(ctx, func(tx link.Tx) error { *n = Tally{}; return fn(countedLinkTx{tx, n}) })
	})
}

type countedLinkTx struct {
	link.Tx
	n *Tally
}

func (t countedLinkTx) Insert(l link.Link) (int64, error) {
	t.n.Links++
	return t.Tx.Insert(l)
}

type countedWithdrawals struct {
	withdraw.Store
	t *Tally
}

func (s countedWithdrawals) InTx(ctx context.Context, fn func(withdraw.Tx) error) error {
	return counting(s.t, func(n *Tally) error {
		return s.Store.InTx(ctx, func(tx withdraw.Tx) error { *n = Tally{}; return fn(countedWithdrawTx{tx, n}) })
	})
}

type countedWithdrawTx struct {
	withdraw.Tx
	n *Tally
}

func (t countedWithdrawTx) Insert(w withdraw.Withdrawal) (int64, error) {
	t.n.Moves++
	return t.Tx.Insert(w)
}

func (t countedWithdrawTx) Swap(w withdraw.Withdrawal, was withdraw.State) (bool, error) {
	ok, err := t.Tx.Swap(w, was)
	if ok && w.State != was {
		t.n.Moves++
	}
	return ok, err
}

func (t countedWithdrawTx) Post(es []ledger.Entry, b map[ledger.Account]money.Fen) error {
	t.n.Entries += int64(len(es))
	return t.Tx.Post(es, b)
}

type countedCharges struct {
	collect.Store
	t *Tally
}

func (s countedCharges) InTx(ctx context.Context, fn func(collect.Tx) error) error {
	return counting(s.t, func(n *Tally) error {
		return s.Store.InTx(ctx, func(tx collect.Tx) error { *n = Tally{}; return fn(countedChargeTx{tx, n}) })
	})
}

type countedChargeTx struct {
	collect.Tx
	n *Tally
}

func (t countedChargeTx) Insert(d collect.Due) (int64, error) {
	t.n.Charges++
	return t.Tx.Insert(d)
}

func (t countedChargeTx) Swap(d collect.Due, was collect.Stage) (bool, error) {
	ok, err := t.Tx.Swap(d, was)
	if ok && d.Stage != was {
		t.n.Charges++
	}
	return ok, err
}

func (t countedChargeTx) Post(es []ledger.Entry, b map[ledger.Account]money.Fen) error {
	t.n.Entries += int64(len(es))
	return t.Tx.Post(es, b)
}
