package rpc

import (
	"context"
	"time"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/order"
)

func toMember(m order.Member) *pb.Member {
	return &pb.Member{Network: m.Network, Tag: m.Tag, User: m.User, At: stamp(m.At)}
}

func fromMember(m *pb.Member) order.Member {
	return order.Member{Network: m.GetNetwork(), Tag: m.GetTag(), User: m.GetUser(), At: moment(m.GetAt())}
}

func (h orderServer) ListMembers(ctx context.Context, r *pb.ListMembersRequest) (*pb.ListMembersResponse, error) {
	ms, err := h.s.Members(ctx, r.GetUser())
	return &pb.ListMembersResponse{Members: each(ms, toMember)}, err
}

func (h orderServer) BindMember(ctx context.Context, r *pb.BindMemberRequest) (*pb.BindMemberResponse, error) {
	m, err := h.s.BindMember(ctx, r.GetNetwork(), r.GetTag(), r.GetUser())
	return &pb.BindMemberResponse{Member: toMember(m)}, err
}

func (h orderServer) SpendTicket(ctx context.Context, r *pb.SpendTicketRequest) (*pb.SpendTicketResponse, error) {
	return &pb.SpendTicketResponse{}, h.s.SpendTicket(ctx, r.GetTicket(), moment(r.GetUntil()))
}

func (h orderClient) Members(ctx context.Context, user int64) ([]order.Member, error) {
	r, err := h.c.ListMembers(ctx, &pb.ListMembersRequest{User: user})
	return each(r.GetMembers(), fromMember), err
}

func (h orderClient) BindMember(ctx context.Context, network, tag string, user int64) (order.Member, error) {
	r, err := h.c.BindMember(ctx, &pb.BindMemberRequest{Network: network, Tag: tag, User: user})
	return fromMember(r.GetMember()), err
}

func (h orderClient) SpendTicket(ctx context.Context, ticket string, until time.Time) error {
	_, err := h.c.SpendTicket(ctx, &pb.SpendTicketRequest{Ticket: ticket, Until: stamp(until)})
	return err
}
