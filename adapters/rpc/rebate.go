package rpc

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// RebateServer answers for s.
func RebateServer(s rebate.Service) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterRebateServiceServer(r, rebateServer{s: s}) }
}

// Rebates asks a rebate target over c.
func Rebates(c grpc.ClientConnInterface) rebate.Service {
	return rebateClient{pb.NewRebateServiceClient(c)}
}

func toRebate(r rebate.Rebate) (*pb.Rebate, error) {
	line, err := json.Marshal(r.Line)
	if err != nil {
		return nil, err
	}
	trace, err := json.Marshal(r.Trace)
	if err != nil {
		return nil, err
	}
	out := &pb.Rebate{
		Key: toKey(r.Key), Line: line, Seq: r.Seq, User: r.User, Stage: string(r.Stage), Amount: int64(r.Amount), TopUp: int64(r.TopUp),
		Margin: int64(r.Margin), Due: stamp(r.Due), Trace: trace, Changed: stamp(r.Changed),
	}
	for _, c := range r.Cuts {
		out.Cuts = append(out.Cuts, &pb.Cut{User: c.User, Amount: int64(c.Amount)})
	}
	return out, nil
}

func fromRebate(r *pb.Rebate) (out rebate.Rebate, err error) {
	out = rebate.Rebate{
		Key: fromKey(r.GetKey()), Seq: r.GetSeq(), User: r.GetUser(), Stage: rebate.Stage(r.GetStage()), Amount: money.Fen(r.GetAmount()),
		TopUp: money.Fen(r.GetTopUp()), Margin: money.Fen(r.GetMargin()), Due: moment(r.GetDue()), Changed: moment(r.GetChanged()),
	}
	for i, c := range r.GetCuts() {
		if i < len(out.Cuts) {
			out.Cuts[i] = rebate.Cut{User: c.GetUser(), Amount: money.Fen(c.GetAmount())}
		}
	}
	if err = json.Unmarshal(r.GetLine(), &out.Line); err == nil {
		err = json.Unmarshal(r.GetTrace(), &out.Trace)
	}
	return out, fault.Wrap(fault.Internal, "rpc.rebate", err)
}

type rebateServer struct {
	pb.UnimplementedRebateServiceServer
	s rebate.Service
}

func (h rebateServer) MakePromise(ctx context.Context, r *pb.MakePromiseRequest) (*pb.MakePromiseResponse, error) {
	p, err := h.s.Promise(ctx, r.GetUser(), link.Offer{
		Network: r.GetNetwork(), Item: r.GetItem(), Category: r.GetCategory(), Shop: r.GetShop(),
		Final: money.Fen(r.GetFinal()), Commission: money.Fen(r.GetCommission()),
	})
	return &pb.MakePromiseResponse{Promise: toPromise(p)}, err
}

func (h rebateServer) GetRebates(ctx context.Context, r *pb.GetRebatesRequest) (*pb.GetRebatesResponse, error) {
	all, err := h.s.Of(ctx, each(r.GetKeys(), fromKey))
	if err != nil {
		return nil, err
	}
	out := &pb.GetRebatesResponse{}
	for _, one := range all {
		m, err := toRebate(one)
		if err != nil {
			return nil, err
		}
		out.Rebates = append(out.Rebates, m)
	}
	return out, nil
}

func (h rebateServer) GetReferral(ctx context.Context, _ *pb.GetReferralRequest) (*pb.GetReferralResponse, error) {
	r, err := h.s.Referral(ctx)
	return &pb.GetReferralResponse{First: int64(r.First), Second: int64(r.Second)}, err
}

func (h rebateServer) GetStanding(ctx context.Context, r *pb.GetStandingRequest) (*pb.GetStandingResponse, error) {
	s, err := h.s.Standing(ctx, r.GetUser(), r.GetNetworks())
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	return &pb.GetStandingResponse{Standing: b}, fault.Wrap(fault.Internal, "rpc.rebate", err)
}

type rebateClient struct{ c pb.RebateServiceClient }

func (h rebateClient) Promise(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
	r, err := h.c.MakePromise(ctx, &pb.MakePromiseRequest{
		User: user, Network: o.Network, Item: o.ItemKey(), Category: o.Category, Shop: o.Shop, Final: int64(o.Final), Commission: int64(o.Commission),
	})
	return fromPromise(r.GetPromise()), err
}

func (h rebateClient) Of(ctx context.Context, keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	r, err := h.c.GetRebates(ctx, &pb.GetRebatesRequest{Keys: each(keys, toKey)})
	if err != nil {
		return nil, err
	}
	out := make(map[order.Key]rebate.Rebate, len(r.GetRebates()))
	for _, m := range r.GetRebates() {
		one, err := fromRebate(m)
		if err != nil {
			return nil, err
		}
		out[one.Key] = one
	}
	return out, nil
}

func (h rebateClient) Referral(ctx context.Context) (rebate.Referral, error) {
	r, err := h.c.GetReferral(ctx, &pb.GetReferralRequest{})
	return rebate.Referral{First: money.Bps(r.GetFirst()), Second: money.Bps(r.GetSecond())}, err
}

func (h rebateClient) Standing(ctx context.Context, user int64, networks []string) (out rebate.Standing, err error) {
	r, err := h.c.GetStanding(ctx, &pb.GetStandingRequest{User: user, Networks: networks})
	if err != nil {
		return out, err
	}
	return out, fault.Wrap(fault.Internal, "rpc.rebate", json.Unmarshal(r.GetStanding(), &out))
}
