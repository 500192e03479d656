package configs_test

import "testing"

// TestWebhooks refuses what cannot work.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	wantMistakes(t, "webhooks: {timeout: 2m, keep: 24h}\n", none,
		"line 1: webhooks.timeout: 2m0s is not between 100ms and 1m0s",
		"line 1: webhooks.keep: 24h0m0s is not between 168h0m0s and 9600h0m0s",
	)
}
