package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
)

// A browser is the web chat.
type browser struct{ c *caller }

// words are all that a reply says.
func words(r bot.Reply) string { return fmt.Sprintf("%+v", r) }

func (b browser) greet(ctx context.Context) error {
	_, err := b.c.ask(ctx, "你好")
	return err
}

// insist asks until the answer is as wanted.
func (b browser) insist(ctx context.Context, text string, wanted func(r bot.Reply) bool) (bot.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, stepMax)
	defer cancel()
	for {
		r, err := b.c.ask(ctx, text)
		if err != nil || wanted(r) {
			return r, err
		}
		if err := breathe(ctx); err != nil {
			return r, fmt.Errorf("%q is answered by %+v: %w", text, r, err)
		}
	}
}

func (b browser) payee(ctx context.Context, account string) error {
	_, err := b.insist(ctx, "收款 "+account+" 张三", func(r bot.Reply) bool { return strings.Contains(words(r), "****") })
	return err
}

func (b browser) link(ctx context.Context, text, _ string) (string, error) {
	r, err := b.insist(ctx, text, func(r bot.Reply) bool { return shopLink(r) != "" })
	return shopLink(r), err
}

func (b browser) withdraw(ctx context.Context) error {
	r, err := b.c.ask(ctx, "提现")
	if err != nil {
		return err
	}
	if word := confirmation(r); word != "" {
		_, err = b.c.ask(ctx, word)
	}
	return err
}

// told also fails if it was told too often.
func (b browser) told(ctx context.Context, text string, times int) error {
	count := func() (n int) {
		for _, s := range b.c.notices {
			if strings.Contains(words(s.Reply), text) {
				n++
			}
		}
		return n
	}
	if err := b.c.until(ctx, func() bool { return count() >= times }); err != nil {
		return fmt.Errorf("%d were told: %w", count(), err)
	}
	if n := count(); n != times {
		return fmt.Errorf("%d were told", n)
	}
	return nil
}

// A telephone is Telegram. An answer that was given just before a crash may come
// twice, so that everything is known by its words.
type telephone struct {
	fake *telegramfake.Server
	me   int64
	base string // of shops
}

// readMax is how long somebody looks at the telephone before asking again.
const readMax = 15 * time.Second

// last is the newest message; older ones may be deleted.
func (p *telephone) last() (id int64) {
	for _, s := range p.fake.Sent(p.me) {
		id = s.ID
	}
	return id
}

// reads waits for something that was sent after a message and is as wanted.
func (p *telephone) reads(ctx context.Context, after int64, wanted func(s telegramfake.Sent) bool) (found telegramfake.Sent, ok bool, err error) {
	short, cancel := context.WithTimeout(ctx, readMax)
	defer cancel()
	_, err = p.fake.WaitFor(short, p.me, func(all []telegramfake.Sent) bool {
		for _, s := range all {
			if s.ID > after && wanted(s) {
				found, ok = s, true
			}
		}
		return ok
	})
	if short.Err() != nil && ctx.Err() == nil {
		err = nil
	}
	return found, ok, err
}

// insist says something until it is answered as wanted.
func (p *telephone) insist(ctx context.Context, text string, wanted func(s telegramfake.Sent) bool) (telegramfake.Sent, error) {
	ctx, cancel := context.WithTimeout(ctx, stepMax)
	defer cancel()
	for {
		after := p.last()
		p.fake.Say(p.me, text)
		if s, ok, err := p.reads(ctx, after, wanted); ok || err != nil {
			return s, err
		}
	}
}

func (p *telephone) greet(ctx context.Context) error {
	_, err := p.insist(ctx, "/start", func(s telegramfake.Sent) bool { return strings.Contains(s.Text, "返利") })
	return err
}

func (p *telephone) payee(ctx context.Context, account string) error {
	_, err := p.insist(ctx, "收款 "+account+" 张三", func(s telegramfake.Sent) bool { return strings.Contains(s.Text, "****") })
	return err
}

func (p *telephone) link(ctx context.Context, text, product string) (string, error) {
	url := ""
	_, err := p.insist(ctx, text, func(s telegramfake.Sent) bool {
		for _, b := range s.Flat() {
			if strings.HasPrefix(b.URL, p.base) && strings.Contains(s.Text, product) {
				url = b.URL
			}
		}
		return url != ""
	})
	return url, err
}

func (p *telephone) withdraw(ctx context.Context) error {
	s, err := p.insist(ctx, "提现", func(s telegramfake.Sent) bool { return strings.Contains(s.Text, "请核对") })
	if err != nil {
		return err
	}
	after := p.last()
	p.fake.Press(p.me, p.me, s.ID, 0)
	_, _, err = p.reads(ctx, after, func(s telegramfake.Sent) bool { return strings.Contains(s.Text, "已受理提现") })
	return err
}

func (p *telephone) told(ctx context.Context, text string, times int) error {
	n := 0
	_, err := p.fake.WaitFor(ctx, p.me, func(all []telegramfake.Sent) bool {
		n = 0
		for _, s := range all {
			if strings.Contains(s.Text, text) {
				n++
			}
		}
		return n >= times
	})
	if err != nil {
		return fmt.Errorf("%d were told: %w", n, err)
	}
	if err := p.fake.WaitQueued(ctx, 0); err != nil {
		return fmt.Errorf("%d updates are left: %w", p.fake.Queued(), err)
	}
	return nil
}
