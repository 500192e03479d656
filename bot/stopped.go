package bot

import (
	"context"
	"errors"

	"fanli/core/control"
	"fanli/core/link"
)

// stopped answers for what a switch stops, in the words of whoever turned it on.
func (t *turn) stopped(ctx context.Context, scopes ...control.Scope) (Reply, bool, error) {
	if t.bot.Switches == nil {
		return Reply{}, false, nil
	}
	err := t.bot.Switches.Check(ctx, scopes...)
	if text, ok := t.switchText(err); ok {
		return Reply{Text: text, Buttons: []Button{t.next("balance")}}, true, nil
	}
	return Reply{}, false, err
}

// switchText returns what a switch that stopped something says.
func (v voice) switchText(err error) (text string, ok bool) {
	var s *control.StoppedError
	switch {
	case !errors.As(err, &s):
		return "", false
	case s.Switch.Text != "":
		return clean(s.Switch.Text, switchRunesMax), true
	default:
		return v.reason(control.Stopped)
	}
}

// switchRunesMax bounds what a switch says.
const switchRunesMax = 300

// scopesOf are the switches that stop a command: those that change something
// stand still while everything may only be read.
func scopesOf(command string) []control.Scope {
	switch command {
	case "withdraw":
		return []control.Scope{control.Payouts, control.ReadOnly}
	case "coupon", "claim", "payee", "autopay", "cancelwithdrawal", "confirm", "language", "link", "unlink", "unsubscribe":
		return []control.Scope{control.ReadOnly}
	default:
		return nil
	}
}

// scopesOfRefs are the switches that stop making links for what was pasted.
func scopesOfRefs(refs []link.Ref) []control.Scope {
	out := []control.Scope{control.ReadOnly}
	for _, r := range refs {
		if r.Network != "" {
			out = append(out, control.Network(r.Network))
		}
	}
	return out
}
