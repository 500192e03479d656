package telegramfake

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// photoMax is how many bytes of a photo may be sent along.
const photoMax = 10 << 20

// photo is one that the server keeps.
type photo struct {
	size photoSize
	path string // under which it can be fetched; "" for one that never was here
	data []byte
}

// photoOf finds what is to be sent: a photo that was sent before, one that comes along,
// or the address of one.
func (s *Server) photoOf(name string, files map[string]file) (photo, *failure) {
	part, comes := strings.CutPrefix(name, attached)
	u, err := url.Parse(name)
	switch {
	case name == "":
		return photo{}, refuse("there is no photo in the request")
	case comes && len(files[part].data) == 0:
		return photo{}, refuse("file must be non-empty")
	case comes && len(files[part].data) > photoMax:
		return photo{}, refuse("file of size %d bytes is too big for a photo; the maximum size is %d bytes", len(files[part].data), photoMax)
	case comes:
		return s.keepPhoto(files[part].data), nil
	case err != nil || strings.Contains(name, "://") && u.Host == "":
		return photo{}, refuse("wrong HTTP URL specified")
	case strings.Contains(name, "://"):
		return s.keepPhoto(nil), nil
	}
	known, ok := s.photos[name]
	if !ok {
		return photo{}, refuse("wrong file identifier/HTTP URL specified")
	}
	return known, nil
}

// keepPhoto gives a photo an id.
func (s *Server) keepPhoto(data []byte) photo {
	s.lastID++
	id := strconv.FormatInt(s.lastID, 36)
	p := photo{size: photoSize{FileID: "AgAC" + id, UniqueID: id, Width: 320, Height: 320}, data: data}
	if data != nil {
		p.path = "photos/file_" + id + ".jpg"
	}
	s.photos[p.size.FileID] = p
	return p
}

func (s *Server) getFile(p Params) (any, *failure) {
	found, ok := s.photos[p["file_id"]]
	if !ok {
		return nil, refuse("invalid file_id")
	}
	return map[string]any{
		"file_id": found.size.FileID, "file_unique_id": found.size.UniqueID, "file_size": len(found.data), "file_path": found.path,
	}, nil
}

// serveFile answers /file/botTOKEN/PATH.
func (s *Server) serveFile(w http.ResponseWriter, path string) {
	token, name, ok := strings.Cut(strings.TrimPrefix(path, "/bot"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok && s.admit(token) == nil {
		for _, p := range s.photos {
			if p.path != "" && p.path == name {
				w.Header().Set("Content-Type", "application/octet-stream")
				_, _ = w.Write(p.data) // the caller has gone
				return
			}
		}
	}
	fail(w, &failure{code: http.StatusNotFound, text: "Not Found"})
}
