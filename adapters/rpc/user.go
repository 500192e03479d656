package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/user"
)

// UserServer answers for s.
func UserServer(s user.Service) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterUserServiceServer(r, userServer{s: s}) }
}

// Users asks a user target over c.
func Users(c grpc.ClientConnInterface) user.Service { return userClient{pb.NewUserServiceClient(c)} }

func toUser(u user.User) *pb.User {
	return &pb.User{Id: u.ID, Level: int64(u.Level), Locale: u.Locale, Joined: stamp(u.Joined)}
}

func fromUser(u *pb.User) user.User {
	return user.User{ID: u.GetId(), Level: int(u.GetLevel()), Locale: u.GetLocale(), Joined: moment(u.GetJoined())}
}

func toIdentity(i user.Identity) *pb.Identity {
	return &pb.Identity{Channel: i.Channel, External: i.External}
}

func fromIdentity(i *pb.Identity) user.Identity {
	return user.Identity{Channel: i.GetChannel(), External: i.GetExternal()}
}

func toPayee(p user.Payee) *pb.Payee {
	return &pb.Payee{Method: p.Method, Account: p.Account, Name: p.Name, Changed: stamp(p.Changed)}
}

func fromPayee(p *pb.Payee) user.Payee {
	return user.Payee{Method: p.GetMethod(), Account: p.GetAccount(), Name: p.GetName(), Changed: moment(p.GetChanged())}
}

type userServer struct {
	pb.UnimplementedUserServiceServer
	s user.Service
}

func (h userServer) Resolve(ctx context.Context, r *pb.ResolveRequest) (*pb.ResolveResponse, error) {
	u, joined, err := h.s.Resolve(ctx, fromIdentity(r.GetIdentity()), r.GetLocale())
	return &pb.ResolveResponse{User: toUser(u), Joined: joined}, err
}

func (h userServer) FindUser(ctx context.Context, r *pb.FindUserRequest) (*pb.FindUserResponse, error) {
	u, err := h.s.Find(ctx, fromIdentity(r.GetIdentity()))
	return &pb.FindUserResponse{User: toUser(u)}, err
}

func (h userServer) GetUser(ctx context.Context, r *pb.GetUserRequest) (*pb.GetUserResponse, error) {
	u, err := h.s.User(ctx, r.GetId())
	return &pb.GetUserResponse{User: toUser(u)}, err
}

func (h userServer) ListIdentities(ctx context.Context, r *pb.ListIdentitiesRequest) (*pb.ListIdentitiesResponse, error) {
	is, err := h.s.Identities(ctx, r.GetUser())
	return &pb.ListIdentitiesResponse{Identities: each(is, toIdentity)}, err
}

func (h userServer) SetLocale(ctx context.Context, r *pb.SetLocaleRequest) (*pb.SetLocaleResponse, error) {
	return &pb.SetLocaleResponse{}, h.s.SetLocale(ctx, r.GetUser(), r.GetLocale())
}

func (h userServer) GetPayee(ctx context.Context, r *pb.GetPayeeRequest) (*pb.GetPayeeResponse, error) {
	p, err := h.s.Payee(ctx, r.GetUser())
	return &pb.GetPayeeResponse{Payee: toPayee(p)}, err
}

func (h userServer) SetPayee(ctx context.Context, r *pb.SetPayeeRequest) (*pb.SetPayeeResponse, error) {
	return &pb.SetPayeeResponse{}, h.s.SetPayee(ctx, r.GetUser(), fromPayee(r.GetPayee()))
}

func (h userServer) GetLevel(ctx context.Context, r *pb.GetLevelRequest) (*pb.GetLevelResponse, error) {
	level, until, err := h.s.Level(ctx, r.GetUser())
	return &pb.GetLevelResponse{Level: int64(level), Until: stamp(until)}, err
}

func (h userServer) CountSharing(ctx context.Context, r *pb.CountSharingRequest) (*pb.CountSharingResponse, error) {
	n, err := h.s.Sharing(ctx, r.GetUser())
	return &pb.CountSharingResponse{Count: int64(n)}, err
}

