package rpc

import (
	"context"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/notify"
)

// BotServer answers for s.
func BotServer(s notify.Sender) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterBotServiceServer(r, botServer{s: s}) }
}

// Sender tells people things by a bot target over c.
func Sender(c grpc.ClientConnInterface) notify.Sender { return botClient{pb.NewBotServiceClient(c)} }

type botServer struct {
	pb.UnimplementedBotServiceServer
	s notify.Sender
}

func (h botServer) Send(ctx context.Context, r *pb.SendRequest) (*pb.SendResponse, error) {
	m := r.GetMessage()
	return &pb.SendResponse{}, h.s.Send(ctx, notify.Message{
		ID: m.GetId(), Key: m.GetKey(), User: m.GetUser(), Kind: notify.Kind(m.GetKind()), Data: m.GetData(), At: moment(m.GetAt()),
		Tries: int(m.GetTries()), State: notify.State(m.GetState()), Held: m.GetHeld(),
	})
}

type botClient struct{ c pb.BotServiceClient }

func (h botClient) Send(ctx context.Context, m notify.Message) error {
	_, err := h.c.Send(ctx, &pb.SendRequest{Message: &pb.Message{
		Id: m.ID, Key: m.Key, User: m.User, Kind: string(m.Kind), Data: m.Data, At: stamp(m.At), Tries: int64(m.Tries), State: string(m.State), Held: m.Held,
	}})
	return err
}
