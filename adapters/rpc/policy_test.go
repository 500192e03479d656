package rpc_test

import (
	"reflect"
	"testing"

	"google.golang.org/grpc"

	"fanli/adapters/rpc"
	"fanli/adapters/rpc/pb/fanli/v1"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/desk"
	"fanli/core/link"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Whoever adds a call has to say whether it may be repeated.
func TestEveryCallSaysWhetherItMayBeRepeated(t *testing.T) {
	t.Parallel()
	left := rpc.Repeatable()
	for _, c := range []struct {
		desc grpc.ServiceDesc
		asks []reflect.Type // of core, that the service carries
	}{
		{pb.UserService_ServiceDesc, []reflect.Type{reflect.TypeFor[user.Service]()}},
		{pb.OrderService_ServiceDesc, []reflect.Type{reflect.TypeFor[order.Service]()}},
		{pb.RebateService_ServiceDesc, []reflect.Type{reflect.TypeFor[rebate.Service]()}},
		{pb.PaymentService_ServiceDesc, []reflect.Type{
			reflect.TypeFor[credit.Wallets](), reflect.TypeFor[credit.Gifts](), reflect.TypeFor[withdraw.Service](), reflect.TypeFor[collect.Service](),
			reflect.TypeFor[control.Service](),
		}},
		{pb.BotService_ServiceDesc, []reflect.Type{reflect.TypeFor[notify.Sender]()}},
		{pb.DeskService_ServiceDesc, []reflect.Type{reflect.TypeFor[desk.Service]()}},
		{pb.LinkService_ServiceDesc, []reflect.Type{reflect.TypeFor[link.Service]()}},
	} {
		methods := 0
		for _, a := range c.asks {
			methods += a.NumMethod()
		}
		if len(c.desc.Methods) != methods || len(c.desc.Streams) != 0 {
			t.Errorf("%s has %d calls and %d streams for %d methods", c.desc.ServiceName, len(c.desc.Methods), len(c.desc.Streams), methods)
		}
		for _, m := range c.desc.Methods {
			name := "/" + c.desc.ServiceName + "/" + m.MethodName
			if _, ok := left[name]; !ok {
				t.Errorf("nobody has said whether %s may be repeated", name)
			}
			delete(left, name)
		}
	}
	for name := range left {
		t.Errorf("there is no call %s", name)
	}
}
