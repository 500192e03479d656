package servicetest

import (
	"encoding/json"
	"testing"

	"fanli/core/fault"
	"fanli/core/notify"
)

// A SenderWorld is a notify.Sender under test that only carries messages on.
type SenderWorld struct {
	Clock
	Sender notify.Sender
	// Heard returns what has come to the other end.
	Heard func() []notify.Message
	// Fail makes the other end fail with err from now on.
	Fail func(err error)
}

// Sender checks that a sender that carries messages on does so to the last field.
func Sender(t *testing.T, open func(t *testing.T) SenderWorld) {
	t.Helper()
	run(t, open, story[SenderWorld]{"MessagesArriveToTheLastField", messagesArrive})
}

func messagesArrive(t *testing.T, w SenderWorld) {
	ctx := t.Context()
	all := []notify.Message{
		{
			ID: 3, Key: "rebate/1", User: 7, Kind: notify.RebateReady, Data: json.RawMessage(`{"title":"保温杯 ☕"}`), At: w.Now(), Tries: 2,
			State: notify.Waiting, Held: true,
		},
		{ID: 4, User: 8},
	}
	full(t, all[0])
	for _, m := range all {
		must(t, w.Sender.Send(ctx, m))
	}
	want(t, "heard", w.Heard(), all)
	for _, f := range []failure{{"nobody", nil, fault.NotFound, "user.no_channel"}, {"busy", nil, fault.Unavailable, "channel.busy"}} {
		w.Fail(fault.New(f.code, f.reason))
		f.err = w.Sender.Send(ctx, all[0])
		wantFailures(t, f)
	}
}
