package callback_test

import (
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/util"

	"fanli/bot/callback"
)

// TestKeysThatAreNone: the library panics with a key that is none, and we do not.
func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	sealed := strings.Repeat("QUFB", 32)
	for _, key := range []string{"", "short", strings.Repeat("*", 43)} {
		k := callback.Keys{Token: "token", AESKey: key, Receiver: "wx1"}
		s := callback.Signed{Timestamp: "1", Nonce: "2", Message: util.Signature("token", "1", "2", sealed)}
		if _, err := k.Open(s, sealed); callback.ReasonOf(err) != callback.ErrUndecoded || k.Sound() {
			t.Errorf("%q: %v", key, err)
		}
	}
}
