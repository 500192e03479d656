package rpc

import (
	"context"

	"google.golang.org/grpc"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/link"
	"fanli/core/money"
)

// LinkServer answers for s.
func LinkServer(s link.Service) Service {
	return func(r grpc.ServiceRegistrar) { pb.RegisterLinkServiceServer(r, linkServer{s: s}) }
}

// Links asks a bot target over c.
func Links(c grpc.ClientConnInterface) link.Service { return linkClient{pb.NewLinkServiceClient(c)} }

func toRef(r link.Ref) *pb.Ref {
	return &pb.Ref{Network: r.Network, Kind: string(r.Kind), Id: r.ID, Token: r.Token, Url: r.URL, Title: r.Title}
}

func fromRef(r *pb.Ref) link.Ref {
	return link.Ref{
		Network: r.GetNetwork(), Kind: link.Kind(r.GetKind()), ID: r.GetId(), Token: r.GetToken(), URL: r.GetUrl(), Title: r.GetTitle(),
	}
}

func toOffer(o link.Offer) *pb.Offer {
	c := o.Coupon
	return &pb.Offer{
		Network: o.Network, Item: o.Item, SameItem: o.SameItem, Title: o.Title, Shop: o.Shop, Image: o.Image, Category: o.Category,
		Price: int64(o.Price), Final: int64(o.Final), Rate: int64(o.Rate), Commission: int64(o.Commission), Source: toRef(o.Source),
		Material: o.Material, Caveats: o.Caveats, At: stamp(o.At),
		Coupon: &pb.CouponOffer{
			Amount: int64(c.Amount), Threshold: int64(c.Threshold), Starts: stamp(c.Starts), Ends: stamp(c.Ends), Left: c.Left, Url: c.URL,
		},
	}
}

func fromOffer(o *pb.Offer) link.Offer {
	c := o.GetCoupon()
	return link.Offer{
		Network: o.GetNetwork(), Item: o.GetItem(), SameItem: o.GetSameItem(), Title: o.GetTitle(), Shop: o.GetShop(), Image: o.GetImage(),
		Category: o.GetCategory(), Price: money.Fen(o.GetPrice()), Final: money.Fen(o.GetFinal()), Rate: money.Bps(o.GetRate()),
		Commission: money.Fen(o.GetCommission()), Source: fromRef(o.GetSource()), Material: o.GetMaterial(), Caveats: o.GetCaveats(),
		At: moment(o.GetAt()),
		Coupon: link.CouponOffer{
			Amount: money.Fen(c.GetAmount()), Threshold: money.Fen(c.GetThreshold()), Starts: moment(c.GetStarts()), Ends: moment(c.GetEnds()),
			Left: c.GetLeft(), URL: c.GetUrl(),
		},
	}
}

func toLink(l link.Link) *pb.Link {
	return &pb.Link{
		Id: l.ID, User: l.User, Network: l.Network, Item: l.Item, Title: l.Title, Tag: l.Mark.Tag, Slot: l.Mark.Slot, Url: l.Made.URL,
		Token: l.Made.Token, Expires: stamp(l.Made.Expires), Offer: toOffer(l.Offer), Promise: toPromise(l.Promise), At: stamp(l.At),
	}
}

func fromLink(l *pb.Link) link.Link {
	return link.Link{
		ID: l.GetId(), User: l.GetUser(), Network: l.GetNetwork(), Item: l.GetItem(), Title: l.GetTitle(),
		Mark: link.Mark{Tag: l.GetTag(), Slot: l.GetSlot()}, Made: link.Made{URL: l.GetUrl(), Token: l.GetToken(), Expires: moment(l.GetExpires())},
		Offer: fromOffer(l.GetOffer()), Promise: fromPromise(l.GetPromise()), At: moment(l.GetAt()),
	}
}

type linkServer struct {
	pb.UnimplementedLinkServiceServer
	s link.Service
}

func (h linkServer) MakeLink(ctx context.Context, r *pb.MakeLinkRequest) (*pb.MakeLinkResponse, error) {
	l, err := h.s.Make(ctx, r.GetUser(), fromRef(r.GetRef()))
	if err != nil {
		return nil, err
	}
	return &pb.MakeLinkResponse{Link: toLink(l)}, nil
}

type linkClient struct{ c pb.LinkServiceClient }

func (h linkClient) Make(ctx context.Context, user int64, ref link.Ref) (link.Link, error) {
	r, err := h.c.MakeLink(ctx, &pb.MakeLinkRequest{User: user, Ref: toRef(ref)})
	if err != nil {
		return link.Link{}, err
	}
	return fromLink(r.GetLink()), nil
}