func (h userServer) GetCode(ctx context.Context, r *pb.GetCodeRequest) (*pb.GetCodeResponse, error) {
	code, err := h.s.Code(ctx, r.GetUser())
	return &pb.GetCodeResponse{Code: code}, err
}

func (h userServer) BindInviter(ctx context.Context, r *pb.BindInviterRequest) (*pb.BindInviterResponse, error) {
	return &pb.BindInviterResponse{}, h.s.Bind(ctx, r.GetUser(), r.GetCode())
}

func (h userServer) CountInvited(ctx context.Context, r *pb.CountInvitedRequest) (*pb.CountInvitedResponse, error) {
	n, err := h.s.Invited(ctx, r.GetUser())
	return &pb.CountInvitedResponse{Count: int64(n)}, err
}

func (h userServer) GetInviters(ctx context.Context, r *pb.GetInvitersRequest) (*pb.GetInvitersResponse, error) {
	in, err := h.s.Inviters(ctx, r.GetUser(), moment(r.GetAt()))
	return &pb.GetInvitersResponse{First: in[0], Second: in[1]}, err
}

type userClient struct{ c pb.UserServiceClient }

func (h userClient) Resolve(ctx context.Context, i user.Identity, locale string) (user.User, bool, error) {
	r, err := h.c.Resolve(ctx, &pb.ResolveRequest{Identity: toIdentity(i), Locale: locale})
	return fromUser(r.GetUser()), r.GetJoined(), err
}

func (h userClient) Find(ctx context.Context, i user.Identity) (user.User, error) {
	r, err := h.c.FindUser(ctx, &pb.FindUserRequest{Identity: toIdentity(i)})
	return fromUser(r.GetUser()), err
}

func (h userClient) User(ctx context.Context, id int64) (user.User, error) {
	r, err := h.c.GetUser(ctx, &pb.GetUserRequest{Id: id})
	return fromUser(r.GetUser()), err
}

func (h userClient) Identities(ctx context.Context, id int64) ([]user.Identity, error) {
	r, err := h.c.ListIdentities(ctx, &pb.ListIdentitiesRequest{User: id})
	return each(r.GetIdentities(), fromIdentity), err
}

func (h userClient) SetLocale(ctx context.Context, id int64, locale string) error {
	_, err := h.c.SetLocale(ctx, &pb.SetLocaleRequest{User: id, Locale: locale})
	return err
}

func (h userClient) Payee(ctx context.Context, id int64) (user.Payee, error) {
	r, err := h.c.GetPayee(ctx, &pb.GetPayeeRequest{User: id})
	return fromPayee(r.GetPayee()), err
}

func (h userClient) SetPayee(ctx context.Context, id int64, p user.Payee) error {
	_, err := h.c.SetPayee(ctx, &pb.SetPayeeRequest{User: id, Payee: toPayee(p)})
	return err
}

func (h userClient) Level(ctx context.Context, id int64) (int, time.Time, error) {
	r, err := h.c.GetLevel(ctx, &pb.GetLevelRequest{User: id})
	return int(r.GetLevel()), moment(r.GetUntil()), err
}

func (h userClient) Sharing(ctx context.Context, id int64) (int, error) {
	r, err := h.c.CountSharing(ctx, &pb.CountSharingRequest{User: id})
	return int(r.GetCount()), err
}

func (h userClient) Code(ctx context.Context, id int64) (string, error) {
	r, err := h.c.GetCode(ctx, &pb.GetCodeRequest{User: id})
	return r.GetCode(), err
}

func (h userClient) Bind(ctx context.Context, id int64, code string) error {
	_, err := h.c.BindInviter(ctx, &pb.BindInviterRequest{User: id, Code: code})
	return err
}

func (h userClient) Invited(ctx context.Context, id int64) (int, error) {
	r, err := h.c.CountInvited(ctx, &pb.CountInvitedRequest{User: id})
	return int(r.GetCount()), err
}

func (h userClient) Inviters(ctx context.Context, id int64, at time.Time) ([2]int64, error) {
	r, err := h.c.GetInviters(ctx, &pb.GetInvitersRequest{User: id, At: stamp(at)})
	return [2]int64{r.GetFirst(), r.GetSecond()}, err
}
