package telegramfake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fanli/bot/telegram/telegramfake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ann, bob = int64(1001), int64(1002)

// result is an answer of the server.
type result struct {
	status      int
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		Migrated   int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// call calls a method with a form.
func call(t *testing.T, s *telegramfake.Server, method string, params ...string) result {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	return do(t, s, "/bot"+s.Token()+"/"+method, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func do(t *testing.T, s *telegramfake.Server, path, kind string, body io.Reader) result {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out := result{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantFailure(t *testing.T, got result, code int, text string) {
	t.Helper()
	if got.OK || got.status != code || got.Code != code || got.Description != text {
		t.Errorf("answered %d %d %q, want %d %q", got.status, got.Code, got.Description, code, text)
	}
}

func updates(t *testing.T, r result) (ids []int64) {
	t.Helper()
	var list []struct {
		ID int64 `json:"update_id"`
	}
	if err := json.Unmarshal(r.Result, &list); err != nil {
		t.Fatalf("%v in %s", err, r.Result)
	}
	for _, u := range list {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	for _, tt := range []struct {
		path string
		code int
		text string
	}{
		{"/", 404, "Not Found"},
		{"/bot/getMe", 404, "Not Found"},
		{"/botnonsense/getMe", 401, "Unauthorized: invalid token specified"},
		{"/bot1:other/getMe", 401, "Unauthorized"},
		{"/bot" + s.Token() + "/fly", 404, "Not Found: method not found"},
	} {
		wantFailure(t, do(t, s, tt.path, "", nil), tt.code, tt.text)
	}
	if got := call(t, s, "GETME"); !got.OK || !strings.Contains(string(got.Result), `"username":"fanli_bot"`) {
		t.Errorf("getMe in capitals answered %+v", got)
	}
	s.Revoke()
	wantFailure(t, call(t, s, "getMe"), 401, "Unauthorized")
}

func TestWaysOfPassingParameters(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	path := "/bot" + s.Token() + "/sendMessage"
	var parts bytes.Buffer
	w := multipart.NewWriter(&parts)
	for k, v := range map[string]string{"chat_id": "1001", "text": "parts"} {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	do(t, s, path, w.FormDataContentType(), &parts)
	do(t, s, path, "application/json", strings.NewReader(`{"chat_id":1001,"text":"json","reply_markup":null}`))
	do(t, s, path+"?chat_id=1001&text=query", "", nil)
	call(t, s, "sendMessage", "chat_id", "1001", "text", "form", "entities", "null", "reply_markup", "null")
	var got []string
	for _, m := range s.Sent(ann) {
		got = append(got, m.Text)
	}
	if strings.Join(got, " ") != "parts json query form" {
		t.Errorf("ann sees %q", got)
	}
}

func TestUpdates(t *testing.T) {
	bubble := func(name string, story func(t *testing.T, s *telegramfake.Server)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { story(t, telegramfake.New(telegramfake.Config{})) })
		})
	}
	poll := func(t *testing.T, s *telegramfake.Server, params ...string) []int64 {
		t.Helper()
		return updates(t, call(t, s, "getUpdates", params...))
	}
	bubble("StayUntilTheyAreConfirmed", func(t *testing.T, s *telegramfake.Server) {
		s.Say(ann, "1")
		s.Say(ann, "2")
		first := poll(t, s)
		time.Sleep(time.Second)
		if again := poll(t, s); fmt.Sprint(again) != fmt.Sprint(first) || len(first) != 2 {
			t.Errorf("got %v, then %v", first, again)
		}
		if rest := poll(t, s, "offset", fmt.Sprint(first[1])); len(rest) != 1 || rest[0] != first[1] || s.Queued() != 1 {
			t.Errorf("after confirming the first: %v", rest)
		}
		if out := poll(t, s, "offset", fmt.Sprint(first[1]+1000)); len(out) != 1 {
			t.Errorf("an offset outside of the queue returned %v, want the head", out)
		}
	})
	bubble("NegativeOffsetForgetsAllButTheLast", func(t *testing.T, s *telegramfake.Server) {
		for range 5 {
			s.Say(ann, "x")
		}
		if got := poll(t, s, "offset", "-2"); len(got) != 2 || s.Queued() != 2 {
			t.Errorf("got %v", got)
		}
	})
	bubble("PollIsParkedAsLongAsAsked", func(t *testing.T, s *telegramfake.Server) {
		for asked, want := range map[string]time.Duration{"7": 7 * time.Second, "600": 50 * time.Second} {
			time.Sleep(time.Minute)
			began := time.Now()
			if got := poll(t, s, "timeout", asked); len(got) != 0 || time.Since(began) != want {
				t.Errorf("timeout %s: %v after %v, want nothing after %v", asked, got, time.Since(began), want)
			}
		}
	})
	bubble("ParkedPollIsWoken", func(t *testing.T, s *telegramfake.Server) {
		time.AfterFunc(3*time.Second, func() { s.Say(ann, "hi") })
		began := time.Now()
		if got := poll(t, s, "timeout", "50"); len(got) != 1 || time.Since(began) != 3*time.Second {
			t.Errorf("got %v after %v", got, time.Since(began))
		}
	})
	bubble("OlderPollLoses", func(t *testing.T, s *telegramfake.Server) {
		older := make(chan result, 1)
		go func() { older <- call(t, s, "getUpdates", "timeout", "50") }()
		synctest.Wait()
		newer := make(chan result, 1)
		go func() { newer <- call(t, s, "getUpdates", "timeout", "5") }()
		wantFailure(t, <-older, 409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
		if got := <-newer; !got.OK {
			t.Errorf("the newer poll: %+v", got)
		}
	})
	bubble("WhoLosesAgainAtOnceIsAnsweredLate", func(t *testing.T, s *telegramfake.Server) {
		began, ended := time.Now(), make(chan time.Duration, 3)
		for range 3 {
			go func() {
				call(t, s, "getUpdates", "timeout", "50")
				ended <- time.Since(began)
			}()
			synctest.Wait()
		}
		if first, second := <-ended, <-ended; first != 0 || second != 3*time.Second {
			t.Errorf("the first loser is answered after %v, the second after %v", first, second)
		}
		<-ended
	})
	bubble("WebhookForbidsPolling", func(t *testing.T, s *telegramfake.Server) {
		wantFailure(t, call(t, s, "setWebhook", "url", "http://x"), 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
		call(t, s, "setWebhook", "url", "https://x.example")
		wantFailure(t, call(t, s, "getUpdates"), 409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
		call(t, s, "deleteWebhook")
		if got := call(t, s, "getUpdates"); !got.OK {
			t.Errorf("after deleteWebhook: %+v", got)
		}
	})
	bubble("HurryIsPunished", func(t *testing.T, s *telegramfake.Server) {
		s.Say(ann, "1")
		s.Say(ann, "2")
		poll(t, s)
		if got := poll(t, s); len(got) != 1 {
			t.Errorf("the same offset at once returned %v, want one", got)
		}
		began := time.Now()
		last := poll(t, s, "offset", "-1")
		poll(t, s, "offset", fmt.Sprint(last[0]+1))
		poll(t, s, "offset", fmt.Sprint(last[0]+1))
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the same offset at once was parked %v, want 3s", took)
		}
	})
	bubble("AreForgottenAfterADay", func(t *testing.T, s *telegramfake.Server) {
		s.Say(ann, "1")
		time.Sleep(25 * time.Hour)
		if got := poll(t, s); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
	bubble("OfKindsThatNobodyAskedForAreNotQueued", func(t *testing.T, s *telegramfake.Server) {
		poll(t, s, "allowed_updates", `["message"]`)
		s.Block(ann)
		if s.Queued() != 0 {
			t.Error("my_chat_member is queued")
		}
		time.Sleep(time.Minute)
		poll(t, s, "allowed_updates", "null") // keeps the setting
		s.Block(ann)
		if s.Queued() != 0 {
			t.Error("null changed the setting")
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	s.Say(bob, "/start")
	s.Block(bob)
	s.Meet(telegramfake.Person{ID: 7, Name: "shy"})
	s.Group(-5, "out")
	s.ThrowOut(-5)
	button := func(b string) string { return `{"inline_keyboard":[[` + b + `]]}` }
	tests := []struct {
		name, method string
		params       []string
		code         int
		text         string
	}{
		{"UnknownChat", "sendMessage", []string{"chat_id", "99", "text", "x"}, 400, "Bad Request: chat not found"},
		{"NoChat", "sendMessage", []string{"text", "x"}, 400, "Bad Request: chat_id is empty"},
		{"Blocked", "sendMessage", []string{"chat_id", "1002", "text", "x"}, 403, "Forbidden: bot was blocked by the user"},
		{"NeverStarted", "sendMessage", []string{"chat_id", "7", "text", "x"}, 403, "Forbidden: bot can't initiate conversation with a user"},
		{"ThrownOut", "sendMessage", []string{"chat_id", "-5", "text", "x"}, 403, "Forbidden: bot was kicked from the group chat"},
		{"Empty", "sendMessage", []string{"chat_id", "1001"}, 400, "Bad Request: message text is empty"},
		{"Blank", "sendMessage", []string{"chat_id", "1001", "text", " \n "}, 400, "Bad Request: text must be non-empty"},
		{"BlankMarkup", "sendMessage", []string{"chat_id", "1001", "text", "<b> </b>", "parse_mode", "HTML"}, 400, "Bad Request: text must be non-empty"},
		{"TooLong", "sendMessage", []string{"chat_id", "1001", "text", strings.Repeat("长", 4097)}, 400, "Bad Request: message is too long"},
		{"TooManyBytes", "sendMessage", []string{"chat_id", "1001", "text", strings.Repeat("a", 32769)}, 400, "Bad Request: text is too long"},
		{"Mode", "sendMessage", []string{"chat_id", "1001", "text", "x", "parse_mode", "BBCode"}, 400, "Bad Request: unsupported parse_mode"},
		{"Caption", "sendPhoto", []string{"chat_id", "1001", "photo", "https://x.example/a", "caption", strings.Repeat("长", 1025)}, 400, "Bad Request: message caption is too long"},
		{"Photo", "sendPhoto", []string{"chat_id", "1001", "photo", "nonsense"}, 400, "Bad Request: wrong file identifier/HTTP URL specified"},
		{"Reply", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_parameters", `{"message_id":99}`}, 400, "Bad Request: message to be replied not found"},
		{"Topic", "sendMessage", []string{"chat_id", "1001", "text", "x", "message_thread_id", "3"}, 400, "Bad Request: message thread not found"},
		{"Data", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", button(`{"text":"a","callback_data":"` + strings.Repeat("a", 65) + `"}`)}, 400, "Bad Request: BUTTON_DATA_INVALID"},
		{"NoAction", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", button(`{"text":"a"}`)}, 400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		{"Address", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", button(`{"text":"a","url":"jd://x"}`)}, 400, "Bad Request: inline keyboard button URL 'jd://x' is invalid: Unsupported URL protocol"},
		{"KeysOfNoRows", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", `{"keyboard":["a"]}`}, 400, `Bad Request: field "keyboard" must be an Array of Arrays`},
		{"KeyOfNoKind", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", `{"keyboard":[[["a"]]]}`}, 400, "Bad Request: can't parse keyboard button: KeyboardButton must be a String or an Object"},
		{"KeyWithoutText", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", `{"keyboard":[[{"label":"a"}]]}`}, 400, `Bad Request: can't parse keyboard button: Can't find field "text"`},
		{"KeyOfANumber", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", `{"keyboard":[[{"text":1}]]}`}, 400, `Bad Request: can't parse keyboard button: Field "text" must be of type String`},
		{"KeyOfNothing", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", `{"keyboard":[["a",""]]}`}, 400, "Bad Request: keyboard button text must be non-empty"},
		{"KeysTooMany", "sendMessage", []string{"chat_id", "1001", "text", "x", "reply_markup", `{"keyboard":[["1","2","3","4","5","6","7","8","9"]]}`}, 400, "Bad Request: reply markup is too long"},
		{"Edit", "editMessageText", []string{"chat_id", "1001", "message_id", "99", "text", "x"}, 400, "Bad Request: message to edit not found"},
		{"EditOfAPerson", "editMessageText", []string{"chat_id", "1001", "message_id", "1", "text", "x"}, 400, "Bad Request: message can't be edited"},
		{"Delete", "deleteMessage", []string{"chat_id", "1001", "message_id", "99"}, 400, "Bad Request: message to delete not found"},
		{"Query", "answerCallbackQuery", []string{"callback_query_id", "9"}, 400, "Bad Request: query is too old and response timeout expired or query ID is invalid"},
		{"Command", "setMyCommands", []string{"commands", `[{"command":"Help","description":"x"}]`}, 400, "Bad Request: BOT_COMMAND_INVALID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantFailure(t, call(t, s, tt.method, tt.params...), tt.code, tt.text)
		})
	}
}

// TestKeys: keys stay below a chat until others come or they are taken away; with an edit
// none come, and a message that has brought some cannot be edited.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	send := func(markup string) {
		t.Helper()
		call(t, s, "sendMessage", "chat_id", "1001", "text", "x", "reply_markup", markup)
	}
	want := func(keys string) {
		t.Helper()
		if got := fmt.Sprint(s.Keys(ann)); got != keys {
			t.Errorf("there are the keys %s, want %s", got, keys)
		}
	}
	send(`{"keyboard":[["a",{"text":"b"}],["c"]],"is_persistent":true,"resize_keyboard":true}`)
	want("[[a b] [c]]")
	first := s.Sent(ann)[0]
	if fmt.Sprint(first.Keys) != "[[a b] [c]]" || first.Buttons != nil {
		t.Errorf("the message is %+v", first)
	}
	send(`{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}`)
	want("[[a b] [c]]")
	second := fmt.Sprint(s.Sent(ann)[1].ID)
	wantFailure(t, call(t, s, "editMessageText", "chat_id", "1001", "message_id", second, "text", "y", "reply_markup", `{"keyboard":[["d"]]}`), 400,
		"Bad Request: inline keyboard expected")
	wantFailure(t, call(t, s, "editMessageText", "chat_id", "1001", "message_id", fmt.Sprint(first.ID), "text", "y"), 400, "Bad Request: message can't be edited")
	send(`{"keyboard":[]}`)
	want("[[a b] [c]]")
	send(`{"remove_keyboard":true}`)
	want("[]")
}

func TestHTML(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	for _, tt := range []struct{ in, text, marks string }{
		{"a <b>b</b> &lt;c&gt; &amp; &quot;d&quot; &#65; &nbsp; &", `a b <c> & "d" A &nbsp; &`, "[{bold 2 1 }]"},
		{"😀<i>x</i>", "😀x", "[{italic 2 1 }]"},
		{`<a href="https://x.example/?a=1&amp;b=2">go</a>`, "go", "[{text_link 0 2 https://x.example/?a=1&b=2}]"},
		{"<b>a<i>b</i></b>", "ab", "[{bold 0 2 } {italic 1 1 }]"},
		{"  <b> x</b> \n", "x", "[{bold 0 1 }]"},
		{`<pre><code class="language-go">x</code></pre>`, "x", "[{pre 0 1 go}]"},
		{`<span class="tg-spoiler">s</span><CODE>c</code>`, "sc", "[{spoiler 0 1 } {code 1 1 }]"},
	} {
		if got := call(t, s, "sendMessage", "chat_id", "1001", "parse_mode", "html", "text", tt.in); !got.OK {
			t.Errorf("%q: %s", tt.in, got.Description)
			continue
		}
		all := s.Sent(ann)
		last := all[len(all)-1]
		if got := shown(last); last.Text != tt.text || got != tt.marks {
			t.Errorf("%q is seen as %q with %s, want %q with %s", tt.in, last.Text, got, tt.text, tt.marks)
		}
	}
	for in, want := range map[string]string{
		"a <x>":                 `Unsupported start tag "x" at byte offset 2`,
		"a <b":                  "Unclosed start tag at byte offset 2",
		"a <b>x":                `Can't find end tag corresponding to start tag "b"`,
		"a </b>":                "Unexpected end tag at byte offset 2",
		"<b>x</i>":              `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`,
		"<span>x</span>":        `Tag "span" must have class "tg-spoiler" at byte offset 0`,
		"1 < 2":                 `Unsupported start tag "" at byte offset 2`,
		`<a href="x>y</a>`:      "Unclosed start tag at byte offset 0",
		"<b>x</b":               "Unclosed end tag at byte offset 4",
		`<b>x</b><a ="1">y</a>`: `Empty attribute name in the tag "a" at byte offset 8`,
	} {
		wantFailure(t, call(t, s, "sendMessage", "chat_id", "1001", "parse_mode", "HTML", "text", in), 400, "Bad Request: can't parse entities: "+want)
	}
}

func TestMigration(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Group(-42, "Old")
	moved := s.Migrate(-42)
	got := call(t, s, "sendMessage", "chat_id", "-42", "text", "x")
	wantFailure(t, got, 400, "Bad Request: group chat was upgraded to a supergroup chat")
	if got.Parameters.Migrated != moved {
		t.Errorf("migrate_to_chat_id is %d, want %d", got.Parameters.Migrated, moved)
	}
}

func TestPrivacyMode(t *testing.T) {
	t.Parallel()
	for _, reads := range []bool{false, true} {
		s := telegramfake.New(telegramfake.Config{ReadsGroups: reads})
		s.Group(-42, "G")
		in := telegramfake.In(-42)
		for _, text := range []string{"/help", "/help@fanli_bot", "hi @fanli_bot"} {
			s.Say(ann, text, in)
		}
		call(t, s, "sendMessage", "chat_id", "-42", "text", "x")
		s.Say(ann, "yes", in, telegramfake.ReplyTo(s.Sent(-42)[0].ID))
		if s.Queued() != 4 {
			t.Errorf("%d updates of 4 that concern the bot", s.Queued())
		}
		for _, text := range []string{"talk", "/help@other_bot", "@other_bot"} {
			s.Say(ann, text, in)
		}
		if want := map[bool]int{false: 4, true: 7}[reads]; s.Queued() != want {
			t.Errorf("reading groups %v: %d updates, want %d", reads, s.Queued(), want)
		}
		s.Promote(-42, s.BotID())
		s.Meet(telegramfake.Person{ID: 77, Name: "another bot", Bot: true})
		before := s.Queued()
		s.Say(ann, "talk", in)
		s.Say(77, "/help", in)
		if got := s.Queued() - before; got != 1 {
			t.Errorf("an administrator gets %d updates, want that of ann and not that of a bot", got)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	s.Fail("sendMessage", 1, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 9", RetryAfter: 9})
	s.Fail("sendMessage", 1, telegramfake.Fault{HangUp: true, Late: true})
	wantFailure(t, call(t, s, "sendMessage", "chat_id", "1001", "text", "a"), 429, "Too Many Requests: retry after 9")
	server := httptest.NewServer(s)
	defer server.Close()
	_, err := http.PostForm(server.URL+"/bot"+s.Token()+"/sendMessage", url.Values{"chat_id": {"1001"}, "text": {"b"}})
	if err == nil {
		t.Error("the connection did not break")
	}
	if all := s.Sent(ann); len(all) != 1 || all[0].Text != "b" {
		t.Errorf("ann sees %+v, want what had its effect before the break", all)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Fail("getMe", 1, telegramfake.Fault{Stall: true})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/bot"+s.Token()+"/getMe", nil)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Millisecond, cancel)
	if _, err := s.Client().Do(r); err == nil {
		t.Error("a stalled call was answered")
	}
}
