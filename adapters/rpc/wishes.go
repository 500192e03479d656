package rpc

import (
	"context"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/user"
)

func toQuiet(q user.Quiet) *pb.Quiet { return &pb.Quiet{From: int64(q.From), To: int64(q.To)} }

func fromQuiet(q *pb.Quiet) user.Quiet {
	return user.Quiet{From: int(q.GetFrom()), To: int(q.GetTo())}
}

func toTopic(t user.Topic) string   { return string(t) }
func fromTopic(t string) user.Topic { return user.Topic(t) }

func toNotices(n user.Notices) *pb.Notices {
	return &pb.Notices{Off: each(n.Off, toTopic), Quiet: toQuiet(n.Quiet)}
}

func fromNotices(n *pb.Notices) user.Notices {
	return user.Notices{Off: each(n.GetOff(), fromTopic), Quiet: fromQuiet(n.GetQuiet())}
}

func (h userServer) GetNotices(ctx context.Context, r *pb.GetNoticesRequest) (*pb.GetNoticesResponse, error) {
	n, err := h.s.Notices(ctx, r.GetUser())
	return &pb.GetNoticesResponse{Notices: toNotices(n)}, err
}

func (h userServer) ChangeNotices(ctx context.Context, r *pb.ChangeNoticesRequest) (*pb.ChangeNoticesResponse, error) {
	c := user.NoticesChange{Off: each(r.GetOff(), fromTopic), On: each(r.GetOn(), fromTopic)}
	if r.GetQuiet() != nil {
		q := fromQuiet(r.GetQuiet())
		c.Quiet = &q
	}
	n, err := h.s.ChangeNotices(ctx, r.GetUser(), c)
	return &pb.ChangeNoticesResponse{Notices: toNotices(n)}, err
}

func (h userClient) Notices(ctx context.Context, id int64) (user.Notices, error) {
	r, err := h.c.GetNotices(ctx, &pb.GetNoticesRequest{User: id})
	return fromNotices(r.GetNotices()), err
}

func (h userClient) ChangeNotices(ctx context.Context, id int64, c user.NoticesChange) (user.Notices, error) {
	q := &pb.ChangeNoticesRequest{User: id, Off: each(c.Off, toTopic), On: each(c.On, toTopic)}
	if c.Quiet != nil {
		q.Quiet = toQuiet(*c.Quiet)
	}
	r, err := h.c.ChangeNotices(ctx, q)
	return fromNotices(r.GetNotices()), err
}
