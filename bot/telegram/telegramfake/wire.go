package telegramfake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// bodyBytesMax limits how much of a request is read: a photo and its caption.
const bodyBytesMax = 12 << 20

// tokenBytesMax is how long a token may be.
const tokenBytesMax = 80

// A failure is what the server says instead of a result.
type failure struct {
	code       int
	text       string
	retryAfter int   // seconds; 0 for none
	migrated   int64 // the group's new id; 0 for none
}

// refuse is a request that is wrong, in the server's manner.
func refuse(format string, args ...any) *failure {
	return &failure{code: http.StatusBadRequest, text: "Bad Request: " + fmt.Sprintf(format, args...)}
}

// forbid is a request that somebody else does not want.
func forbid(text string) *failure {
	return &failure{code: http.StatusForbidden, text: "Forbidden: " + text}
}

// answer writes a result or a failure.
func answer(w http.ResponseWriter, result any, f *failure) {
	if f != nil {
		fail(w, f)
		return
	}
	out := map[string]any{"ok": true, "result": result}
	if d, ok := result.(described); ok {
		out["result"], out["description"] = d.result, d.text
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // the caller has gone
}

// fail writes a failure.
func fail(w http.ResponseWriter, f *failure) {
	body := map[string]any{"ok": false, "error_code": f.code, "description": f.text}
	more := map[string]any{}
	if f.retryAfter > 0 {
		more["retry_after"] = f.retryAfter
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	if f.migrated != 0 {
		more["migrate_to_chat_id"] = f.migrated
	}
	if len(more) > 0 {
		body["parameters"] = more
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.code)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone
}

// Params are what a method was called with. Values that are not texts are JSON.
type Params map[string]string

// number reads a whole number; 0 if it is missing or none.
func (p Params) number(name string) int64 {
	n, _ := strconv.ParseInt(p[name], 10, 64)
	return n
}

// flag reads a truth value.
func (p Params) flag(name string) bool {
	v := strings.ToLower(p[name])
	return v == "true" || v == "1" || v == "yes"
}

// decode reads a JSON value; it reports false for a missing one, null and
// nonsense.
func (p Params) decode(name string, into any) bool {
	v := p[name]
	return v != "" && v != "null" && json.Unmarshal([]byte(v), into) == nil
}

// A file is one that came with a call.
type file struct {
	name string
	data []byte
}

// parameters collects what came in the query, as a form, in parts or as JSON.
func parameters(r *http.Request) (Params, map[string]file, error) {
	p := Params{}
	for k, v := range r.URL.Query() {
		p[k] = v[0]
	}
	if r.Method != http.MethodPost || r.Body == nil {
		return p, nil, nil
	}
	r.Body = http.MaxBytesReader(nil, r.Body, bodyBytesMax)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		return p, nil, p.fromJSON(r.Body)
	case "multipart/form-data":
		files, err := p.fromParts(r)
		return p, files, err
	default:
		if err := r.ParseForm(); err != nil {
			return nil, nil, err
		}
		for k, v := range r.PostForm {
			p[k] = v[0]
		}
		return p, nil, nil
	}
}

func (p Params) fromJSON(body io.Reader) error {
	var all map[string]json.RawMessage
	if err := json.NewDecoder(body).Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for k, v := range all {
		var s string
		if json.Unmarshal(v, &s) == nil {
			p[k] = s
			continue
		}
		p[k] = string(v)
	}
	return nil
}

// fromParts reads a form in parts. A file stands under the name of its part; a
// parameter "attach://NAME" means the part NAME.
func (p Params) fromParts(r *http.Request) (map[string]file, error) {
	if err := r.ParseMultipartForm(bodyBytesMax); err != nil { //nolint:gosec // the body is bounded above
		return nil, err
	}
	for k, v := range r.MultipartForm.Value {
		p[k] = v[0]
	}
	files := map[string]file{}
	for k, v := range r.MultipartForm.File {
		part, err := v[0].Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(part)
		_ = part.Close() // it is in memory
		if err != nil {
			return nil, err
		}
		files[k] = file{v[0].Filename, data}
		if p[k] == "" {
			p[k] = attached + k
		}
	}
	return files, nil
}

// attached stands before the name of a part.
const attached = "attach://"

// botID is the number before the colon of a token, 0 if it is malformed.
func botID(token string) int64 {
	id, secret, ok := strings.Cut(token, ":")
	n, err := strconv.ParseInt(id, 10, 64)
	if !ok || err != nil || n <= 0 || secret == "" || len(token) > tokenBytesMax {
		return 0
	}
	return n
}

// run calls a method.
func (s *Server) run(ctx context.Context, name string, p Params, files map[string]file) (any, *failure) {
	name = strings.ToLower(name)
	if name == "getupdates" {
		return s.getUpdates(ctx, p)
	}
	do, ok := map[string]func(Params) (any, *failure){
		"setmydescription":       s.setAbout("description", 512),
		"getmydescription":       s.getAbout("description"),
		"setmyshortdescription":  s.setAbout("short_description", 120),
		"getmyshortdescription":  s.getAbout("short_description"),
		"setchatmenubutton":      s.setMenuButton,
		"getchatmenubutton":      s.getMenuButton,
		"getchatadministrators":  s.getAdministrators,
		"getfile":                s.getFile,
		"getme":                  s.getMe,
		"sendmessage":            s.sendMessage,
		"sendphoto":              func(p Params) (any, *failure) { return s.sendPhoto(p, files) },
		"sendchataction":         s.sendChatAction,
		"editmessagetext":        s.editText,
		"editmessagecaption":     s.editCaption,
		"editmessagereplymarkup": s.editMarkup,
		"deletemessage":          s.deleteMessage,
		"answercallbackquery":    s.answerQuery,
		"setmycommands":          s.setCommands,
		"getmycommands":          s.getCommands,
		"deletemycommands":       s.deleteCommands,
		"setwebhook":             s.setWebhook,
		"deletewebhook":          s.deleteWebhook,
		"getwebhookinfo":         s.webhookInfo,
		"getchat":                s.getChat,
		"getchatmember":          s.getChatMember,
	}[name]
	if !ok {
		return nil, &failure{code: http.StatusNotFound, text: "Not Found: method not found"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.announce()
	return do(p)
}

func (s *Server) getMe(Params) (any, *failure) {
	return map[string]any{
		"id": s.me.ID, "is_bot": true, "first_name": s.me.FirstName, "username": s.me.Username,
		"can_join_groups": true, "can_read_all_group_messages": s.cfg.ReadsGroups, "supports_inline_queries": false,
	}, nil
}
