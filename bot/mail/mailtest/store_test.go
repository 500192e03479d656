package mailtest_test

import (
	"testing"

	"fanli/bot/mail/mailtest"
	"fanli/core/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Posts(t, func(*testing.T) storetest.PostStore { return &mailtest.Store{} })
}
