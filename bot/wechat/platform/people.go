package platform

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/url"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/basic"

	"fanli/bot/tencent"
	"fanli/core/fault"
)

// The limits of tags, codes and files.
const (
	tagNameMax  = 30 // bytes
	taggingMax  = 50 // people in one call
	codeLifeMax = 30 * 24 * time.Hour
	sceneStrMax = 64
	imageMax    = 10 << 20
)

// A Tag is a group of followers.
type Tag struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Count int    `json:"count"` // who have it
}

// Tags returns all tags.
func (c *Client) Tags(ctx context.Context) ([]Tag, error) {
	var got struct {
		Tags []Tag `json:"tags"`
	}
	err := c.Call(ctx, tencent.Request{Op: "wechat.Tags", Path: "/cgi-bin/tags/get"}, &got)
	return got.Tags, err
}

// CreateTag makes a tag and returns its number. It fails with fault.Conflict if there is
// one of the name.
func (c *Client) CreateTag(ctx context.Context, name string) (int64, error) {
	var got struct {
		Tag Tag `json:"tag"`
	}
	err := c.Do(ctx, "wechat.CreateTag", "/cgi-bin/tags/create", map[string]any{"tag": map[string]string{"name": name}}, &got)
	return got.Tag.ID, err
}

// Tag puts a tag on people.
func (c *Client) Tag(ctx context.Context, tag int64, openids ...string) error {
	return c.tagging(ctx, "wechat.Tag", "/cgi-bin/tags/members/batchtagging", tag, openids)
}

// Untag takes a tag off people.
func (c *Client) Untag(ctx context.Context, tag int64, openids ...string) error {
	return c.tagging(ctx, "wechat.Untag", "/cgi-bin/tags/members/batchuntagging", tag, openids)
}

func (c *Client) tagging(ctx context.Context, op, path string, tag int64, openids []string) error {
	for len(openids) > 0 {
		n := min(len(openids), taggingMax)
		if err := c.Do(ctx, op, path, map[string]any{"openid_list": openids[:n], "tagid": tag}, nil); err != nil {
			return err
		}
		openids = openids[n:]
	}
	return nil
}

// A Code is a QR code that says by which way somebody came.
type Code struct {
	Ticket string
	URL    string // what the code says, for those who draw it themselves
	Until  time.Time
}

// QR makes a code for a scene of 1 to 64 bytes, which ends after ttl, at most 30 days.
func (c *Client) QR(ctx context.Context, scene string, ttl time.Duration) (Code, error) {
	const op = "wechat.QR"
	if n := len(scene); n < 1 || n > sceneStrMax || ttl < time.Second || ttl > codeLifeMax {
		return Code{}, fault.Newf(fault.Invalid, "", "%s: a scene of %d bytes for %v", op, n, ttl)
	}
	var got struct {
		Ticket  string `json:"ticket"`
		Expires int64  `json:"expire_seconds"`
		URL     string `json:"url"`
	}
	asked := c.Now()
	err := c.Do(ctx, op, "/cgi-bin/qrcode/create", basic.NewTmpQrRequest(ttl, scene), &got)
	if err == nil && (got.Ticket == "" || got.URL == "") {
		err = fault.Newf(fault.Unavailable, "", "%s: an answer without a code", op)
	}
	return Code{got.Ticket, got.URL, asked.Add(time.Duration(got.Expires) * time.Second)}, err
}

// PictureURL is where a code is shown; it needs no token.
func (c *Client) PictureURL(code Code) string {
	return c.cfg.pictures() + "/cgi-bin/showqrcode?ticket=" + url.QueryEscape(code.Ticket)
}

// A User is what WeChat says of a person; names and pictures it has not said since 2021.
type User struct {
	OpenID   string
	Follows  bool
	UnionID  string // "" unless the account belongs to an open platform
	Language string
	Since    time.Time
	Tags     []int64
	Scene    string // of the code by which they came
	Way      string // ADD_SCENE_QR_CODE and so on
}

// User returns a person. It fails with fault.NotFound for somebody the account has never
// met.
func (c *Client) User(ctx context.Context, openid string) (User, error) {
	var got struct {
		Subscribe int     `json:"subscribe"`
		OpenID    string  `json:"openid"`
		UnionID   string  `json:"unionid"`
		Language  string  `json:"language"`
		Since     int64   `json:"subscribe_time"`
		Tags      []int64 `json:"tagid_list"`
		Scene     string  `json:"qr_scene_str"`
		Way       string  `json:"subscribe_scene"`
	}
	err := c.Call(ctx, tencent.Request{Op: "wechat.User", Path: "/cgi-bin/user/info", Query: url.Values{"openid": {openid}, "lang": {"zh_CN"}}}, &got)
	if err != nil {
		return User{}, err
	}
	return User{
		OpenID: got.OpenID, Follows: got.Subscribe == 1, UnionID: got.UnionID, Language: got.Language, Since: time.Unix(got.Since, 0),
		Tags: got.Tags, Scene: got.Scene, Way: got.Way,
	}, nil
}

// UploadImage keeps a picture at WeChat for three days, and returns how to send it and
// until when. The name ends with the kind of picture: .png, .jpg or .gif.
func (c *Client) UploadImage(ctx context.Context, name string, image []byte) (media string, until time.Time, err error) {
	const op = "wechat.UploadImage"
	if len(image) > imageMax {
		return "", time.Time{}, &fault.Error{Code: fault.Invalid, Reason: TooLong, Op: op}
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("media", name)
	if err == nil {
		_, err = part.Write(image)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return "", time.Time{}, fault.Wrap(fault.Internal, op, err)
	}
	var got struct {
		ID string `json:"media_id"`
		At int64  `json:"created_at"`
	}
	err = c.Call(ctx, tencent.Request{
		Op: op, Path: "/cgi-bin/media/upload", Query: url.Values{"type": {"image"}}, Body: b.Bytes(), Kind: form.FormDataContentType(),
	}, &got)
	return got.ID, time.Unix(got.At, 0).Add(mediaLife), err
}

// mediaLife is how long WeChat keeps a picture.
const mediaLife = 3 * 24 * time.Hour
