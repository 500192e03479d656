package grouprobot_test

import (
	"bytes"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fanli/adapters/grouprobot"
	"fanli/adapters/grouprobot/grouprobotfake"
	"fanli/core/fault"
)

// open returns a robot, its fake WeCom, and what moves the clock.
func open(t *testing.T, key string) (*grouprobot.Robot, *grouprobotfake.Fake, func(time.Duration)) {
	t.Helper()
	f := &grouprobotfake.Fake{Key: "k-secret"}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	now := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	r, err := grouprobot.New(s.URL+"/cgi-bin/webhook/send?key="+key, s.Client(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return r, f, func(d time.Duration) { now = now.Add(d) }
}

func TestARobotSays(t *testing.T) {
	t.Parallel()
	r, f, _ := open(t, "k-secret")
	for _, err := range []error{
		r.Text(t.Context(), strings.Repeat("长", 2000)), r.Markdown(t.Context(), strings.Repeat("长", 2000)), r.Image(t.Context(), []byte("png")),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	heard := f.Heard()
	if len(heard) != 3 || len(heard[0].Content) > 2048 || len(heard[1].Content) > 4096 || !bytes.Equal(heard[2].Image, []byte("png")) {
		t.Fatalf("WeCom has heard %d messages", len(heard))
	}
	for _, h := range heard[:2] {
		if !utf8.ValidString(h.Content) || !strings.HasSuffix(h.Content, "…") {
			t.Errorf("a long text ends with %q", h.Content[len(h.Content)-6:])
		}
	}
}

func TestWhatWeComRefusesIsAnError(t *testing.T) {
	t.Parallel()
	r, f, pass := open(t, "k-secret")
	for code, want := range map[int]fault.Code{-1: fault.Unavailable, 45009: fault.Limited, 45011: fault.Limited, 40058: fault.Invalid} {
		f.Fail(code)
		pass(time.Minute)
		if err := r.Text(t.Context(), "x"); !fault.Is(err, want) {
			t.Errorf("errcode %d: %v, want %s", code, err, want)
		}
	}
	if err := r.Image(t.Context(), make([]byte, 3<<20)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a picture of 3 MB: %v", err)
	}
	other, _, _ := open(t, "k-other")
	err := other.Text(t.Context(), "x")
	if !fault.Is(err, fault.Denied) || strings.Contains(err.Error(), "k-other") {
		t.Errorf("a wrong key: %v", err)
	}
	if len(f.Heard()) != 0 {
		t.Error("something was taken")
	}
}

// Whoever has always something to say says no more than twenty in any minute.
func TestTwentyMessagesAMinute(t *testing.T) {
	t.Parallel()
	r, f, pass := open(t, "k-secret")
	var left []time.Duration // when each left
	for at := time.Duration(0); at < 3*time.Minute; {
		err := r.Text(t.Context(), "x")
		wait := fault.RetryAfter(err)
		switch {
		case err == nil:
			left = append(left, at)
		case !fault.Is(err, fault.Limited) || wait <= 0 || wait > 4*time.Second:
			t.Fatalf("after %d messages: %v, after %v", len(left), err, wait)
		}
		pass(wait)
		at += wait
	}
	if n := len(left); n < 50 || len(f.Heard()) != n || left[2] != 0 || left[3] == 0 {
		t.Errorf("%d messages leave, %d are heard, the first at %v", n, len(f.Heard()), left[:min(4, n)])
	}
	for i := 20; i < len(left); i++ {
		if d := left[i] - left[i-20]; d < time.Minute {
			t.Errorf("twenty-one messages leave in %v, from the %dth on", d, i-19)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("长", 300) // 900 bytes
	for text, want := range map[string][]string{
		"short": {"short"}, "": {""},
		line + "\n" + line + "\n" + line:     {line + "\n" + line, line},
		strings.Repeat("长", 683) + "\nshort": {strings.Repeat("长", 682), "长\nshort"},
	} {
		if got := grouprobot.Pages(text); !slices.Equal(got, want) {
			t.Errorf("%d bytes become %d pages, want %d", len(text), len(got), len(want))
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0000": true, "http://127.0.0.1:1/cgi-bin/webhook/send?key=x": true,
		"http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0000": false, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send": false, "": false, "x": false,
	} {
		if err := grouprobot.CheckURL(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}
