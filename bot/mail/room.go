package mail

import (
	"context"
	"strings"
	"time"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/notify"
	"fanli/core/post"
	"fanli/core/user"
)

// roomMark begins the chat of a waiting room: a line beside that of a chat, in which
// notices wait for the end of their person's quiet hours, so that nothing else waits with
// them. From there nothing is carried; they go back to the line of their chat.
const roomMark = "later/"

// Held is the reason of a parcel that waits for the end of quiet hours, or did.
const Held = "mail.held"

// roomLook is how often quiet hours are looked at before they end: whoever turns them off is
// told within that time.
const roomLook = 15 * time.Minute

// wishWait is how long a notice waits when nobody knows what its person wants.
const wishWait = 30 * time.Second

// held asks what the person of a notice wants now. It returns nil for what is to be carried,
// with their quiet hours. Whoever writes it has asked before, but that can be long ago: a
// platform was away, or ten thousand others were told first. What has begun to arrive is
// carried to its end.
func (l *line) held(ctx context.Context, k post.Parcel) (*verdict, user.Quiet) {
	if !k.Quiet || l.Wanted == nil || k.Parts > 0 || !l.Now().Before(k.Expires) {
		return nil, user.Quiet{}
	}
	p, err := unpack(k)
	if err != nil || p.Notice == nil {
		return nil, user.Quiet{}
	}
	w, err := l.wanted(ctx, *p.Notice)
	if err != nil && ctx.Err() != nil { // being stopped
		return &verdict{state: post.Waiting, tries: k.Tries, reason: k.Reason}, user.Quiet{}
	}
	wait := w.Wait
	if err != nil && p.Notice.Topic != "" {
		wait = wishWait
	}
	chat, inside := strings.CutPrefix(k.Chat, roomMark)
	v := &verdict{state: post.Waiting, tries: k.Tries, reason: Held}
	switch {
	case w.Off:
		return &verdict{state: post.Gone, tries: k.Tries, reason: notify.Off}, w.Hours
	case inside && wait > 0:
		v.wait = min(wait, roomLook)
	case inside:
		v.line = chat
	case wait > 0 && len(roomMark)+len(chat) <= keyBytesMax:
		v.line, v.longer = roomMark+chat, wait
	default:
		return nil, w.Hours
	}
	return v, w.Hours
}

// wanted asks whoever knows.
func (l *line) wanted(ctx context.Context, n bot.Notice) (bot.Wish, error) {
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	w, err := l.Wanted(ctx, n)
	return w, fault.In("mail.Wanted", err)
}
