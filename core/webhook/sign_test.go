package webhook_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/webhook"
)

// TestSignatureOfTheStandard: the example that implementations of the standard are
// tested with.
func TestSignatureOfTheStandard(t *testing.T) {
	t.Parallel()
	timestamp, signature, err := webhook.Sign([]webhook.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if timestamp != "1614265330" || signature != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || err != nil {
		t.Errorf("%s %s %v", timestamp, signature, err)
	}
}

func TestWhatAReceiverBelieves(t *testing.T) {
	t.Parallel()
	secret, old, body := webhook.NewSecret(), webhook.NewSecret(), []byte(`{"id":"msg_1"}`)
	timestamp, signature, err := webhook.Sign([]webhook.Secret{secret, old}, "msg_1", start, body)
	must(t, err)
	tests := []struct {
		name                     string
		secret                   webhook.Secret
		id, timestamp, signature string
		body                     string
		late                     time.Duration
		ok                       bool
	}{
		{"as it was sent", secret, "msg_1", timestamp, signature, string(body), 0, true},
		{"by the old secret", old, "msg_1", timestamp, signature, string(body), 0, true},
		{"five minutes late", secret, "msg_1", timestamp, signature, string(body), 5 * time.Minute, true},
		{"later", secret, "msg_1", timestamp, signature, string(body), 5*time.Minute + time.Second, false},
		{"from the future", secret, "msg_1", timestamp, signature, string(body), -5*time.Minute - time.Second, false},
		{"another id", secret, "msg_2", timestamp, signature, string(body), 0, false},
		{"another time", secret, "msg_1", fmt.Sprint(start.Unix() + 1), signature, string(body), 0, false},
		{"no time", secret, "msg_1", "now", signature, string(body), 0, false},
		{"another body", secret, "msg_1", timestamp, signature, string(body) + " ", 0, false},
		{"no signature", secret, "msg_1", timestamp, "", string(body), 0, false},
		{"of another version", secret, "msg_1", timestamp, strings.ReplaceAll(signature, "v1,", "v1a,"), string(body), 0, false},
		{"another secret", webhook.NewSecret(), "msg_1", timestamp, signature, string(body), 0, false},
	}
	for _, tt := range tests {
		err := webhook.Verify(tt.secret, tt.id, tt.timestamp, tt.signature, []byte(tt.body), start.Add(tt.late))
		if (err == nil) != tt.ok || err != nil && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := webhook.Verify("whsec_", "msg_1", timestamp, signature, body, start); !fault.Is(err, fault.Internal) {
		t.Errorf("an empty secret: %v", err)
	}
}

func TestSecretsDoNotShowThemselves(t *testing.T) {
	t.Parallel()
	s := webhook.NewSecret()
	var log strings.Builder
	h := webhook.Hook{Name: "a", URL: "https://a.example/token", Secret: s}
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "hook", h)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", s, h, h, s), log.String()} {
		if strings.Contains(text, s.Reveal()) {
			t.Errorf("it shows in %s", text)
		}
	}
	if strings.Contains(log.String(), "token") || len(s.Reveal()) != len("whsec_")+44 {
		t.Errorf("%s; %d", log.String(), len(s.Reveal()))
	}
}
