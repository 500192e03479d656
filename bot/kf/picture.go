package kf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"fanli/bot"
	"fanli/bot/kf/platform"
	"fanli/bot/plaintext"
	"fanli/core/fault"
)

// How pictures travel.
const (
	mediaKept   = 2 * 24 * time.Hour // WeCom keeps them for three days
	pictureTime = 3 * time.Second    // for fetching one and handing it on: the answer waits for it
	pictureMin  = 5                  // bytes that WeCom takes for a picture
	pictureMax  = 10 << 20
)

// roomForExtra is what must be allowed for a message more to go with an answer that says
// nothing that the answer does not: notices, and answers to what was written at the same time,
// need some of it, too.
const roomForExtra = 4

// cardRows is how many rows of a card stand below its title, the last ones.
const cardRows = 3

// cardOf makes a card with a picture of a reply that is about one product; nil for others.
func cardOf(r bot.Reply) *platform.Card {
	if r.Text != "" || len(r.Cards) == 0 || len(r.Cards) > 1 && r.Cards[1].Image != "" {
		return nil
	}
	c := r.Cards[0]
	address := ""
	for _, b := range c.Buttons {
		if b.URL == "" {
			continue
		}
		if address != "" {
			return nil
		}
		if address = b.URL; plaintext.Blocked(address) {
			address = b.Page
		}
	}
	if !strings.HasPrefix(c.Image, "https://") || strings.HasSuffix(c.Image, ".svg") || address == "" || c.Title == "" {
		return nil
	}
	var rows []string
	for _, row := range c.Rows[max(0, len(c.Rows)-cardRows):] {
		rows = append(rows, plaintext.Row(row))
	}
	return &platform.Card{
		Title: cut(plaintext.Clean(c.Title), platform.TitleMax), Text: cut(strings.Join(rows, "\n"), platform.DescMax), URL: address, Image: c.Image,
	}
}

// extend adds to an answer of one message what makes it easier to use, where there is room for
// it: a 口令 as a message of its own after it, since a long press copies a whole message; or
// else, before it, a card with a picture. Not both: the page of what has a 口令 shows the
// picture.
func (c *Channel) extend(r bot.Reply, parts []platform.Part, room int) []platform.Part {
	if len(parts) != 1 || room < roomForExtra {
		return parts
	}
	if text := plaintext.ToCopy(r); text != "" && len(text) <= platform.TextMax {
		return append(parts, platform.Part{Text: text, Copy: true})
	}
	if c.opts.Fetch == nil {
		return parts
	}
	card := cardOf(r)
	if card == nil {
		return parts
	}
	return append([]platform.Part{{Card: card}}, parts...)
}

// picture returns what WeCom calls a picture, which it is handed if it has not seen it.
func (c *Channel) picture(ctx context.Context, address string) (media string, err error) {
	sum := sha256.Sum256([]byte(address))
	key := "kf/media/" + c.opts.CorpID + "/" + hex.EncodeToString(sum[:])
	if c.opts.Cache != nil {
		if id, ok := c.opts.Cache.Get(ctx, key); ok {
			return string(id), nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	b, err := c.opts.Fetch(ctx, address)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, "kf.picture", err)
	}
	name := map[string]string{"image/jpeg": "1.jpg", "image/png": "1.png"}[http.DetectContentType(b)]
	if name == "" || len(b) <= pictureMin || len(b) > pictureMax {
		return "", fault.Newf(fault.Invalid, "", "no picture that WeCom takes, of %d bytes", len(b))
	}
	if media, err = c.opts.Platform.Upload(ctx, name, b); err == nil && c.opts.Cache != nil {
		c.opts.Cache.Set(ctx, key, []byte(media), mediaKept)
	}
	return media, err
}

// card sends a card with a picture. One whose picture can't be had is left out: the answer
// below says the same.
func (c *Channel) card(ctx context.Context, who, key string, card platform.Card) error {
	media, err := c.picture(ctx, card.Image)
	if err == nil {
		if err = c.opts.Platform.PostCard(ctx, who, key, card, media); !fault.Is(err, fault.Invalid) {
			return err
		}
	}
	if ctx.Err() != nil {
		return fault.Wrap(fault.Unavailable, "kf.card", ctx.Err())
	}
	c.log.Debug("a picture is left out", "error", err)
	c.opts.Count("picture", "left_out")
	c.giveBack(ctx, who)
	return nil
}
