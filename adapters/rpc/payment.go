package rpc

import (
	"context"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// Money is what a payment target answers for.
type Money struct {
	Wallets  credit.Wallets
	Gifts    credit.Gifts
	Payouts  withdraw.Service
	Charges  collect.Service
	Switches control.Service
}

// PaymentServer answers for m.
func PaymentServer(m Money) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterPaymentServiceServer(r, paymentServer{m: m}) }
}

// Payment asks a payment target over c.
func Payment(c grpc.ClientConnInterface) Money {
	p := pb.NewPaymentServiceClient(c)
	return Money{walletClient{p}, giftClient{p}, payoutClient{p}, chargeClient{p}, switchClient{p}}
}

func toEntry(e ledger.Entry) *pb.Entry {
	return &pb.Entry{
		Id: e.ID, Key: e.Key, Kind: string(e.Kind), From: string(e.From), To: string(e.To), Amount: int64(e.Amount), Cause: e.Cause, Note: e.Note,
		At: stamp(e.At),
	}
}

func fromEntry(e *pb.Entry) ledger.Entry {
	return ledger.Entry{
		ID: e.GetId(), Key: e.GetKey(), Kind: ledger.Kind(e.GetKind()), From: ledger.Account(e.GetFrom()), To: ledger.Account(e.GetTo()),
		Amount: money.Fen(e.GetAmount()), Cause: e.GetCause(), Note: e.GetNote(), At: moment(e.GetAt()),
	}
}

func toWithdrawal(w withdraw.Withdrawal) *pb.Withdrawal {
	return &pb.Withdrawal{
		Id: w.ID, Key: w.Key, User: w.User, Amount: int64(w.Amount), Payee: toPayee(w.Payee), State: string(w.State), Reason: w.Reason,
		Payer: w.Payer, Number: w.Number, Actor: w.Actor, First: w.First, Risk: int64(w.Risk), Signs: w.Signs, Receipt: w.Receipt,
		Confirm: w.Confirm, Batch: w.Batch, Rev: w.Rev, Tries: int64(w.Tries), At: stamp(w.At), Changed: stamp(w.Changed),
		NextAt: stamp(w.NextAt), Sent: stamp(w.Sent),
	}
}

func fromWithdrawal(w *pb.Withdrawal) withdraw.Withdrawal {
	return withdraw.Withdrawal{
		ID: w.GetId(), Key: w.GetKey(), User: w.GetUser(), Amount: money.Fen(w.GetAmount()), Payee: fromPayee(w.GetPayee()),
		State: withdraw.State(w.GetState()), Reason: w.GetReason(), Payer: w.GetPayer(), Number: w.GetNumber(), Actor: w.GetActor(),
		First: w.GetFirst(), Risk: int(w.GetRisk()), Signs: w.GetSigns(), Receipt: w.GetReceipt(), Confirm: w.GetConfirm(), Batch: w.GetBatch(),
		Rev: w.GetRev(), Tries: int(w.GetTries()), At: moment(w.GetAt()), Changed: moment(w.GetChanged()), NextAt: moment(w.GetNextAt()),
		Sent: moment(w.GetSent()),
	}
}

type paymentServer struct {
	pb.UnimplementedPaymentServiceServer
	m Money
}

func (h paymentServer) GetWallet(ctx context.Context, r *pb.GetWalletRequest) (*pb.GetWalletResponse, error) {
	w, err := h.m.Wallets.Wallet(ctx, r.GetUser())
	return &pb.GetWalletResponse{
		Pending: int64(w.Pending), Available: int64(w.Available), Reserved: int64(w.Reserved), Debt: int64(w.Debt),
	}, err
}

func (h paymentServer) GetPaid(ctx context.Context, r *pb.GetPaidRequest) (*pb.GetPaidResponse, error) {
	sum, err := h.m.Wallets.Paid(ctx, r.GetUser())
	return &pb.GetPaidResponse{Amount: int64(sum)}, err
}

func (h paymentServer) ListStatement(ctx context.Context, r *pb.ListStatementRequest) (*pb.ListStatementResponse, error) {
	es, err := h.m.Wallets.Statement(ctx, r.GetUser(), r.GetBefore(), int(r.GetCount()))
	return &pb.ListStatementResponse{Entries: each(es, toEntry)}, err
}

