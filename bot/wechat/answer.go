package wechat

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"fanli/bot"
	"fanli/bot/plaintext"
	"fanli/bot/wechat/platform"
	"fanli/core/fault"
)

// A way is how a delivery is answered.
type way string

// The ways.
const (
	waySilent  way = "silent"  // nothing is to be said
	wayPassive way = "passive" // with the answer
	wayLater   way = "later"   // the answer is sent when it is there
	wayStub    way = "stub"    // "1" will show it
	wayFull    way = "full"    // there is too much of its person: it is left, and they are told so now and then
	wayNone    way = "none"    // not at all: the message comes again
)

// An answer is what a delivery is answered with.
type answer struct {
	way     way
	text    string
	article *platform.Article
	more    []string // texts that follow as customer messages
	copy    string   // comes by itself after it, where that is allowed
	told    bool     // notices that have waited go with it

	saved *bot.Reply // told later where it cannot be written; nil while it is asked for again
}

// patience is how long a delivery that may not be the last waits at most: the platform
// has gone by then, and delivers again.
const patience = 6 * time.Second

// answer answers one delivery.
func (c *Channel) answer(ctx context.Context, run *running, in incoming, began time.Time) answer {
	warn := false
	j, mine := c.jobs.join(in.id, c.opts.Now(), func() (ok bool) {
		if in.failed != "" { // it is the platform that says so, once for each that we have sent
			return true
		}
		ok, warn = c.gate.enter(in.from, c.opts.Now())
		return ok
	})
	switch {
	case j == nil && warn && in.kind != silent && in.kind != left:
		return answer{way: wayFull, text: bot.TooMany(languageOf(in.text)).Text}
	case j == nil:
		return answer{way: wayFull}
	case mine:
		run.work.Add(1)
		go func() {
			defer run.work.Done()
			if in.failed == "" {
				defer c.gate.leave(in.from)
			}
			c.work(run, in, j)
		}()
	}
	last := j.last(in, began)
	over := c.opts.After(max(0, c.opts.Budget-c.opts.Now().Sub(began)))
	select {
	case <-j.done:
		return c.settle(ctx, in, j, last)
	case <-ctx.Done():
		if last {
			c.cutOff(run, in, j)
		}
		return answer{way: wayNone}
	case <-over:
	}
	if a, ok := c.later(ctx, in, j); ok {
		if mine {
			c.typing(run, in.from)
		}
		return a
	}
	if j.last(in, c.opts.Now()) {
		return c.stub(ctx, in, j)
	}
	select {
	case <-j.done:
		return c.settle(ctx, in, j, last)
	case <-ctx.Done():
	case <-c.opts.After(patience - c.opts.Budget):
	}
	return answer{way: wayNone}
}

// work finds the answer to a message. Whatever happens, the job ends.
func (c *Channel) work(run *running, in incoming, j *job) {
	defer close(j.done)
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("a message ended in a panic", "kind", in.kin)
			j.cut = true
			c.jobs.drop(in.id, j)
		}
	}()
	if err := c.learn(run.ctx, in); err != nil {
		c.log.Warn("a notice that has not arrived is not kept; its failure is asked for again", "error", err)
		j.cut = true
		c.jobs.drop(in.id, j)
		return
	}
	c.understand(run.ctx, in, j)
	close(j.ready)
	switch {
	case j.quiet || j.raw != "":
		return
	case in.kind == line:
		j.reply = bot.Reply{Text: in.say.In(false)}
	default:
		j.reply = run.handle(run.ctx, j.message)
	}
	if run.ctx.Err() != nil {
		j.cut = true
		c.jobs.drop(in.id, j)
	}
	j.quiet = plaintext.Empty(j.reply)
}

// learn enters what a callback says of something that we have sent.
func (c *Channel) learn(ctx context.Context, in incoming) error {
	if !idForm.MatchString(in.failed) {
		return nil
	}
	return c.formLost(ctx, in.from, in.failed)
}

// understand enters what the person did, and says what it means: a digit may stand for
// something that was offered.
func (c *Channel) understand(ctx context.Context, in incoming, j *job) {
	now := c.opts.Now()
	reads := false // on in a text that was cut
	f, err := c.change(ctx, in.from, func(f *follower) bool {
		gone := f.Gone
		f.hear(in, now)
		t := &f.Talk
		again := t.By == in.id && t.Read > 0
		reads = in.kind == talk && plaintext.WantsMore(in.text) && now.Before(t.To) && (again || t.Read < len(t.Rest))
		if reads && !again {
			t.Read, t.By = t.Read+1, in.id
		}
		return in.message || in.action || reads || gone != f.Gone
	})
	if err != nil {
		c.log.Warn("what a person may be sent is not kept", "error", err)
	}
	j.quiet = in.kind == silent || in.kind == left
	if reads {
		j.raw = f.Talk.Rest[f.Talk.Read-1]
		if f.Talk.Read < len(f.Talk.Rest) {
			j.raw += "\n" + plaintext.ReadOn(plaintext.English(j.raw))
		}
		return
	}
	text := in.text
	if in.kind == talk {
		if m, ok := f.Talk.late(text, now); ok {
			j.message = m
			return
		}
		if action, ok := f.Talk.meant(text, now); ok {
			text = action
		}
	}
	j.message = bot.Message{From: identity(in.from), Chat: in.from, ID: in.id, Text: text, Via: in.via}
}

