// Package rpc carries what targets ask of each other over gRPC.
//
// For each service of core that another target asks there is a server, which
// answers for an implementation, and a client, which is one. The protos are in
// proto, pb is made from them. Every client passes the conformance suite of the
// service that it stands for.
//
// # Guarantees
//
//   - An error means in the process that asks what it meant in the one that was
//     asked: code, reason, and the switch that stopped it. Causes stay in the log
//     of the process that was asked.
//   - A call that may be repeated is, a few times, while nobody answers. One that
//     must not be repeated is not: if its answer got lost, it fails with
//     fault.Unknown.
//   - Calls go in turn to all processes that say they are well.
//   - A caller without the installation's token is refused before anything is
//     looked at; with TLS, one without our certificate is not even heard.
//   - Every call has a deadline.
package rpc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/stats"

	"fanli/core/fault"
)

// Limits of calls.
const (
	// callTimeout is the deadline of a call that has none.
	callTimeout = 5 * time.Second
	// servedMax bounds what a server works on a call, whatever the caller says.
	servedMax = 30 * time.Second
	// messageBytesMax bounds a request and an answer.
	messageBytesMax = 4 << 20
	// idleMin is how often a caller may ask whether the line is alive.
	idleMin = 10 * time.Second
	// tokenMin is the shortest token, in bytes.
	tokenMin = 16
)

// tokenKey is where the token travels.
const tokenKey = "authorization"

// Options are those of both sides.
type Options struct {
	// Token is the installation's: both sides have the same. It is secret.
	Token string
	// TLS is nil for plain connections within one machine or a network that
	// encrypts by itself.
	TLS *tls.Config
	Log *slog.Logger
	// Dial and Serve are more of gRPC's own options for both sides: who watches
	// calls, and what finds the processes of a target.
	Dial  []grpc.DialOption
	Serve []grpc.ServerOption
}

// String keeps the token out of logs.
func (o Options) String() string { return "rpc options" }

// GoString is String.
func (o Options) GoString() string { return o.String() }

// Validate fails with fault.Invalid for options that protect nothing.
func (o Options) Validate() error {
	if len(o.Token) < tokenMin {
		return fault.Newf(fault.Invalid, "rpc.token", "a token has %d bytes or more", tokenMin)
	}
	return nil
}

// A Service answers one kind of questions.
type Service func(r grpc.ServiceRegistrar)

// A Server answers other processes. It is safe for concurrent use.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
	log    *slog.Logger
	token  [sha256.Size]byte
}

// NewServer returns a server of services. It fails with fault.Invalid for options
// that protect nothing.
func NewServer(o Options, services ...Service) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Server{health: health.NewServer(), log: o.Log, token: sha256.Sum256([]byte(bearer(o.Token)))}
	creds := insecure.NewCredentials()
	if o.TLS != nil {
		creds = credentials.NewTLS(o.TLS)
	}
	s.grpc = grpc.NewServer(append([]grpc.ServerOption{
		grpc.Creds(creds), grpc.MaxRecvMsgSize(messageBytesMax), grpc.MaxSendMsgSize(messageBytesMax),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: idleMin, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(s.answer), // streams there are none but the health, which is no secret
	}, o.Serve...)...)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	for _, register := range services {
		register(s.grpc)
	}
	return s, nil
}

// Serve answers on ln until Stop. It returns nil then, also where Stop was first.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.grpc.Serve(ln); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Drain says that this process is not well, so that callers go elsewhere; what is
// asked all the same is still answered.
func (s *Server) Drain() { s.health.Shutdown() }

// Stop lets what is being answered end, until ctx does.
func (s *Server) Stop(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
	}
}