func (h paymentServer) ListBonuses(ctx context.Context, r *pb.ListBonusesRequest) (*pb.ListBonusesResponse, error) {
	es, err := h.m.Wallets.Bonuses(ctx, r.GetUser(), fromKey(r.GetLine()), r.GetNumber())
	return &pb.ListBonusesResponse{Entries: each(es, toEntry)}, err
}

func (h paymentServer) GetInvitation(ctx context.Context, _ *pb.GetInvitationRequest) (*pb.GetInvitationResponse, error) {
	i, err := h.m.Gifts.Promised(ctx)
	return &pb.GetInvitationResponse{Inviter: int64(i.Inviter), Invited: int64(i.Invited), Budget: i.Budget}, err
}

func toAutopay(a withdraw.Autopay) *pb.Autopay {
	return &pb.Autopay{
		User: a.User, On: a.On, Threshold: int64(a.Threshold), Day: a.Day, Why: a.Why, Rev: a.Rev, Changed: stamp(a.Changed),
	}
}

func fromAutopay(a *pb.Autopay) withdraw.Autopay {
	return withdraw.Autopay{
		User: a.GetUser(), On: a.GetOn(), Threshold: money.Fen(a.GetThreshold()), Day: a.GetDay(), Why: a.GetWhy(), Rev: a.GetRev(),
		Changed: moment(a.GetChanged()),
	}
}

func (h paymentServer) GetAutopay(ctx context.Context, r *pb.GetAutopayRequest) (*pb.GetAutopayResponse, error) {
	a, err := h.m.Payouts.Autopay(ctx, r.GetUser())
	return &pb.GetAutopayResponse{Autopay: toAutopay(a)}, err
}

func (h paymentServer) SetAutopay(ctx context.Context, r *pb.SetAutopayRequest) (*pb.SetAutopayResponse, error) {
	a, err := h.m.Payouts.SetAutopay(ctx, r.GetUser(), r.GetOn(), money.Fen(r.GetThreshold()))
	return &pb.SetAutopayResponse{Autopay: toAutopay(a)}, err
}

func (h paymentServer) CheckIn(ctx context.Context, r *pb.CheckInRequest) (*pb.CheckInResponse, error) {
	n, err := h.m.Gifts.Come(ctx, r.GetUser())
	return &pb.CheckInResponse{Amount: int64(n)}, err
}

func (h paymentServer) IsDry(ctx context.Context, r *pb.IsDryRequest) (*pb.IsDryResponse, error) {
	dry, err := h.m.Gifts.Dry(ctx, r.GetBudget())
	return &pb.IsDryResponse{Dry: dry}, err
}

func (h paymentServer) RequestWithdrawal(ctx context.Context, r *pb.RequestWithdrawalRequest) (*pb.RequestWithdrawalResponse, error) {
	w, err := h.m.Payouts.Request(ctx, r.GetUser(), money.Fen(r.GetAmount()), r.GetKey())
	return &pb.RequestWithdrawalResponse{Withdrawal: toWithdrawal(w)}, err
}

func (h paymentServer) ListWithdrawals(ctx context.Context, r *pb.ListWithdrawalsRequest) (*pb.ListWithdrawalsResponse, error) {
	ws, err := h.m.Payouts.OfUser(ctx, r.GetUser(), r.GetBefore(), int(r.GetCount()))
	return &pb.ListWithdrawalsResponse{Withdrawals: each(ws, toWithdrawal)}, err
}

func (h paymentServer) CancelWithdrawal(ctx context.Context, r *pb.CancelWithdrawalRequest) (*pb.CancelWithdrawalResponse, error) {
	w, err := h.m.Payouts.Cancel(ctx, r.GetUser(), r.GetWithdrawal())
	return &pb.CancelWithdrawalResponse{Withdrawal: toWithdrawal(w)}, err
}

func (h paymentServer) CheckSwitches(ctx context.Context, r *pb.CheckSwitchesRequest) (*pb.CheckSwitchesResponse, error) {
	scopes := each(r.GetScopes(), func(s string) control.Scope { return control.Scope(s) })
	return &pb.CheckSwitchesResponse{}, h.m.Switches.Check(ctx, scopes...)
}