// settle answers a delivery with what has been found, unless it is sent later. last says
// that the platform will not deliver the message again.
func (c *Channel) settle(ctx context.Context, in incoming, j *job, last bool) answer {
	switch {
	case j.cut:
		return answer{way: wayNone}
	case j.quiet:
		return answer{way: waySilent}
	}
	if c.decide(ctx, in, wayPassive) == wayLater {
		if a, ok := c.keep(ctx, in, j); ok { // whoever has decided that may have died since
			return a
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.made == nil {
		a := c.compose(ctx, in, j)
		j.made = &a
	} else if j.made.told { // what was written before did not arrive
		if _, _, _, err := c.opts.Book.TellWith(ctx, in.from, in.id, 0); err != nil {
			c.log.Warn("it is not kept that notices were lost", "error", err)
		}
	}
	a := *j.made
	if last {
		r := j.said()
		a.saved = &r
	}
	return a
}

// decide says which way the answer to a message goes, over all processes.
func (c *Channel) decide(ctx context.Context, in incoming, w way) way {
	decided, err := c.opts.Book.Decide(ctx, in.id, string(w), c.opts.Now())
	if err != nil {
		c.log.Warn("which way an answer goes is not kept", "error", err)
		return w
	}
	return way(decided)
}

// later keeps a message for an answer that is sent, if one may be sent. ok is false if
// not, or if the answer has been found meanwhile and goes the other way.
func (c *Channel) later(ctx context.Context, in incoming, j *job) (a answer, ok bool) {
	select {
	case <-j.ready:
	default:
		return answer{}, false
	}
	if c.opts.Mail == nil || j.message.ID == "" || !c.may(ctx, Customer) {
		return answer{}, false
	}
	f, err := c.follower(ctx, in.from)
	if err != nil || f.allowed(c.opts.Now()) == 0 || c.decide(ctx, in, wayLater) != wayLater {
		return answer{}, false
	}
	return c.keep(ctx, in, j)
}

// keep keeps a message durably; only then may its delivery be acknowledged.
func (c *Channel) keep(ctx context.Context, in incoming, j *job) (answer, bool) {
	if c.opts.Mail == nil {
		return answer{}, false
	}
	if err := c.opts.Mail.Keep(ctx, j.message, in.at); err != nil {
		c.log.Error("a message that is answered later is not kept", "error", err)
		return answer{}, false
	}
	return answer{way: wayLater}, true
}

// stubTTL is how long "1" shows an answer that came too late: as long as the bot keeps it.
const stubTTL = time.Hour

// addresses say nothing of a person's language.
var addresses = regexp.MustCompile(`https?://\S+`)

// languageOf is the hint of a language that a text gives.
func languageOf(text string) string {
	if plaintext.English(addresses.ReplaceAllString(text, "")) {
		return "en"
	}
	return ""
}

// stub says that the answer will be there for "1". Its message is kept before, like
// any that is acknowledged: in the office, which has it answered whatever happens to this
// process, and beside its person, whose "1" means this message and no other.
func (c *Channel) stub(ctx context.Context, in incoming, j *job) answer {
	select {
	case <-j.ready:
	default:
		return answer{way: wayNone} // it is not even known what it means
	}
	_ = c.decide(ctx, in, wayStub)
	_, kept := c.keep(ctx, in, j)
	_, err := c.change(ctx, in.from, func(f *follower) bool {
		f.Talk = talkState{Late: &j.message, Until: c.opts.Now().Add(stubTTL)}
		return true
	})
	if err != nil {
		c.log.Warn("a choice is not kept", "error", err)
	}
	if err != nil && !kept {
		return answer{way: wayNone} // nobody would ever answer it
	}
	return answer{way: wayStub, text: saySoon.In(plaintext.English(addresses.ReplaceAllString(in.text, "")))}
}

// How much goes with one answer.
const (
	partsMax = 3 // texts, of which the last ones are customer messages
	toldMax  = 5 // notices that have waited
)

// compose writes the answer to a message, with the notices that have waited.
func (c *Channel) compose(ctx context.Context, in incoming, j *job) answer {
	if j.raw != "" {
		return answer{way: wayPassive, text: j.raw}
	}
	if j.message.ID != in.id {
		c.shown(ctx, j.message.ID)
	}
	told, waiting, some := c.tell(ctx, in, j.message.ID)
	r := c.render(j.reply)
	if len(told) > 0 && r.article != nil { // an article has no room for them
		r = c.renderText(j.reply, false)
	}
	a := answer{way: wayPassive, text: r.text, article: r.article, told: some}
	next := talkState{Menu: r.menu}
	if len(a.text) > textBytesMax {
		c.untell(ctx, told)
		a.text, a.more, next = c.fit(ctx, in.from, a.text, next)
	} else if len(told)+waiting > 0 {
		a.text = c.append(ctx, a.text, told, waiting)
	}
	if len(a.more) == 0 && len(next.Rest) == 0 {
		a.copy = plaintext.ToCopy(j.reply)
	}
	c.offer(ctx, in.from, next)
	return a
}

// fit cuts a text: into several messages if they are allowed, else so that "更多" shows
// the rest.
func (c *Channel) fit(ctx context.Context, openid, text string, t talkState) (first string, more []string, next talkState) {
	parts := plaintext.Split(text, textBytesMax)
	if c.opts.Mail != nil && len(parts) <= partsMax && c.may(ctx, Customer) {
		if f, err := c.follower(ctx, openid); err == nil && f.allowed(c.opts.Now()) >= len(parts) {
			return parts[0], parts[1:], t
		}
	}
	return cutText(text, t)
}

// cutText cuts a text so that "更多" shows the rest. Its choices are at its end: they are
// typed as words until it is read.
func cutText(text string, t talkState) (first string, more []string, next talkState) {
	hint := "\n" + plaintext.ReadOn(plaintext.English(text))
	parts := plaintext.Split(text, textBytesMax-len(hint))
	t.Rest = parts[1:]
	return parts[0] + hint, nil, t
}

// offer keeps what a person can choose from now.
func (c *Channel) offer(ctx context.Context, openid string, t talkState) {
	now := c.opts.Now()
	t.Until, t.To = now.Add(menuTTL), now.Add(restTTL)
	_, err := c.change(ctx, openid, func(f *follower) bool {
		keep := !f.Talk.empty() || !t.empty()
		f.Talk = t
		return keep
	})
	if err != nil {
		c.log.Warn("a choice is not kept", "error", err)
	}
}

// A parked is a notice that has waited.
type parked struct {
	id    int64
	reply bot.Reply
}

// tell returns the notices that go with the answer to a message, without what is that
// answer itself; some reports whether there was anything.
func (c *Channel) tell(ctx context.Context, in incoming, answered string) (told []parked, waiting int, some bool) {
	ids, bodies, waiting, err := c.opts.Book.TellWith(ctx, in.from, in.id, toldMax)
	if err != nil {
		c.log.Warn("notices that wait are not told", "error", err)
		return nil, 0, false
	}
	for i, id := range ids {
		var b parkedBody
		if err := json.Unmarshal(bodies[i], &b); err != nil || b.Of == lateKey(answered) || c.isSeen(ctx, b.Of) {
			continue // of another version, which nobody can read; or it was read already
		}
		told = append(told, parked{id, b.Reply})
	}
	return told, waiting, len(ids) > 0
}

func (c *Channel) untell(ctx context.Context, told []parked) {
	if len(told) == 0 {
		return
	}
	ids := make([]int64, len(told))
	for i, p := range told {
		ids[i] = p.id
	}
	if err := c.opts.Book.Untell(ctx, ids); err != nil {
		c.log.Error("notices are lost: they are told, and were not", "count", len(ids), "error", err)
	}
}

// append puts notices below an answer, as many as there is room for.
func (c *Channel) append(ctx context.Context, text string, told []parked, waiting int) string {
	en := plaintext.English(text)
	head := func(n int) string { return "\n\n" + plaintext.News(en, n) }
	rest := func(n int) string {
		if n == 0 {
			return ""
		}
		return "\n\n" + plaintext.Waiting(en, n)
	}
	out, body, n := text+rest(len(told)+waiting), "", 0
	for i, p := range told {
		body += "\n\n" + c.renderText(plaintext.WithoutActions(p.reply), true).text
		if s := text + head(i+1) + body + rest(len(told)-i-1+waiting); len(s) <= textBytesMax {
			out, n = s, i+1
			continue
		}
		break
	}
	c.untell(ctx, told[n:])
	if len(out) > textBytesMax {
		return text
	}
	return out
}

// followAfter is how long what follows an answer lets it go first.
const followAfter = time.Second

// follow has the texts sent that follow an answer. They are kept before it is written.
func (c *Channel) follow(ctx context.Context, in incoming, a answer) {
	for i, text := range a.more {
		key := fmt.Sprintf("%s/%s/%d", Name, in.id, i+2)
		from := c.opts.Now().Add(followAfter)
		if err := c.opts.Mail.Post(ctx, key, identity(in.from), bot.Reply{Text: text}, from); err != nil {
			c.log.Error("the rest of an answer is not sent", "code", string(fault.CodeOf(err)))
			return
		}
	}
}
