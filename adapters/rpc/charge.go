package rpc

import (
	"context"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/money"
)

func toCharge(d collect.Due) *pb.Charge {
	return &pb.Charge{
		Id: d.ID, Key: d.Key, Purpose: string(d.Purpose), User: d.User, What: d.What, Amount: int64(d.Amount), Subject: d.Subject,
		Collector: d.Collector, Number: d.Number, Stage: string(d.Stage), Reason: d.Reason, Code: d.Code, Receipt: d.Receipt, Paid: int64(d.Paid),
		Account: string(d.Account), Rev: d.Rev, Tries: int64(d.Tries), At: stamp(d.At), Changed: stamp(d.Changed), Expires: stamp(d.Expires),
		NextAt: stamp(d.NextAt),
	}
}

func fromCharge(d *pb.Charge) collect.Due {
	return collect.Due{
		ID: d.GetId(), Key: d.GetKey(), Purpose: collect.Purpose(d.GetPurpose()), User: d.GetUser(), What: d.GetWhat(),
		Amount: money.Fen(d.GetAmount()), Subject: d.GetSubject(), Collector: d.GetCollector(), Number: d.GetNumber(),
		Stage: collect.Stage(d.GetStage()), Reason: d.GetReason(), Code: d.GetCode(), Receipt: d.GetReceipt(), Paid: money.Fen(d.GetPaid()),
		Account: ledger.Account(d.GetAccount()), Rev: d.GetRev(), Tries: int(d.GetTries()), At: moment(d.GetAt()), Changed: moment(d.GetChanged()),
		Expires: moment(d.GetExpires()), NextAt: moment(d.GetNextAt()),
	}
}

func (h paymentServer) AskCharge(ctx context.Context, r *pb.AskChargeRequest) (*pb.AskChargeResponse, error) {
	d, err := h.m.Charges.Ask(ctx, collect.Request{
		Key: r.GetKey(), Purpose: collect.Purpose(r.GetPurpose()), User: r.GetUser(), What: r.GetWhat(), Amount: money.Fen(r.GetAmount()),
		Subject: r.GetSubject(), Staff: r.GetStaff(),
	})
	return &pb.AskChargeResponse{Charge: toCharge(d)}, err
}

type chargeClient struct{ c pb.PaymentServiceClient }

func (h chargeClient) Ask(ctx context.Context, q collect.Request) (collect.Due, error) {
	r, err := h.c.AskCharge(ctx, &pb.AskChargeRequest{
		Key: q.Key, Purpose: string(q.Purpose), User: q.User, What: q.What, Amount: int64(q.Amount), Subject: q.Subject, Staff: q.Staff,
	})
	return fromCharge(r.GetCharge()), err
}
