package mail

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/post"
)

// The limits of answering.
const (
	answerTime = time.Minute // for one letter; handlers have their own, shorter limits
	answersMax = 12          // tries, after which a letter is given up
)

// takeLetters claims letters.
func (l *line) takeLetters(ctx context.Context, c post.Claim) ([]job, error) {
	letters, err := l.Store.ClaimLetters(ctx, l.carrier.Name(), c)
	jobs := make([]job, len(letters))
	for i, letter := range letters {
		jobs[i] = job{letter.Chat, false, func(ctx context.Context) { l.answer(ctx, c.Holder, letter) }}
	}
	return jobs, fault.In("mail.ClaimLetters", err)
}

// answer answers a letter and stores what became of it.
func (l *line) answer(work context.Context, holder string, letter Letter) {
	ps, err := l.ask(work, holder, letter)
	now := l.Now()
	var kept []post.Parcel
	if err == nil {
		kept, err = packAll(ps, now)
	}
	if work.Err() != nil { // an answer that was cut short is no answer
		l.give(holder, post.In, letter.Chat)
		return
	}
	outcome := string(post.Done)
	over := err != nil && (letter.Tries+1 >= answersMax || fault.Is(err, fault.Invalid))
	if over {
		kept = l.sorry(letter, now)
	}
	err = l.in.persist(work, func(ctx context.Context) error {
		if err == nil {
			return l.Store.Answer(ctx, holder, letter, now, kept)
		}
		next := now.Add(ladder(letter.Tries))
		outcome = string(post.Waiting)
		if over {
			next, outcome = time.Time{}, string(post.GivenUp)
			if err := l.Store.Post(ctx, now, kept); err != nil { // before: with the letter's end nobody would come back to it
				return err
			}
		}
		again := letter
		again.Tries++
		return l.Store.PutOff(ctx, holder, again, now, next, reasonOf(err))
	})
	if err != nil {
		l.Log.Error("a letter is answered again later: its end could not be kept", "channel", letter.Channel, "letter", letter.Seq, "error", err)
		l.give(holder, post.In, letter.Chat)
		return
	}
	l.count(letter.Channel, post.In, outcome)
	l.wakeFor(work, kept)
}

// sorry is what a person is told whose letter is given up.
func (l *line) sorry(letter Letter, now time.Time) []post.Parcel {
	sorry := l.service.Load().Sorry
	if sorry == nil {
		return nil
	}
	p, ok := sorry(letter)
	if !ok {
		return nil
	}
	kept, err := p.pack(now)
	if err != nil {
		return nil
	}
	return []post.Parcel{kept}
}

// ask calls the channel, whatever happens there.
func (l *line) ask(ctx context.Context, holder string, letter Letter) (ps []Parcel, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			ps, err = nil, fault.Newf(fault.Internal, "", "panic: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			l.Log.Warn("a letter was not answered", "channel", letter.Channel, "letter", letter.Seq, "tries", letter.Tries+1, "error", err)
		}
	}()
	answer := l.service.Load().Answer
	if answer == nil {
		return nil, fault.New(fault.Unavailable, "mail.unserved")
	}
	defer l.soothe(ctx, holder, letter)()
	return answer(ctx, letter)
}

// soothe has a person told that their letter takes a while, if it does. What it returns
// ends that: nothing more is posted then.
func (l *line) soothe(ctx context.Context, holder string, letter Letter) (end func()) {
	wait := l.service.Load().Wait
	if wait == nil {
		return func() {}
	}
	p, ok := wait(letter)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var told sync.WaitGroup
	told.Go(func() {
		if !sleep(ctx, WaitAfter) {
			return
		}
		now := l.Now()
		kept, err := p.pack(now)
		if err == nil {
			err = l.Store.Meanwhile(context.WithoutCancel(ctx), holder, letter, now, kept)
		}
		if err != nil {
			l.Log.Info("a person is not told that they have to wait", "channel", letter.Channel, "letter", letter.Seq, "error", err)
			return
		}
		l.wakeFor(ctx, []post.Parcel{kept})
	})
	return func() {
		cancel()
		told.Wait()
	}
}

// give gives a chat back, as well as that is possible: otherwise its lease ends.
func (l *line) give(holder string, s post.Side, chat string) {
	ctx, cancel := context.WithTimeout(context.Background(), stopAbort)
	defer cancel()
	if err := l.Store.Release(ctx, holder, s, l.carrier.Name(), chat); err != nil {
		l.Log.Warn("a chat is not given back; its lease ends by itself", "channel", l.carrier.Name(), "error", err)
	}
}

// reasonOf is what is kept of an error: a key, and nothing that anybody wrote.
func reasonOf(err error) string {
	if r := fault.ReasonOf(err); r != "" && len(r) <= keyBytesMax {
		return r
	}
	return string(fault.CodeOf(err))
}