type walletClient struct{ c pb.PaymentServiceClient }

func (h walletClient) Wallet(ctx context.Context, user int64) (credit.Wallet, error) {
	r, err := h.c.GetWallet(ctx, &pb.GetWalletRequest{User: user})
	return credit.Wallet{
		Pending: money.Fen(r.GetPending()), Available: money.Fen(r.GetAvailable()), Reserved: money.Fen(r.GetReserved()), Debt: money.Fen(r.GetDebt()),
	}, err
}

func (h walletClient) Paid(ctx context.Context, user int64) (money.Fen, error) {
	r, err := h.c.GetPaid(ctx, &pb.GetPaidRequest{User: user})
	return money.Fen(r.GetAmount()), err
}

func (h walletClient) Statement(ctx context.Context, user, before int64, count int) ([]ledger.Entry, error) {
	r, err := h.c.ListStatement(ctx, &pb.ListStatementRequest{User: user, Before: before, Count: int64(count)})
	return each(r.GetEntries(), fromEntry), err
}

func (h walletClient) Bonuses(ctx context.Context, user int64, line order.Key, number string) ([]ledger.Entry, error) {
	r, err := h.c.ListBonuses(ctx, &pb.ListBonusesRequest{User: user, Line: toKey(line), Number: number})
	return each(r.GetEntries(), fromEntry), err
}

type giftClient struct{ c pb.PaymentServiceClient }

func (h giftClient) Come(ctx context.Context, user int64) (money.Fen, error) {
	r, err := h.c.CheckIn(ctx, &pb.CheckInRequest{User: user})
	return money.Fen(r.GetAmount()), err
}

func (h giftClient) Promised(ctx context.Context) (credit.Invitation, error) {
	r, err := h.c.GetInvitation(ctx, &pb.GetInvitationRequest{})
	return credit.Invitation{Inviter: money.Fen(r.GetInviter()), Invited: money.Fen(r.GetInvited()), Budget: r.GetBudget()}, err
}

func (h giftClient) Dry(ctx context.Context, budget string) (bool, error) {
	r, err := h.c.IsDry(ctx, &pb.IsDryRequest{Budget: budget})
	return r.GetDry(), err
}

type payoutClient struct{ c pb.PaymentServiceClient }

func (h payoutClient) Request(ctx context.Context, user int64, amount money.Fen, key string) (withdraw.Withdrawal, error) {
	r, err := h.c.RequestWithdrawal(ctx, &pb.RequestWithdrawalRequest{User: user, Amount: int64(amount), Key: key})
	return fromWithdrawal(r.GetWithdrawal()), err
}

func (h payoutClient) OfUser(ctx context.Context, user, before int64, count int) ([]withdraw.Withdrawal, error) {
	r, err := h.c.ListWithdrawals(ctx, &pb.ListWithdrawalsRequest{User: user, Before: before, Count: int64(count)})
	return each(r.GetWithdrawals(), fromWithdrawal), err
}

func (h payoutClient) Cancel(ctx context.Context, user, id int64) (withdraw.Withdrawal, error) {
	r, err := h.c.CancelWithdrawal(ctx, &pb.CancelWithdrawalRequest{User: user, Withdrawal: id})
	return fromWithdrawal(r.GetWithdrawal()), err
}

func (h payoutClient) Autopay(ctx context.Context, user int64) (withdraw.Autopay, error) {
	r, err := h.c.GetAutopay(ctx, &pb.GetAutopayRequest{User: user})
	return fromAutopay(r.GetAutopay()), err
}

func (h payoutClient) SetAutopay(ctx context.Context, user int64, on bool, threshold money.Fen) (withdraw.Autopay, error) {
	r, err := h.c.SetAutopay(ctx, &pb.SetAutopayRequest{User: user, On: on, Threshold: int64(threshold)})
	return fromAutopay(r.GetAutopay()), err
}

type switchClient struct{ c pb.PaymentServiceClient }

func (h switchClient) Check(ctx context.Context, scopes ...control.Scope) error {
	_, err := h.c.CheckSwitches(ctx, &pb.CheckSwitchesRequest{Scopes: each(scopes, func(s control.Scope) string { return string(s) })})
	return err
}
