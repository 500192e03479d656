package telegram

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/cache"
	"fanli/core/fault"
)

// How photos travel.
const (
	fileIDLife  = 30 * 24 * time.Hour // an id is good for ever; addresses are not asked for that long
	pictureTime = 10 * time.Second    // for fetching one ourselves
	pictureMax  = 10 << 20            // bytes that Telegram takes
)

// WithCache keeps what Telegram calls photos that it has seen, so that it need not fetch
// them again.
func WithCache(kept cache.Cache) Option {
	return func(c *Channel) { c.files = kept }
}

// WithPictures fetches photos whose address Telegram cannot reach. Which addresses may
// be called is for fetch to say; addresses come from networks.
func WithPictures(fetch func(ctx context.Context, address string) ([]byte, error)) Option {
	return func(c *Channel) { c.fetch = fetch }
}

// A route is how a photo gets to Telegram.
type route int

// The routes, in the order in which they are tried.
const (
	byID     route = iota // Telegram has seen it
	byURL                 // Telegram fetches it
	byUpload              // we fetch it
)

func (c *Channel) fileKey(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "telegram/photo/" + c.cfg.bot() + "/" + hex.EncodeToString(sum[:])
}

// fileID returns what Telegram calls a photo; "" for one that is not known.
func (c *Channel) fileID(ctx context.Context, address string) string {
	if c.files == nil {
		return ""
	}
	id, _ := c.files.Get(ctx, c.fileKey(address))
	return string(id)
}

// postPhoto makes the call that sends a photo, by the route that p says, and returns the
// id of the message.
func (c *Channel) postPhoto(ctx context.Context, p *part, params tgbotapi.Params) (message int64, err error) {
	var sent sentMessage
	id := ""
	if p.route == byID {
		if id = c.fileID(ctx, p.photo); id == "" {
			p.route = byURL
		}
	}
	switch p.route {
	case byID:
		params["photo"] = id
		err = c.call(ctx, "sendPhoto", params, &sent)
	case byURL:
		params["photo"] = p.photo
		err = c.call(ctx, "sendPhoto", params, &sent)
	default:
		err = c.upload(ctx, "sendPhoto", params, tgbotapi.RequestFile{Name: "photo", Data: tgbotapi.FileBytes{Name: "photo.jpg", Bytes: p.bytes}}, &sent)
	}
	if n := len(sent.Photo); err == nil && n > 0 && p.route != byID && c.files != nil {
		c.files.Set(ctx, c.fileKey(p.photo), []byte(sent.Photo[n-1].FileID), fileIDLife)
	}
	return sent.ID, err
}

// elsewise chooses another route for a photo that Telegram does not take: the text
// without it is the last one.
func (c *Channel) elsewise(ctx context.Context, p *part, refused error) {
	switch p.route {
	case byID:
		p.route = byURL
		return
	case byURL:
		if b, ok := c.picture(ctx, p.photo); ok {
			p.route, p.bytes = byUpload, b
			return
		}
	case byUpload:
	}
	c.log.Info("Telegram does not take a photo; sending the text", "error", refused)
	p.photo, p.bytes = "", nil
}

// picture fetches a photo.
func (c *Channel) picture(ctx context.Context, address string) ([]byte, bool) {
	if c.fetch == nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	b, err := c.fetch(ctx, address)
	if err != nil {
		c.log.Info("a photo cannot be fetched", "error", c.redact(err.Error()))
		return nil, false
	}
	return b, len(b) <= pictureMax && strings.HasPrefix(http.DetectContentType(b), "image/")
}

// upload calls a method with a file and reads its result.
func (c *Channel) upload(ctx context.Context, method string, p tgbotapi.Params, f tgbotapi.RequestFile, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	d := &doer{ctx: ctx, client: c.http}
	api := &tgbotapi.BotAPI{Token: string(c.cfg.Token), Client: d}
	api.SetAPIEndpoint(c.cfg.Endpoint + "/bot%s/%s")
	resp, err := api.UploadFiles(method, p, []tgbotapi.RequestFile{f})
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(resp.Result)).Decode(into)
	}
	if err == nil {
		return nil
	}
	err = c.explain(ctx, "telegram."+method, err, d)
	return fault.In("telegram.upload", err)
}
