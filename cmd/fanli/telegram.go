package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/webhook"
	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/configs"
)

// How pictures of goods are fetched that Telegram cannot.
const (
	pictureBytesMax = 10 << 20
	pictureTimeout  = 10 * time.Second
)

// openTelegram makes the channel to Telegram.
func (s *server) openTelegram(cfg configs.Config) (*telegram.Channel, error) {
	off := commandsOff(cfg)
	opts := []telegram.Option{
		telegram.WithCommands(telegramMenu(bot.Menu("zh", off...), bot.Menu("en", off...))...),
		telegram.WithGroupCommands(telegramMenu(bot.GroupMenu("zh"), bot.GroupMenu("en"))...), telegram.WithAdminCommands(staffMenu), telegram.WithAbout(aboutIn("zh"), aboutIn("en")), s.app.telegramLeases(), telegram.WithZone(cfg.Location()),
		telegram.WithPictures(publicPictures()), telegram.WithCount(func(what string) { s.app.obs.Channel(telegram.Name, "delivered", what) }),
	}
	if s.app.kept.redis != nil {
		opts = append(opts, telegram.WithCache(s.app.kept.redis))
	} else {
		opts = append(opts, telegram.WithCache(cache.NewMemory(time.Now)))
	}
	t, err := telegram.New(cfg.Telegram, s.app.mail, s.app.db.Memory(), s.app.log, opts...)
	if err != nil {
		return nil, err
	}
	s.app.bot.PrivateURL = func(channel, word string) string {
		if channel != t.Name() {
			return ""
		}
		return t.PrivateURL(word)
	}
	s.app.inTelegram(t)
	s.telegram = t
	return t, nil
}

// telegramMenu makes a menu of commands, which are the same in both languages.
func telegramMenu(zh, en []bot.Command) (menu []telegram.Command) {
	for i := range zh {
		menu = append(menu, telegram.Command{Name: zh[i].Name, Zh: zh[i].Help, En: en[i].Help})
	}
	return menu
}

// aboutIn is what people read about the bot in a language.
func aboutIn(tag string) telegram.About {
	long, short := bot.About(tag)
	return telegram.About{Description: long, Short: short}
}

// publicPictures fetches pictures of the internet at large: addresses come from
// networks, and must not lead to what only we can reach.
func publicPictures() func(ctx context.Context, address string) ([]byte, error) {
	d := &net.Dialer{Timeout: pictureTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err != nil || !webhook.Public(to.Addr()) {
			return fmt.Errorf("%s is a private address", address)
		}
		return nil
	}}
	client := &http.Client{
		Timeout:       pictureTimeout,
		Transport:     &http.Transport{DialContext: d.DialContext, TLSHandshakeTimeout: pictureTimeout, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, address string) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("status %d", resp.StatusCode)
		}
		return io.ReadAll(io.LimitReader(resp.Body, pictureBytesMax+1))
	}
}
