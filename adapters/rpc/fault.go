package rpc

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/control"
	"fanli/core/fault"
)

// statuses are what gRPC itself knows of our codes, for its retries and for other
// people's tools. What counts is the Fault that goes along.
var statuses = map[fault.Code]codes.Code{
	fault.Internal:     codes.Internal,
	fault.Invalid:      codes.InvalidArgument,
	fault.NotFound:     codes.NotFound,
	fault.Conflict:     codes.Aborted,
	fault.Denied:       codes.PermissionDenied,
	fault.Insufficient: codes.FailedPrecondition,
	fault.Limited:      codes.ResourceExhausted,
	fault.Unavailable:  codes.Unavailable,
	fault.Unknown:      codes.Unknown,
}

// toStatus makes err fit to travel: code, reason and what stopped it, without its
// cause.
func toStatus(err error) error {
	f := &pb.Fault{Code: string(fault.CodeOf(err)), Reason: fault.ReasonOf(err)}
	var stopped *control.StoppedError
	if errors.As(err, &stopped) {
		s := stopped.Switch
		f.StoppedBy = &pb.Switch{Scope: string(s.Scope), By: s.By, Why: s.Why, Text: s.Text, Since: stamp(s.Since)}
	}
	code := statuses[fault.Code(f.GetCode())]
	if f.GetStoppedBy() != nil {
		code = codes.FailedPrecondition // asking again at once would not help
	}
	st, derr := status.New(code, f.GetCode()+" "+f.GetReason()).WithDetails(f)
	if derr != nil {
		return status.Error(codes.Internal, f.GetCode())
	}
	return st.Err()
}

// fromStatus makes the error of a call what it was in the process that was asked.
// Where no answer came it is Unavailable if asking again is safe, or if nothing has
// left this process, and Unknown otherwise: it may have happened.
func fromStatus(method string, safe bool, err error) error {
	st, _ := status.FromError(err)
	for _, d := range st.Details() {
		f, ok := d.(*pb.Fault)
		if !ok {
			continue
		}
		e := &fault.Error{Code: fault.Code(f.GetCode()), Reason: f.GetReason(), Op: method}
		if s := f.GetStoppedBy(); s != nil {
			e.Err = &control.StoppedError{Switch: control.Switch{
				Scope: control.Scope(s.GetScope()), On: true, By: s.GetBy(), Why: s.GetWhy(), Text: s.GetText(), Since: moment(s.GetSince()),
			}}
		}
		return e
	}
	return &fault.Error{Code: lostCode(st.Code(), safe), Reason: lostReason(st.Code()), Op: method, Err: fmt.Errorf("%s: %s", st.Code(), st.Message())}
}

// lostCode is for a status that nobody of ours has made.
func lostCode(c codes.Code, safe bool) fault.Code {
	switch c {
	case codes.Unauthenticated, codes.PermissionDenied:
		return fault.Denied
	case codes.ResourceExhausted:
		return fault.Limited
	case codes.InvalidArgument, codes.OutOfRange:
		return fault.Invalid
	case codes.Unimplemented:
		return fault.Internal // an older process: the update has not reached it
	default:
		if safe {
			return fault.Unavailable
		}
		return fault.Unknown
	}
}

// lostReason is what people are told: that a part does not answer, or has too much
// to do.
func lostReason(c codes.Code) string {
	if c == codes.Unavailable || c == codes.DeadlineExceeded || c == codes.Canceled {
		return fault.Down
	}
	if c == codes.ResourceExhausted {
		return fault.Busy
	}
	return ""
}
