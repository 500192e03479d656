package collecttest_test

import (
	"testing"

	"fanli/core/collect/collecttest"
	"fanli/core/event"
	"fanli/core/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Collections(t, func(*testing.T) storetest.CollectionStore {
		m := collecttest.NewMemory()
		return storetest.CollectionStore{Store: m, Reader: m.Reader(), Heard: func(*testing.T) []event.Event { return m.Heard() }}
	})
}
