package rpc

import (
	"context"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// OrderServer answers for s.
func OrderServer(s order.Service) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterOrderServiceServer(r, orderServer{s: s}) }
}

// Orders asks an order target over c. The raw rows of lines stay there.
func Orders(c grpc.ClientConnInterface) order.Service {
	return orderClient{pb.NewOrderServiceClient(c)}
}

func toKey(k order.Key) *pb.LineKey {
	return &pb.LineKey{Network: k.Network, Account: k.Account, Id: k.ID}
}

func fromKey(k *pb.LineKey) order.Key {
	return order.Key{Network: k.GetNetwork(), Account: k.GetAccount(), ID: k.GetId()}
}

func toPromise(p link.Promise) *pb.Promise {
	return &pb.Promise{Rules: p.Rules, Share: int64(p.Share), Rebate: int64(p.Rebate), Terms: p.Terms}
}

func fromPromise(p *pb.Promise) link.Promise {
	return link.Promise{Rules: p.GetRules(), Share: money.Bps(p.GetShare()), Rebate: money.Fen(p.GetRebate()), Terms: p.GetTerms()}
}

func toRegister(g *order.Register) *pb.Register {
	if g == nil {
		return nil
	}
	r := g.Revision
	return &pb.Register{Hash: g.Hash[:], Revision: &pb.Revision{
		Key: toKey(r.Key), Aspect: string(r.Aspect), Order: r.Order, Parent: r.Parent, Item: r.Item, Title: r.Title, Shop: r.Shop,
		Image: r.Image, Category: r.Category, Quantity: int64(r.Quantity), State: string(r.State), Why: r.Why,
		Price: int64(r.Price), Refunded: int64(r.Refunded), Estimated: int64(r.Estimated), Actual: int64(r.Actual), Claimed: int64(r.Claimed),
		ActualKnown: r.ActualKnown, Unsaid: r.Unsaid, Disputed: r.Disputed, Tag: r.Tag, Slot: r.Slot,
		Clicked: stamp(r.Clicked), Created: stamp(r.Created), PaidAt: stamp(r.PaidAt), ReceivedAt: stamp(r.ReceivedAt),
		SettledAt: stamp(r.SettledAt), SettlesOn: stamp(r.SettlesOn), Modified: stamp(r.Modified),
	}}
}

func fromRegister(g *pb.Register) *order.Register {
	if g == nil {
		return nil
	}
	r := g.GetRevision()
	out := &order.Register{Revision: order.Revision{
		Key: fromKey(r.GetKey()), Aspect: order.Aspect(r.GetAspect()), Order: r.GetOrder(), Parent: r.GetParent(), Item: r.GetItem(),
		Title: r.GetTitle(), Shop: r.GetShop(), Image: r.GetImage(), Category: r.GetCategory(), Quantity: int(r.GetQuantity()),
		State: order.State(r.GetState()), Why: r.GetWhy(), Price: money.Fen(r.GetPrice()), Refunded: money.Fen(r.GetRefunded()),
		Estimated: money.Fen(r.GetEstimated()), Actual: money.Fen(r.GetActual()), Claimed: money.Fen(r.GetClaimed()),
		ActualKnown: r.GetActualKnown(), Unsaid: r.GetUnsaid(), Disputed: r.GetDisputed(), Tag: r.GetTag(), Slot: r.GetSlot(),
		Clicked: moment(r.GetClicked()), Created: moment(r.GetCreated()), PaidAt: moment(r.GetPaidAt()), ReceivedAt: moment(r.GetReceivedAt()),
		SettledAt: moment(r.GetSettledAt()), SettlesOn: moment(r.GetSettlesOn()), Modified: moment(r.GetModified()),
	}}
	copy(out.Hash[:], g.GetHash())
	return out
}

func toLine(l order.Line) *pb.Line {
	return &pb.Line{
		Id: l.ID, Key: toKey(l.Key), Rev: l.Rev, Whole: toRegister(l.Whole), Back: toRegister(l.Back), State: string(l.State), Why: l.Why,
		Commission: int64(l.Commission), Price: int64(l.Price), Refunded: int64(l.Refunded), Disputed: l.Disputed, SettledAt: stamp(l.SettledAt),
		User: l.User, Link: l.Link, Step: string(l.Step), Evidence: l.Evidence, Promise: toPromise(l.Promise), Seen: stamp(l.Seen),
	}
}

func fromLine(l *pb.Line) order.Line {
	return order.Line{
		ID: l.GetId(), Key: fromKey(l.GetKey()), Rev: l.GetRev(), Whole: fromRegister(l.GetWhole()), Back: fromRegister(l.GetBack()),
		Facts: order.Facts{
			State: order.State(l.GetState()), Why: l.GetWhy(), Commission: money.Fen(l.GetCommission()), Price: money.Fen(l.GetPrice()),
			Refunded: money.Fen(l.GetRefunded()), Disputed: l.GetDisputed(), SettledAt: moment(l.GetSettledAt()),
		},
		User: l.GetUser(), Link: l.GetLink(), Step: order.Step(l.GetStep()), Evidence: l.GetEvidence(), Promise: fromPromise(l.GetPromise()),
		Seen: moment(l.GetSeen()),
	}
}

