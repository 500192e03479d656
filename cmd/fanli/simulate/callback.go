package simulate

import (
	"context"
	"net/http"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// How late calls are: soon after what they tell, or long after it.
const (
	callSoon = 2 * time.Minute
	callLate = 30 * time.Hour
)

// A call is what the bank says of a payment without being asked, or what somebody
// says who is not the bank.
type call struct {
	number string
	says   withdraw.Verdict
	forged bool
	at     time.Time
}

// sign is what only the bank can put under a call.
const sign = "bank"

// callback writes a call as it is received.
func (c call) callback() withdraw.Callback {
	h := http.Header{"Sign": {sign}}
	if c.forged {
		h.Set("Sign", "guessed")
	}
	return withdraw.Callback{Header: h, Body: []byte(c.number + " " + string(c.says))}
}

var _ withdraw.Hearer = (*bank)(nil)

// Hear implements withdraw.Hearer.
func (b *bank) Hear(_ context.Context, c withdraw.Callback) (string, error) { return signed(c) }

// signed returns the number that a call is about.
func signed(c withdraw.Callback) (string, error) {
	if c.Header.Get("Sign") != sign {
		return "", fault.New(fault.Denied, "payer.not_signed")
	}
	return unsigned(c), nil
}

// unsigned is the number that a call is about, whoever calls.
func unsigned(c withdraw.Callback) string {
	number, _, _ := strings.Cut(string(c.Body), " ")
	return number
}

// Answer implements withdraw.Hearer.
func (b *bank) Answer(error) (status int, contentType, body string) { return http.StatusOK, "", "" }

// announce plans the calls about a payment: one, soon after it has left or come to
// nothing. Where calls go wrong they are lost, early, late or come again, say the
// opposite, and others call, too: about this number without the bank's sign, and
// about numbers that there are not.
func (b *bank) announce(p *payment) {
	w := b.w
	truth, lie := withdraw.Done, withdraw.Dead
	if p.dead {
		truth, lie = lie, truth
	}
	add := func(number string, says withdraw.Verdict, forged bool, within time.Duration) {
		b.calls = append(b.calls, call{number, says, forged, p.at.Add(w.ill.upTo(within))})
	}
	switch {
	case w.ill.strikes(Callback, 1): // lost
	case w.ill.strikes(Callback, 1):
		add(p.number, truth, false, callLate)
	default:
		add(p.number, truth, false, callSoon)
	}
	if w.ill.strikes(Callback, 2) { // again
		add(p.number, truth, false, callLate)
	}
	if w.ill.strikes(Callback, 2) { // while it is on its way, or long after its end
		add(p.number, lie, false, callLate)
		b.calls[len(b.calls)-1].at = w.now().Add(w.ill.upTo(callSoon))
		add(p.number, lie, false, callLate)
	}
	if w.ill.strikes(Callback, 2) {
		add(p.number, lie, true, callSoon)
	}
	if w.ill.strikes(Callback, 1) {
		add(p.number+"9", withdraw.Done, false, callSoon)
	}
}

// overtakes lets the bank call before it has replied to what it was sent, where
// calls go wrong; the call may say anything.
func (b *bank) overtakes(ctx context.Context, p *payment) error {
	if !b.w.ill.strikes(Callback, 2) {
		return nil
	}
	c := call{number: p.number, says: withdraw.Done, at: b.w.now()}
	b.w.note("bank calls about %s before it replies", p.number)
	_, err := b.w.hear(ctx, c)
	if err != nil && !b.w.crash.dead {
		b.w.wrong("a call about %s before the reply: %v", p.number, err)
	}
	return err
}

// due takes from those that wait the ones whose time has come: in any order, where
// callbacks are what goes wrong.
func due[T any](w *world, waiting *[]T, at func(T) time.Time) (out []T) {
	var later []T
	for _, x := range *waiting {
		if at(x).After(w.at) {
			later = append(later, x)
		} else {
			out = append(out, x)
		}
	}
	*waiting = later
	if w.ill.strikes(Callback, 3) {
		w.ill.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// called delivers the calls whose time has come, in any order. Those that we could
// not take come again.
func (w *world) called(ctx context.Context) {
	for _, c := range due(w, &w.bank.calls, func(c call) time.Time { return c.at }) {
		taken := false
		err := w.try(ctx, func() (err error) {
			taken, err = w.hear(ctx, c)
			return err
		})
		w.note("call about %s says %s, forged=%v: taken=%v", c.number, c.says, c.forged, taken)
		if err == nil && !taken {
			c.at = w.at.Add(time.Minute)
			w.bank.calls = append(w.bank.calls, c)
		}
	}
}

// hear lets the process take a call, as from the payer's request. taken is false
// for one that should come again.
func (w *world) hear(ctx context.Context, c call) (taken bool, err error) {
	err = w.house.heard(ctx, c.callback())
	switch {
	case w.crash.dead:
		return false, errCrash
	case fault.Is(err, fault.Unavailable): // the bank did not say whether it is so
		return false, nil
	case fault.Is(err, fault.Denied) && c.forged, fault.Is(err, fault.NotFound) && w.bank.book[c.number] == nil:
		return true, nil
	case c.forged && w.opt.Plant == Sound:
		w.wrong("a forged call about %s was taken: %v", c.number, err)
	}
	return err == nil, err
}
