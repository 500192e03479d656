package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanli/bot/telegram"
	"fanli/configs"
)

// TestChannelsThatAreOff: the addresses of channels that are not configured are not there,
// neither for a look nor for a delivery.
func TestChannelsThatAreOff(t *testing.T) {
	t.Parallel()
	var none configs.Config
	s := &server{app: &app{cfg: none}, wechatPath: wechatPath(none), kfPath: kfPath(none)}
	for _, path := range []string{
		telegram.HookPath, none.Wechat.Callback() + "?signature=1&timestamp=2&nonce=3&echostr=4321",
		none.Wecom.Callback() + "?msg_signature=1&timestamp=2&nonce=3&echostr=4321", "/", "/api/messages", "/api/events",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, out := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}")), httptest.NewRecorder()
			r.Header.Set("X-Telegram-Bot-Api-Secret-Token", "")
			s.ServeHTTP(out, r)
			if out.Code != http.StatusNotFound || strings.Contains(out.Body.String(), "4321") {
				t.Errorf("%s %s is answered %d %q", method, path, out.Code, out.Body)
			}
		}
	}
}