// answer lets in who has the token, bounds the time, and makes what went wrong fit
// to travel.
func (s *Server) answer(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (resp any, err error) {
	if !s.known(ctx) {
		return nil, toStatus(fault.New(fault.Denied, "rpc.token"))
	}
	ctx, cancel := context.WithTimeout(ctx, servedMax)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.log.ErrorContext(ctx, "a call panicked", "method", info.FullMethod, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			resp, err = nil, toStatus(fault.New(fault.Internal, ""))
		}
	}()
	if resp, err = handle(ctx, req); err != nil {
		if code := fault.CodeOf(err); code == fault.Internal || code == fault.Unknown {
			s.log.WarnContext(ctx, "a call failed", "method", info.FullMethod, "code", string(code), "error", err)
		}
		return nil, toStatus(err)
	}
	return resp, nil
}

// known reports whether a caller has the token. How long that takes says nothing
// of it.
func (s *Server) known(ctx context.Context) bool {
	said := metadata.ValueFromIncomingContext(ctx, tokenKey)
	if len(said) != 1 {
		return false
	}
	sum := sha256.Sum256([]byte(said[0]))
	return subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1
}

func bearer(token string) string { return "Bearer " + token }

// static begins an address that lists the processes of a target.
const static = "static:"

// Dial returns a connection to the processes of a target; it connects when it is
// needed, and again when it was lost. to is "static:HOST:PORT,HOST:PORT" or any
// name that gRPC resolves, such as "dns:///order:9090". Close it after use.
func Dial(to string, o Options) (*grpc.ClientConn, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	creds := insecure.NewCredentials()
	if o.TLS != nil {
		creds = credentials.NewTLS(o.TLS)
	}
	caller := caller{token: bearer(o.Token)}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(creds), grpc.WithDefaultServiceConfig(policy()), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax), grpc.MaxCallSendMsgSize(messageBytesMax)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 2 * idleMin, Timeout: callTimeout}),
		grpc.WithStatsHandler(departures{}), grpc.WithChainUnaryInterceptor(caller.call),
	}
	options = append(options, o.Dial...)
	if list, ok := strings.CutPrefix(to, static); ok {
		r := manual.NewBuilderWithScheme("static")
		state := resolver.State{}
		for a := range strings.SplitSeq(list, ",") {
			state.Addresses = append(state.Addresses, resolver.Address{Addr: strings.TrimSpace(a)})
		}
		r.InitialState(state)
		options, to = append(options, grpc.WithResolvers(r)), "static:///"+state.Addresses[0].Addr
	}
	return grpc.NewClient(to, options...)
}

// A caller is our side of a call.
type caller struct{ token string }

func (c caller) call(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	left := new(atomic.Bool)
	ctx = context.WithValue(ctx, leftKey{}, left)
	err := invoke(metadata.AppendToOutgoingContext(ctx, tokenKey, c.token), method, req, reply, cc, opts...)
	if err != nil {
		return fromStatus(method, safe(method) || !left.Load(), err)
	}
	return nil
}

// leftKey is where a call's context says whether it has left this process.
type leftKey struct{}

// departures notes which calls have left.
type departures struct{}

// TagRPC implements stats.Handler.
func (departures) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (departures) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.OutPayload); !ok {
		return
	}
	if left, ok := ctx.Value(leftKey{}).(*atomic.Bool); ok {
		left.Store(true)
	}
}

// TagConn implements stats.Handler.
func (departures) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (departures) HandleConn(context.Context, stats.ConnStats) {}

