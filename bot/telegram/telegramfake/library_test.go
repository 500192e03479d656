package telegramfake_test

import (
	"net/http/httptest"
	"testing"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot/telegram/telegramfake"
)

// TestLibrary lets the widely used client talk to the server.
func TestLibrary(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	server := httptest.NewServer(s)
	defer server.Close()
	api, err := tgbotapi.NewBotAPIWithClient(s.Token(), server.URL+"/bot%s/%s", server.Client())
	if err != nil {
		t.Fatal(err)
	}
	if api.Self.UserName != "fanli_bot" || api.Self.ID != s.BotID() {
		t.Errorf("it is %+v", api.Self)
	}
	id := s.Say(ann, "看 /help https://x.example/1", telegramfake.Hiding("看", "https://y.example"), telegramfake.Forwarded("channel"))
	got, err := api.GetUpdates(tgbotapi.NewUpdate(0))
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	m := got[0].Message
	if m == nil || int64(m.MessageID) != id || len(m.Entities) != 3 || m.Entities[0].URL != "https://y.example" || m.ForwardFromChat == nil {
		t.Errorf("the update has %+v", m)
	}
	out := tgbotapi.NewPhoto(ann, tgbotapi.FileURL("https://x.example/a.jpg"))
	out.Caption, out.ReplyMarkup = "c", tgbotapi.NewInlineKeyboardMarkup([]tgbotapi.InlineKeyboardButton{tgbotapi.NewInlineKeyboardButtonData("a", "b")})
	sent, err := api.Send(out)
	if err != nil || len(sent.Photo) != 1 {
		t.Fatalf("%+v, %v", sent, err)
	}
	upload := tgbotapi.NewPhoto(ann, tgbotapi.FileBytes{Name: "a.jpg", Bytes: []byte("jpeg")})
	if _, err := api.Send(upload); err != nil {
		t.Errorf("an upload: %v", err)
	}
	q := s.Press(ann, ann, int64(sent.MessageID), 0)
	if _, err := api.Request(tgbotapi.NewCallbackWithAlert(q, "done")); err != nil {
		t.Error(err)
	}
	if toast, err := s.WaitAnswered(t.Context(), q); err != nil || toast != "done" {
		t.Errorf("the toast is %q, %v", toast, err)
	}
	if _, err := api.Request(tgbotapi.NewCallback(q, "")); err == nil {
		t.Error("a query was acknowledged twice")
	}
}
