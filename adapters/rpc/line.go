package rpc

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/fault"
)

// A Line is what calls to one target go through. It makes call, or fails with a
// fault.Error without making it.
type Line interface {
	Do(ctx context.Context, call func(context.Context) error) error
}

// Through makes every call go through l, and a target that was away be reached again
// within seconds of its return.
func Through(l Line) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: reconnectMax},
			MinConnectTimeout: reconnectMax,
		}),
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return asStatus(l.Do(ctx, func(ctx context.Context) error { return invoke(ctx, method, req, reply, cc, opts...) }))
		}),
	}
}

// reconnectMax is the longest wait between two tries to connect.
const reconnectMax = 2 * time.Second

// asStatus makes of what did not leave what gRPC would have said.
func asStatus(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	code := codes.Unavailable
	if f.Code == fault.Limited {
		code = codes.ResourceExhausted
	}
	return status.Error(code, f.Reason)
}

// Failed reports whether the error of a call, as a Line sees it, means that the other
// side is not well. Whatever it answered is an answer.
func Failed(err error) bool {
	st, ok := status.FromError(err)
	if !ok {
		return errors.Is(err, context.DeadlineExceeded)
	}
	for _, d := range st.Details() {
		if _, answered := d.(*pb.Fault); answered {
			return false
		}
	}
	return st.Code() == codes.Unavailable || st.Code() == codes.DeadlineExceeded
}

// Probe asks whether anybody answers at c.
func Probe(ctx context.Context, c grpc.ClientConnInterface) error {
	_, err := healthpb.NewHealthClient(c).Check(ctx, &healthpb.HealthCheckRequest{})
	return err
}

// Limited lets calls in by enter, which is told the name of the service that is asked,
// "PaymentService". Whether we are well may always be asked.
func Limited(enter func(ctx context.Context, service string) (leave func(), err error)) grpc.ServerOption {
	return grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		service, ours := strings.CutPrefix(info.FullMethod, "/fanli.v1.")
		if !ours {
			return handle(ctx, req)
		}
		service, _, _ = strings.Cut(service, "/")
		leave, err := enter(ctx, service)
		if err != nil {
			return nil, err // the server makes it fit to travel
		}
		defer leave()
		return handle(ctx, req)
	})
}
