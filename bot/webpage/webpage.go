// Package webpage has what pages of our own share that people open outside of a chat: in
// which language a page is, and how it is written.
package webpage

import (
	"bytes"
	"html/template"
	"net/http"

	"golang.org/x/text/language"
)

// Choose returns which of a page's languages counts: the wanted one, or else the one that a
// browser's Accept-Language asks for; the first where it asks for none of them.
func Choose(tags []string, wanted, accept string) int {
	ours := make([]language.Tag, len(tags))
	for i, tag := range tags {
		if tag == wanted {
			return i
		}
		ours[i] = language.MustParse(tag)
	}
	asked, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(asked) == 0 {
		return 0
	}
	_, i, confidence := language.NewMatcher(ours).Match(asked...)
	if confidence == language.No {
		return 0
	}
	return i
}

// Write answers with a page in one language, all of it or an error of the server, which it
// returns.
func Write(w http.ResponseWriter, page *template.Template, view any, tag string, status int) error {
	var text bytes.Buffer
	if err := page.Execute(&text, view); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", tag)
	w.Header().Set("Vary", "Accept-Language, User-Agent")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // the other side has gone: nobody to tell
	return nil
}
