package wechatfake

import (
	"bytes"
	"context"
	"image/jpeg"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"
)

// showPath is where the picture of a code is; the platform has it on another host.
const showPath = "/cgi-bin/showqrcode"

// A code is a parametric QR code.
type code struct {
	scene string
	url   string
	until time.Time // zero: for ever
}

// The limits of codes.
const (
	codeLifeMax     = 30 * 24 * time.Hour
	codeLifeDefault = time.Minute
	sceneIDMax      = 100_000 // of codes that last
	sceneStrMax     = 64
	codeSize        = 430 // pixels
)

func (s *Server) createCode(r *request) (any, *refusal) {
	var in struct {
		Expires int64  `json:"expire_seconds"`
		Action  string `json:"action_name"`
		Info    struct {
			Scene struct {
				ID  int64  `json:"scene_id"`
				Str string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	scene := in.Info.Scene
	c := &code{scene: scene.Str}
	lasts := strings.HasPrefix(in.Action, "QR_LIMIT_")
	switch in.Action {
	case "QR_SCENE", "QR_LIMIT_SCENE":
		if scene.ID < 1 || lasts && scene.ID > sceneIDMax {
			return nil, refuse(40053, "invalid action info")
		}
		c.scene = strconv.FormatInt(scene.ID, 10)
	case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
		if n := len(scene.Str); n < 1 || n > sceneStrMax {
			return nil, refuse(40053, "invalid action info")
		}
	default:
		return nil, refuse(40052, "invalid action name")
	}
	life := time.Duration(in.Expires) * time.Second
	switch {
	case life < 0 || life > codeLifeMax:
		return nil, refuse(40096, "invalid expire_seconds")
	case life == 0:
		life = codeLifeDefault
	}
	ticket := "gQH" + random(60) + "+/" + random(20) + "=="
	c.url = "http://weixin.qq.com/q/" + random(20)
	out := map[string]any{"ticket": ticket, "url": c.url}
	if !lasts {
		c.until = s.cfg.Now().Add(life)
		out["expire_seconds"] = int(life / time.Second)
	}
	s.codes[ticket] = c
	return out, nil
}

// ticket is that of a code for a scene, or of one that nobody knows.
func (s *Server) ticket(scene string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, c := range s.codes {
		if c.scene == scene {
			return t
		}
	}
	return "gQH" + random(85) + "=="
}

// ScanCode is somebody who scans a code that we had made, by its address. The outcome
// of one that there is not, or that has run out, is of no delivery.
func (s *Server) ScanCode(ctx context.Context, openid, address string) Outcome {
	s.mu.Lock()
	scene, now := "", s.cfg.Now()
	for _, c := range s.codes {
		if c.url == address && (c.until.IsZero() || now.Before(c.until)) {
			scene = c.scene
		}
	}
	s.mu.Unlock()
	if scene == "" {
		return Outcome{Why: "the code has run out"}
	}
	return s.Scan(ctx, openid, scene)
}

// ScanPicture is somebody who scans the picture of a code, by the address at which it is
// shown.
func (s *Server) ScanPicture(ctx context.Context, openid, address string) Outcome {
	u, err := url.Parse(address)
	if err != nil || u.Path != showPath {
		return Outcome{Why: "there is no picture of a code"}
	}
	s.mu.Lock()
	c := s.codes[u.Query().Get("ticket")]
	s.mu.Unlock()
	if c == nil {
		return Outcome{Why: "there is no such code"}
	}
	return s.ScanCode(ctx, openid, c.url)
}

// showCode answers the picture of a code.
func (s *Server) showCode(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c := s.codes[r.URL.Query().Get("ticket")]
	s.mu.Unlock()
	if c == nil {
		http.NotFound(w, r)
		return
	}
	code, err := qrcode.New(c.url, qrcode.Medium)
	var picture bytes.Buffer
	if err == nil {
		err = jpeg.Encode(&picture, code.Image(codeSize), nil)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "max-age=604800")
	w.Header().Set("Content-Type", "image/jpg") // as the platform writes it
	_, _ = w.Write(picture.Bytes())             // the caller has gone
}

// A medium is a file that was uploaded.
type medium struct {
	kind  string
	until time.Time
	data  []byte
}

// The limits of files, in bytes.
const mediaLife = 3 * 24 * time.Hour

var mediaMax = map[string]int{"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "thumb": 64 << 10}

// pictures are how files of pictures begin.
var pictures = []string{"\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF8", "BM"}

func (s *Server) upload(r *request) (any, *refusal) {
	kind := r.query.Get("type")
	limit, ok := mediaMax[kind]
	if !ok {
		return nil, refuse(40004, "invalid media type")
	}
	data, ok := filePart(r)
	switch {
	case !ok:
		return nil, refuse(41005, "media data missing")
	case len(data) > limit:
		return nil, refuse(40006, "invalid meida size") // the platform's own spelling
	case (kind == "image" || kind == "thumb") && !picture(data):
		return nil, refuse(40005, "invalid file type")
	}
	id := random(64)
	s.media[id] = medium{kind, s.cfg.Now().Add(mediaLife), data}
	return map[string]any{"type": kind, "media_id": id, "created_at": s.cfg.Now().Unix()}, nil
}

func picture(data []byte) bool {
	for _, p := range pictures {
		if bytes.HasPrefix(data, []byte(p)) {
			return true
		}
	}
	return false
}

// filePart returns the file of a form, which is called media and has a name.
func filePart(r *request) ([]byte, bool) {
	kind, p, err := mime.ParseMediaType(r.http.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, false
	}
	parts := multipart.NewReader(bytes.NewReader(r.body), p["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, false
		}
		if part.FormName() != "media" || part.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(part)
		return data, err == nil && len(data) > 0
	}
}

// Media returns a file that was uploaded.
func (s *Server) Media(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.media[id]
	return m.data, ok
}
