package bot

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"fanli/core/cache"
	"fanli/core/fault"
)

// How several processes take turns with a person.
const (
	holdLength = 10 * time.Second       // after which one that died is succeeded
	holdBeat   = holdLength / 3         // how often who lives says so
	holdPause  = 20 * time.Millisecond  // before asking again; it doubles
	pauseMax   = 200 * time.Millisecond // up to here
	dropTime   = 2 * time.Second        // for giving a hold back
)

// holdsMax is how many holds there are. Persons share them by chance: a lease's row
// stays for ever, and there must be no end to persons.
const holdsMax = 1 << 16

// holdOf names the hold of a person without saying who that is.
func holdOf(person string) string {
	sum := sha256.Sum256([]byte(person))
	return fmt.Sprint("talk/", binary.BigEndian.Uint32(sum[:])%holdsMax)
}

// hold waits until no other process answers a person, and keeps others waiting until
// release is called, or this process has been gone for holdLength. Whoever overslept
// does no harm: a dialogue that has gone on is not stored, and answers are kept once.
func (b *Bot) hold(ctx context.Context, person string) (release func(), err error) {
	name := holdOf(person)
	holder := fmt.Sprint(b.Holder, "#", b.holds.Add(1))
	for pause := holdPause; ; pause = min(2*pause, pauseMax) {
		_, err := b.Leases.Take(ctx, name, holder, holdLength)
		if err == nil {
			break
		}
		if !fault.Is(err, fault.Conflict) {
			return nil, fault.In("bot.Hold", err)
		}
		if !sleep(ctx, pause) {
			return nil, fault.Wrap(fault.Unavailable, "bot.Hold", ctx.Err())
		}
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, holdBeat) {
			if _, err := b.Leases.Take(ctx, name, holder, holdLength); err != nil && ctx.Err() == nil {
				b.log(ctx, slog.LevelWarn, b.traceID(ctx), fault.In("bot.Hold", err))
			}
		}
	}()
	return func() {
		stop()
		<-done
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
		defer cancel()
		if err := b.Leases.Drop(ctx, name, holder); err != nil {
			b.log(ctx, slog.LevelWarn, b.traceID(ctx), fault.In("bot.Hold", err))
		}
	}, nil
}

// sleep waits for d, and reports whether ctx lasts that long.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// How fast a person may write, on every channel that has no stricter limit of its own.
const (
	floodBurst = 60          // messages at once: somebody forwards a day's finds
	floodEvery = time.Second // and then one each
)

// tooFast reports whether a person writes too fast, and after how many seconds they may
// go on. What cannot be counted is not too fast.
func (b *Bot) tooFast(ctx context.Context, m Message) (seconds int, yes bool) {
	if b.Flood == nil {
		return 0, false
	}
	sum := sha256.Sum256([]byte(m.From.Channel + "\n" + m.From.External))
	ok, wait, err := b.Flood.Allow(ctx, fmt.Sprintf("bot/person/%x", sum[:16]), cache.Every(floodEvery), floodBurst)
	if ok || err != nil {
		return 0, false
	}
	return int((wait + time.Second - 1) / time.Second), true
}
