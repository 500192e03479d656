package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	qrcode "github.com/skip2/go-qrcode"

	"fanli/core/collect"
)

// codePath is below which codes are shown, each under a token.
const codePath = "/pay/code/"

// codeSize is the size of a code in pixels.
const codeSize = 320

// A codePage shows the code of a charge to whoever has its link.
type codePage struct {
	a    *app
	base string
	key  []byte
}

// codePage returns the page, or nil where nobody reaches it.
func (a *app) codePage() (*codePage, error) {
	if a.cfg.Collect.PageURL == "" {
		return nil, nil
	}
	seal, err := a.sealKey(filepath.Dir(databasePath(a.cfg)))
	if err != nil {
		return nil, err
	}
	key := hmac.New(sha256.New, seal)
	key.Write([]byte("links to codes"))
	return &codePage{a, strings.TrimSuffix(a.cfg.Collect.PageURL, "/"), key.Sum(nil)}, nil
}

// token names a charge so that nobody else can.
func (p *codePage) token(id int64) string {
	m := hmac.New(sha256.New, p.key)
	n := strconv.FormatInt(id, 10)
	m.Write([]byte(n))
	return n + "-" + hex.EncodeToString(m.Sum(nil)[:16])
}

// link is where the code of a charge is shown, and picture the code alone.
func (p *codePage) link(id int64) string    { return p.base + codePath + p.token(id) }
func (p *codePage) picture(id int64) string { return p.link(id) + ".png" }

// codeHTML says little: what is paid stands in the app that scans it.
var codeHTML = template.Must(template.New("code").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>付款 · Pay</title></head>
<body style="font-family:system-ui,sans-serif;text-align:center;margin:2rem auto;max-width:22rem">
{{if .Image}}<h1>{{.Amount}}</h1><p>{{.Subject}}</p><img src="{{.Image}}" width="280" height="280" alt="付款码 · code to scan">
<p>用手机扫一扫付款，付完回到聊天。<br><small lang="en">Scan it to pay, then return to the chat.</small></p>
{{else}}<h1>{{.Zh}}</h1><p lang="en">{{.En}}</p>{{end}}
</body></html>`))

// ServeHTTP shows a code, as a page or as a picture alone.
func (p *codePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, picture := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, codePath), ".png")
	number, _, _ := strings.Cut(token, "-")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !hmac.Equal([]byte(token), []byte(p.token(id))) {
		http.NotFound(w, r)
		return
	}
	d, err := p.a.dues.Store.Due(r.Context(), id)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	open := d.Stage == collect.Asked && p.a.now().Before(d.Expires)
	var png []byte
	if open {
		if png, err = qrcode.Encode(d.Code, qrcode.Medium, codeSize); err != nil {
			http.Error(w, "no code", http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	switch {
	case picture && !open:
		http.NotFound(w, r)
		return
	case picture:
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(png)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	said := map[string]any{"Amount": d.Amount.Yuan(), "Subject": d.Subject, "Zh": "这笔已经失效", "En": "This is not valid any more."}
	switch {
	case open:
		said["Image"] = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)) //nolint:gosec // a picture that we have drawn
	case d.Stage.Taken():
		said["Zh"], said["En"] = "已经付款", "It is paid."
	}
	_ = codeHTML.Execute(w, said) // the other side has gone: nobody to tell
}
