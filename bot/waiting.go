package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanli/core/fault"
	"fanli/core/ladder"
	"fanli/core/link"
	"fanli/core/user"
)

// Bounds of what waits for a network.
const (
	waitingPerUser = 5
	waitingMax     = 10_000
	waitingFor     = 6 * time.Hour   // then people are told that it came to nothing
	waitingFirst   = 5 * time.Second // until the first try, doubled for each further one
	waitingLongest = 2 * time.Minute
	waitingBatch   = 20 // in one run; the network's rate is for those who are there, too
)

// queue remembers a link that its network cannot answer now, or did not within the time
// that a person waits. ok is false where it is not to be: the network only stumbled, others
// read along, too many wait.
func (t *turn) queue(ctx context.Context, a answered) (r Reply, ok bool) {
	network := a.ref.Network
	stalls := errors.Is(a.err, context.DeadlineExceeded)
	if t.bot.Waiting == nil || t.m.Group || !stalls && !t.degraded(ladder.Queue, "network/"+network) {
		return Reply{}, false
	}
	w := link.Waiting{
		User: t.user.ID, Channel: t.m.From.Channel, External: t.m.From.External, Chat: t.m.Chat, Ref: a.ref,
		At: t.now, Until: t.now.Add(waitingFor), NextAt: t.now.Add(waitingFirst),
	}
	kept, err := t.bot.Waiting.Wait(ctx, w, waitingPerUser, waitingMax)
	if err != nil {
		t.trace(ctx, fault.In("bot.Wait", err))
	}
	if !kept {
		return Reply{}, false
	}
	return t.say("paste.queued", "network", t.network(network), "until", t.hour(w.Until)), true
}

// hour is a time of this day, or the day with it.
func (v voice) hour(at time.Time) string {
	if v.date(at) != v.date(v.now) {
		return v.moment(at)
	}
	return at.In(v.zone).Format("15:04")
}

// AnswerWaiting answers links that waited for their network, one batch, and says how
// many. What was answered may be answered again after a crash, where the channel is not
// one of the Outbox's: better twice than never.
func (d *Deliverer) AnswerWaiting(ctx context.Context) (n int, err error) {
	if d.Bot.Waiting == nil {
		return 0, nil
	}
	now := d.Bot.Now()
	due, err := d.Bot.Waiting.Due(ctx, now, waitingBatch)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, w := range due {
		done, err := d.answerOne(ctx, w)
		switch {
		case err != nil || !done:
			errs = append(errs, err, d.Bot.Waiting.PutOff(ctx, w.ID, now.Add(pause(w.Tries))))
		default:
			n++
			errs = append(errs, d.Bot.Waiting.Done(ctx, w.ID))
		}
	}
	return n, errors.Join(errs...)
}

// answerOne looks up what waited, and tells who asked. done is false while the
// network is still away.
func (d *Deliverer) answerOne(ctx context.Context, w link.Waiting) (done bool, err error) {
	if d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	c := d.channel(w.Channel)
	if c == nil { // it was turned off meanwhile
		return true, nil
	}
	u, err := d.Bot.Users.User(ctx, w.User)
	if err != nil {
		return fault.Is(err, fault.NotFound), fault.In("bot.Waiting", ignoreGone(err))
	}
	to := user.Identity{Channel: w.Channel, External: w.External}
	t := &turn{voice: d.Bot.voice(u.Locale), bot: d.Bot, user: u, m: Message{From: to, Chat: w.Chat}}
	a := answered{ref: w.Ref}
	a.link, a.err = t.make(ctx, w.Ref)
	var r Reply
	switch late := !t.now.Before(w.Until); {
	case fault.Retryable(a.err) && !late:
		return false, nil
	case fault.Retryable(a.err):
		r = t.say("waiting.expired", "network", t.network(w.Ref.Network), "what", t.titled(w.Ref))
	default:
		r = t.pasteOne(ctx, a)
		head := t.T("waiting.answer", "what", t.titled(w.Ref))
		if r.Text != "" {
			head += "\n" + r.Text
		}
		r.Text = head
	}
	key := fmt.Sprintf("waiting/%d/%d", w.ID, w.At.UnixMilli()) // numbers come again
	if d.Outbox != nil && d.Outbox.Takes(w.Channel) {
		err = d.Outbox.Notice(ctx, Notice{Key: key, User: w.User, To: to, Reply: r})
	} else {
		err = tell(ctx, c, to, key, r)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return false, fault.In("bot.Waiting", err)
	}
	return true, nil
}

// titled is what people call what they pasted.
func (t *turn) titled(ref link.Ref) string {
	if title := clean(ref.Title, listTitleRunesMax); title != "" {
		return title
	}
	return t.T("paste.one_of_many", "network", t.network(ref.Network))
}

// pause is how long something waits on after so many tries.
func pause(tries int) time.Duration {
	wait := waitingFirst
	for range min(tries, 10) {
		wait *= 2
	}
	return min(wait, waitingLongest)
}

func ignoreGone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
