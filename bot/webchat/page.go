package webchat

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"path"
)

//go:embed assets
var assets embed.FS

// A page is the one document, rendered once, and what it loads. The assets stand
// under a folder named after their content, so browsers may keep them for ever
// and a new version is seen at once.
type page struct {
	html    []byte
	version string
	files   map[string][]byte
}

// settings is what the page's script is told.
type settings struct {
	Title    string    `json:"title"`
	Shop     string    `json:"shop,omitempty"`
	Control  string    `json:"control,omitempty"`
	TextMax  int       `json:"textMax"`
	Beat     int64     `json:"beat"` // milliseconds between two pings
	Examples []example `json:"examples,omitempty"`
}

type example struct {
	Zh   string `json:"zh"`
	En   string `json:"en"`
	Text string `json:"text"`
}

func newPage(o Options) (*page, error) {
	p := &page{files: map[string][]byte{}}
	names, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return nil, err
	}
	all := sha256.New()
	for _, n := range names {
		b, err := assets.ReadFile("assets/" + n.Name())
		if err != nil {
			return nil, err
		}
		p.files[n.Name()] = b
		all.Write([]byte(n.Name() + "\n"))
		all.Write(b)
	}
	p.version = hex.EncodeToString(all.Sum(nil)[:8])
	s := settings{Title: o.Title, Shop: o.ShopURL, Control: o.ControlURL, TextMax: textRunesMax, Beat: o.Heartbeat.Milliseconds()}
	for _, e := range o.Examples {
		en := e.English
		if en == "" {
			en = e.Label
		}
		s.Examples = append(s.Examples, example{e.Label, en, e.Text})
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	t, err := template.New("index").Parse(string(p.files["index.html"]))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Title": o.Title, "Version": p.version, "Settings": string(text), "Shop": o.ShopURL, "Control": o.ControlURL,
	})
	p.html = b.Bytes()
	delete(p.files, "index.html")
	return p, err
}

// kinds are the media types of assets; a machine's own table may be odd.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func (p *page) serveAsset(w http.ResponseWriter, r *http.Request) {
	b, ok := p.files[r.PathValue("name")]
	if !ok || r.PathValue("version") != p.version {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kinds[path.Ext(r.PathValue("name"))])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(b)
}
