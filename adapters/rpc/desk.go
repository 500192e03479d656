package rpc

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/desk"
	"fanli/core/fault"
)

// DeskServer answers for the desks of the targets of this process, by their names.
func DeskServer(stations map[string]desk.Service) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterDeskServiceServer(r, deskServer{stations: stations}) }
}

// Desk asks the desk of a target over c. What changes something has a key, so that
// asking again is safe.
func Desk(target string, c grpc.ClientConnInterface) desk.Service {
	return deskClient{target, pb.NewDeskServiceClient(c)}
}

type deskServer struct {
	pb.UnimplementedDeskServiceServer
	stations map[string]desk.Service
}

func (h deskServer) DoAct(ctx context.Context, r *pb.DoActRequest) (*pb.DoActResponse, error) {
	s := h.stations[r.GetTarget()]
	if s == nil {
		return nil, fault.Newf(fault.Unavailable, fault.Down, "%s is not here", r.GetTarget())
	}
	a := desk.Act{
		Name: r.GetName(), Reason: r.GetReason(), Staff: r.GetStaff(), Role: desk.Role(r.GetRole()), Key: r.GetKey(), Dry: r.GetDry(), Data: r.GetData(),
	}
	if len(r.GetArgs()) > 0 {
		if err := json.Unmarshal(r.GetArgs(), &a.Args); err != nil {
			return nil, fault.Wrap(fault.Invalid, "rpc.DoAct", err)
		}
	}
	answer, err := s.Do(ctx, a)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(answer)
	return &pb.DoActResponse{Answer: b}, err
}

type deskClient struct {
	target string
	c      pb.DeskServiceClient
}

func (h deskClient) Do(ctx context.Context, a desk.Act) (out desk.Answer, err error) {
	args, err := json.Marshal(a.Args)
	if err != nil {
		return out, err
	}
	r, err := h.c.DoAct(ctx, &pb.DoActRequest{
		Target: h.target, Name: a.Name, Args: args, Reason: a.Reason, Staff: a.Staff, Role: string(a.Role), Key: a.Key, Dry: a.Dry, Data: a.Data,
	})
	if err != nil {
		return out, err
	}
	return out, fault.Wrap(fault.Internal, "rpc.DoAct", json.Unmarshal(r.GetAnswer(), &out))
}
