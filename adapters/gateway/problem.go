package gateway

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/language"

	"fanli/core/fault"
)

// A Problem is what went wrong, as RFC 9457 has it.
type Problem struct {
	Type    string `json:"type" jsonschema:"Names the kind of problem: urn:fanli:problem: and the reason, or the code where there is no reason"`
	Title   string `json:"title" jsonschema:"The status in words"`
	Status  int    `json:"status" jsonschema:"The status of the answer"`
	Detail  string `json:"detail" jsonschema:"A sentence for people, in the language of Accept-Language"`
	Code    string `json:"code" jsonschema:"What a caller can do: invalid, not_found, conflict, denied, insufficient, limited, unavailable, unknown or internal"`
	Reason  string `json:"reason,omitempty" jsonschema:"A stable key of what is wrong, as withdraw.below_minimum"`
	Field   string `json:"field,omitempty" jsonschema:"The field, parameter or header that it is about"`
	Request string `json:"request_id" jsonschema:"The id under which the log says more"`
}

// A refusal is an error of the API itself.
type refusal struct {
	status int
	err    *fault.Error
	field  string
	wait   time.Duration
}

// Error implements error.
func (r *refusal) Error() string { return r.err.Error() }

// Unwrap returns what it is about.
func (r *refusal) Unwrap() error { return r.err }

// refuse makes a refusal. field names what it is about, "" for nothing.
func refuse(status int, reason, field string) error {
	code := fault.Invalid
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		code = fault.Denied
	case http.StatusNotFound:
		code = fault.NotFound
	case http.StatusConflict:
		code = fault.Conflict
	case http.StatusTooManyRequests:
		code = fault.Limited
	}
	return &refusal{status: status, err: fault.New(code, reason), field: field}
}

// statusOf is how HTTP says what an error means.
func statusOf(err error) int {
	if reason := fault.ReasonOf(err); reason == "access.key" || reason == "api.token" {
		return http.StatusUnauthorized
	}
	switch fault.CodeOf(err) {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict, fault.Insufficient:
		return http.StatusConflict
	case fault.Denied:
		return http.StatusForbidden
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Unknown:
		return http.StatusBadGateway
	default:
		return http.StatusInternalServerError
	}
}

// retryAfter is what a caller waits who was not told how long.
const retryAfter = 5 * time.Second

// problem answers with what went wrong. What is nobody's mistake goes to the log.
func (a *API) problem(w http.ResponseWriter, r *http.Request, err error) {
	p, wait := a.describe(r, err)
	h := w.Header()
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="fanli"`)
	}
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", seconds(wait))
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", languageOf(r))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the other side has gone: nobody to tell
}

// describe puts an error into the form in which it may leave.
func (a *API) describe(r *http.Request, err error) (p Problem, wait time.Duration) {
	status, wait, id := statusOf(err), retryAfter, RequestID(r.Context())
	var own *refusal
	if errors.As(err, &own) {
		status, p.Field = own.status, own.field
		wait = max(own.wait, time.Second)
	}
	level := slog.LevelDebug
	switch fault.CodeOf(err) {
	case fault.Internal, fault.Unknown:
		level = slog.LevelError
	case fault.Unavailable:
		level = slog.LevelWarn
	default: // an answer
	}
	a.o.Log.Log(r.Context(), level, "a request was not fulfilled", "request", id, "method", r.Method, "pattern", r.Pattern, "status", status, "error", err)
	p.Status, p.Title, p.Request = status, http.StatusText(status), id
	p.Code, p.Reason = string(fault.CodeOf(err)), fault.ReasonOf(err)
	p.Type = "urn:fanli:problem:" + p.Reason
	if p.Reason == "" {
		p.Type += p.Code
	}
	p.Detail = a.words(languageOf(r), id, err)
	return p, wait
}

// words puts an error into a sentence.
func (a *API) words(tag, id string, err error) string {
	if pair, ok := texts()[fault.ReasonOf(err)]; ok {
		if tag == "en" {
			return pair.en
		}
		return pair.zh
	}
	return a.o.Say(tag, id, err)
}

// languageOf is the language that a caller reads, of those that we speak.
func languageOf(r *http.Request) string {
	said := strings.Join(r.Header.Values("Accept-Language"), ",")
	if said == "" || len(said) > 500 {
		return "zh"
	}
	tags, _, err := language.ParseAcceptLanguage(said)
	if err != nil {
		return "zh"
	}
	spoken := []language.Tag{language.Chinese, language.English}
	if _, i, sure := language.NewMatcher(spoken).Match(tags...); sure != language.No && i == 1 {
		return "en"
	}
	return "zh"
}
