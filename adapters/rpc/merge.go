package rpc

import (
	"context"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/user"
)

func toSide(s user.Side) *pb.Side {
	return &pb.Side{
		User: s.User, Joined: stamp(s.Joined), Level: int64(s.Level), Channels: s.Channels, Invited: s.Invited, Payee: s.Payee,
	}
}

func fromSide(s *pb.Side) user.Side {
	return user.Side{
		User: s.GetUser(), Joined: moment(s.GetJoined()), Level: int(s.GetLevel()), Channels: s.GetChannels(), Invited: s.GetInvited(), Payee: s.GetPayee(),
	}
}

func toMerge(m user.Merge) *pb.Merge {
	return &pb.Merge{
		Id: m.ID, Absorbed: m.Absorbed, Survivor: m.Survivor, Stage: string(m.Stage), Rev: m.Rev, Reason: m.Reason, Actor: m.Actor, Note: m.Note,
		At: stamp(m.At), Changed: stamp(m.Changed),
	}
}

func fromMerge(m *pb.Merge) user.Merge {
	return user.Merge{
		ID: m.GetId(), Absorbed: m.GetAbsorbed(), Survivor: m.GetSurvivor(), Stage: user.MergeStage(m.GetStage()), Rev: m.GetRev(),
		Reason: m.GetReason(), Actor: m.GetActor(), Note: m.GetNote(), At: moment(m.GetAt()), Changed: moment(m.GetChanged()),
	}
}

func (h userServer) MakeLinkCode(ctx context.Context, r *pb.MakeLinkCodeRequest) (*pb.MakeLinkCodeResponse, error) {
	c, err := h.s.MakeLinkCode(ctx, r.GetUser())
	return &pb.MakeLinkCodeResponse{Code: c.Code, Until: stamp(c.Until)}, err
}

func (h userServer) PreviewLink(ctx context.Context, r *pb.PreviewLinkRequest) (*pb.PreviewLinkResponse, error) {
	p, err := h.s.PreviewLink(ctx, r.GetUser(), r.GetCode())
	return &pb.PreviewLinkResponse{Mine: toSide(p.Mine), Theirs: toSide(p.Theirs), Survivor: p.Survivor}, err
}

func (h userServer) LinkAccounts(ctx context.Context, r *pb.LinkAccountsRequest) (*pb.LinkAccountsResponse, error) {
	m, err := h.s.Link(ctx, r.GetUser(), r.GetOther(), r.GetCode())
	return &pb.LinkAccountsResponse{Merge: toMerge(m)}, err
}

func (h userServer) GetLastMerge(ctx context.Context, r *pb.GetLastMergeRequest) (*pb.GetLastMergeResponse, error) {
	m, err := h.s.LastMerge(ctx, r.GetUser())
	return &pb.GetLastMergeResponse{Merge: toMerge(m)}, err
}

func (h userServer) UnlinkAccounts(ctx context.Context, r *pb.UnlinkAccountsRequest) (*pb.UnlinkAccountsResponse, error) {
	m, err := h.s.Unlink(ctx, r.GetUser())
	return &pb.UnlinkAccountsResponse{Merge: toMerge(m)}, err
}

func (h userClient) MakeLinkCode(ctx context.Context, id int64) (user.LinkCode, error) {
	r, err := h.c.MakeLinkCode(ctx, &pb.MakeLinkCodeRequest{User: id})
	return user.LinkCode{Code: r.GetCode(), Until: moment(r.GetUntil())}, err
}

func (h userClient) PreviewLink(ctx context.Context, id int64, code string) (user.Preview, error) {
	r, err := h.c.PreviewLink(ctx, &pb.PreviewLinkRequest{User: id, Code: code})
	return user.Preview{Mine: fromSide(r.GetMine()), Theirs: fromSide(r.GetTheirs()), Survivor: r.GetSurvivor()}, err
}

func (h userClient) Link(ctx context.Context, id, other int64, code string) (user.Merge, error) {
	r, err := h.c.LinkAccounts(ctx, &pb.LinkAccountsRequest{User: id, Other: other, Code: code})
	return fromMerge(r.GetMerge()), err
}

func (h userClient) LastMerge(ctx context.Context, id int64) (user.Merge, error) {
	r, err := h.c.GetLastMerge(ctx, &pb.GetLastMergeRequest{User: id})
	return fromMerge(r.GetMerge()), err
}

func (h userClient) Unlink(ctx context.Context, id int64) (user.Merge, error) {
	r, err := h.c.UnlinkAccounts(ctx, &pb.UnlinkAccountsRequest{User: id})
	return fromMerge(r.GetMerge()), err
}