// repeatable says of every call whether it may be repeated: because it only asks, or
// because doing the same thing again has no other effect. What is not in it may not.
func repeatable() map[string]bool {
	return map[string]bool{
		"/fanli.v1.UserService/Resolve":        true,
		"/fanli.v1.UserService/FindUser":       true,
		"/fanli.v1.UserService/GetUser":        true,
		"/fanli.v1.UserService/ListIdentities": true,
		"/fanli.v1.UserService/SetLocale":      true,
		"/fanli.v1.UserService/GetPayee":       true,
		"/fanli.v1.UserService/SetPayee":       false, // the time of the change would be another
		"/fanli.v1.UserService/GetLevel":       true,
		"/fanli.v1.UserService/CountSharing":   true,
		"/fanli.v1.UserService/GetCode":        true,
		"/fanli.v1.UserService/BindInviter":    false, // the second answer would be that somebody was faster
		"/fanli.v1.UserService/CountInvited":   true,
		"/fanli.v1.UserService/GetInviters":    true,
		"/fanli.v1.UserService/MakeLinkCode":   true,  // the code of the answer that got lost is worth nothing
		"/fanli.v1.UserService/PreviewLink":    false, // guesses are counted
		"/fanli.v1.UserService/LinkAccounts":   true,
		"/fanli.v1.UserService/GetLastMerge":   true,
		"/fanli.v1.UserService/UnlinkAccounts": true,
		"/fanli.v1.UserService/GetNotices":     true,
		"/fanli.v1.UserService/ChangeNotices":  true, // the same wish is no change

		"/fanli.v1.OrderService/ListOrders":  true,
		"/fanli.v1.OrderService/FindOrders":  true,
		"/fanli.v1.OrderService/ClaimOrder":  false,
		"/fanli.v1.OrderService/ProveClaim":  false, // tries are counted
		"/fanli.v1.OrderService/AppealClaim": false,
		"/fanli.v1.OrderService/ListClaims":  true,
		"/fanli.v1.OrderService/ListMembers": true,
		"/fanli.v1.OrderService/BindMember":  true,  // the same account to the same user is no change
		"/fanli.v1.OrderService/SpendTicket": false, // the second answer would be that it is used up

		"/fanli.v1.RebateService/MakePromise": true,
		"/fanli.v1.RebateService/GetRebates":  true,
		"/fanli.v1.RebateService/GetReferral": true,
		"/fanli.v1.RebateService/GetStanding": true,

		"/fanli.v1.PaymentService/GetWallet":         true,
		"/fanli.v1.PaymentService/GetPaid":           true,
		"/fanli.v1.PaymentService/ListStatement":     true,
		"/fanli.v1.PaymentService/ListBonuses":       true,
		"/fanli.v1.PaymentService/GetInvitation":     true,
		"/fanli.v1.PaymentService/GetAutopay":        true,
		"/fanli.v1.PaymentService/SetAutopay":        true,  // the same setting is no change
		"/fanli.v1.PaymentService/AskCharge":         true,  // it has a key
		"/fanli.v1.PaymentService/CheckIn":           false, // the second answer would be that it brings nothing
		"/fanli.v1.PaymentService/IsDry":             true,
		"/fanli.v1.PaymentService/RequestWithdrawal": true, // it has a key
		"/fanli.v1.PaymentService/ListWithdrawals":   true,
		"/fanli.v1.PaymentService/CancelWithdrawal":  false,
		"/fanli.v1.PaymentService/CheckSwitches":     true,

		"/fanli.v1.BotService/Send": false,

		"/fanli.v1.DeskService/DoAct": true, // what changes something has a key, and is no change the second time

		"/fanli.v1.LinkService/MakeLink": true, // for a while the same question gets the same link
	}
}

// safe reports whether a call may be repeated.
func safe(method string) bool { return repeatable()[method] }

// policy is how calls are made: in turn, only to those who are well, and again
// where that is safe.
func policy() string {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	var again []name
	for _, m := range slices.Sorted(maps.Keys(repeatable())) {
		if safe(m) {
			service, method, _ := strings.Cut(strings.TrimPrefix(m, "/"), "/")
			again = append(again, name{service, method})
		}
	}
	text, err := json.Marshal(map[string]any{
		"loadBalancingConfig": []any{map[string]any{"round_robin": struct{}{}}},
		"healthCheckConfig":   map[string]any{"serviceName": ""},
		// Repetitions are a fifth of the calls at most, beyond a stock for the moment in which a process goes.
		"retryThrottling": map[string]any{"maxTokens": 200, "tokenRatio": 0.2},
		"methodConfig": []any{
			map[string]any{"name": again, "retryPolicy": map[string]any{
				"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 2, "retryableStatusCodes": []string{"UNAVAILABLE"},
			}},
		},
	})
	if err != nil {
		panic(err) // constants
	}
	return string(text)
}