func toClaim(c order.Claim) *pb.Claim {
	return &pb.Claim{
		Id: c.ID, User: c.User, Network: c.Network, Order: c.Order, State: string(c.State), Rev: c.Rev, At: stamp(c.At), Until: stamp(c.Until),
		Next: stamp(c.Next), Proof: toProof(c.Proof), Proofs: int64(c.Proofs), Appeals: int64(c.Appeals), Actor: c.Actor, Note: c.Note,
	}
}

func fromClaim(c *pb.Claim) order.Claim {
	return order.Claim{
		ID: c.GetId(), User: c.GetUser(), Network: c.GetNetwork(), Order: c.GetOrder(), State: order.ClaimState(c.GetState()), Rev: c.GetRev(),
		At: moment(c.GetAt()), Until: moment(c.GetUntil()), Next: moment(c.GetNext()), Proof: fromProof(c.GetProof()),
		Proofs: int(c.GetProofs()), Appeals: int(c.GetAppeals()), Actor: c.GetActor(), Note: c.GetNote(),
	}
}

func toProof(p order.Proof) *pb.Proof { return &pb.Proof{Paid: int64(p.Paid), Day: p.Day} }

func fromProof(p *pb.Proof) order.Proof {
	return order.Proof{Paid: money.Fen(p.GetPaid()), Day: p.GetDay()}
}

type orderServer struct {
	pb.UnimplementedOrderServiceServer
	s order.Service
}

func (h orderServer) ListOrders(ctx context.Context, r *pb.ListOrdersRequest) (*pb.ListOrdersResponse, error) {
	ls, err := h.s.OfUser(ctx, r.GetUser(), r.GetBefore(), int(r.GetCount()))
	return &pb.ListOrdersResponse{Lines: each(ls, toLine)}, err
}

func (h orderServer) FindOrders(ctx context.Context, r *pb.FindOrdersRequest) (*pb.FindOrdersResponse, error) {
	ls, err := h.s.ByNumber(ctx, r.GetNumber())
	return &pb.FindOrdersResponse{Lines: each(ls, toLine)}, err
}

func (h orderServer) ClaimOrder(ctx context.Context, r *pb.ClaimOrderRequest) (*pb.ClaimOrderResponse, error) {
	c, err := h.s.Claim(ctx, r.GetUser(), r.GetNumber())
	return &pb.ClaimOrderResponse{Claim: toClaim(c)}, err
}

func (h orderServer) ProveClaim(ctx context.Context, r *pb.ProveClaimRequest) (*pb.ProveClaimResponse, error) {
	c, err := h.s.Prove(ctx, r.GetUser(), r.GetClaim(), fromProof(r.GetProof()))
	return &pb.ProveClaimResponse{Claim: toClaim(c)}, err
}

func (h orderServer) AppealClaim(ctx context.Context, r *pb.AppealClaimRequest) (*pb.AppealClaimResponse, error) {
	c, err := h.s.Appeal(ctx, r.GetUser(), r.GetNumber(), r.GetWords())
	return &pb.AppealClaimResponse{Claim: toClaim(c)}, err
}

func (h orderServer) ListClaims(ctx context.Context, r *pb.ListClaimsRequest) (*pb.ListClaimsResponse, error) {
	cs, err := h.s.Claims(ctx, r.GetUser(), r.GetBefore(), int(r.GetCount()))
	return &pb.ListClaimsResponse{Claims: each(cs, toClaim)}, err
}

type orderClient struct{ c pb.OrderServiceClient }

func (h orderClient) OfUser(ctx context.Context, user, before int64, count int) ([]order.Line, error) {
	r, err := h.c.ListOrders(ctx, &pb.ListOrdersRequest{User: user, Before: before, Count: int64(count)})
	return each(r.GetLines(), fromLine), err
}

func (h orderClient) ByNumber(ctx context.Context, number string) ([]order.Line, error) {
	r, err := h.c.FindOrders(ctx, &pb.FindOrdersRequest{Number: number})
	return each(r.GetLines(), fromLine), err
}

func (h orderClient) Claim(ctx context.Context, user int64, number string) (order.Claim, error) {
	r, err := h.c.ClaimOrder(ctx, &pb.ClaimOrderRequest{User: user, Number: number})
	return fromClaim(r.GetClaim()), err
}

func (h orderClient) Prove(ctx context.Context, user, claim int64, p order.Proof) (order.Claim, error) {
	r, err := h.c.ProveClaim(ctx, &pb.ProveClaimRequest{User: user, Claim: claim, Proof: toProof(p)})
	return fromClaim(r.GetClaim()), err
}

func (h orderClient) Appeal(ctx context.Context, user int64, number, words string) (order.Claim, error) {
	r, err := h.c.AppealClaim(ctx, &pb.AppealClaimRequest{User: user, Number: number, Words: words})
	return fromClaim(r.GetClaim()), err
}

func (h orderClient) Claims(ctx context.Context, user, before int64, count int) ([]order.Claim, error) {
	r, err := h.c.ListClaims(ctx, &pb.ListClaimsRequest{User: user, Before: before, Count: int64(count)})
	return each(r.GetClaims(), fromClaim), err
}
