package notify

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"fanli/core/user"
	"fanli/core/withdraw"
)

// Reasons why somebody is not told something that they could have been told.
const (
	Off       = "notify.off"       // they have turned its topic off
	Overtaken = "notify.overtaken" // they were told a newer state while it was held
	NoTries   = "notify.tries"     // it was tried too often
)

// WasHeld is what the first putting off of a message to the end of quiet hours is counted as.
const WasHeld = "notify.held"

// Wishes knows what people want to be told. A user.Service does.
type Wishes interface {
	Notices(ctx context.Context, user int64) (user.Notices, error)
}

// How long messages are held. Beside its end, quiet hours are looked at every so often:
// whoever turns them off is told within that time. What waits in package mail goes before
// what waits here, because it was written before; so it has a start.
const (
	holdLook  = 15 * time.Minute
	holdStart = 5 * time.Second
)

// Topic is what a message is about for who turns notices off; "" for what everybody is
// told at once: about security, and money that went wrong or waits for them.
func (m Message) Topic() user.Topic {
	switch m.Kind {
	case OrderSeen, Received, RebateSettled, RebateReady, RebateChanged, RebateRevoked:
		return user.TopicOrders
	case WithdrawalNews:
		return m.topicOfWithdrawal()
	case AutopayNews:
		return user.TopicMoney
	case ClaimNews:
		return user.TopicClaims
	case CutNews:
		var c Cuts
		if json.Unmarshal(m.Data, &c) != nil || c.Debt > 0 {
			return ""
		}
		return user.TopicFriends
	case BonusNews:
		return user.TopicFriends
	case MembershipNews:
		return user.TopicMember
	case RebateClawed, ChargeNews, MergeNews, PayeeNews:
		return ""
	default:
		return ""
	}
}

// topicOfWithdrawal tells a withdrawal that goes well from one that does not, or that its
// payee has to confirm.
func (m Message) topicOfWithdrawal() user.Topic {
	var c withdraw.Changed
	if json.Unmarshal(m.Data, &c) != nil {
		return ""
	}
	switch c.State {
	case withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Paid:
		return user.TopicMoney
	case withdraw.Sending, withdraw.Cancelled, withdraw.Failed, withdraw.Refused, withdraw.Unknown, withdraw.Confirming:
		return ""
	default:
		return ""
	}
}

// wish says what becomes of a message before anybody is told: a reason not to tell it, or
// until when it is held; neither if it is to be told now.
func (o *Office) wish(ctx context.Context, m Message) (why string, until time.Time, err error) {
	topic := m.Topic()
	if topic == "" || o.Wishes == nil {
		return "", time.Time{}, nil
	}
	n, err := o.Wishes.Notices(ctx, m.User)
	if err != nil {
		return "", time.Time{}, err
	}
	if !n.Wants(topic) {
		return Off, time.Time{}, nil
	}
	if over, err := o.overtaken(ctx, m); over || err != nil {
		return Overtaken, time.Time{}, err
	}
	now := o.Now()
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	end, in := n.Quiet.Until(now.In(zone))
	if !in {
		return "", time.Time{}, nil
	}
	until = end.Add(holdStart)
	if look := now.Add(holdLook); look.Before(until) {
		until = look
	}
	return "", until, nil
}

// overtaken reports whether its user was told a newer state of the same thing while a
// message was held: what is urgent does not wait behind it.
func (o *Office) overtaken(ctx context.Context, m Message) (bool, error) {
	subject, rev, ok := revision(m.Key)
	if !ok || !m.Held || !slices.Contains(stated[:], m.Kind) {
		return false, nil
	}
	keys, err := o.Store.Told(ctx, subject)
	for _, key := range keys {
		if s, r, ok := revision(key); ok && s == subject && r > rev {
			return true, err
		}
	}
	return false, err
}
