package event_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/event"
)

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

type content struct {
	Title  string    `json:"title"`
	Amount int64     `json:"amount"`
	At     time.Time `json:"at,omitzero"`
}

func TestAnEventCarriesItsContent(t *testing.T) {
	t.Parallel()
	e, err := event.New("order/jd/batch/184", event.OrderChanged, start, content{Title: "水壶 <5L>", Amount: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "order/jd/batch/184" || e.Name != "order.changed" || !e.At.Equal(start) {
		t.Errorf("%+v", e)
	}
	var back content
	if err := e.Decode(&back); err != nil || back != (content{Title: "水壶 <5L>", Amount: 1 << 60}) {
		t.Errorf("got %+v, %v", back, err)
	}
}

func TestWhateverIsSaidIsHeard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		said := content{
			Title: rapid.String().Draw(t, "title"), Amount: rapid.Int64().Draw(t, "amount"),
			At: start.Add(time.Duration(rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "at"))),
		}
		e, err := event.New("id", event.LinkMade, start, said)
		if err != nil {
			t.Fatal(err)
		}
		travelled, err := json.Marshal(e) // as between processes
		if err != nil {
			t.Fatal(err)
		}
		var arrived event.Event
		if err := json.Unmarshal(travelled, &arrived); err != nil {
			t.Fatal(err)
		}
		var heard content
		if err := arrived.Decode(&heard); err != nil {
			t.Fatal(err)
		}
		if heard.Title != strings.ToValidUTF8(said.Title, "\ufffd") || heard.Amount != said.Amount || !heard.At.Equal(said.At) || arrived.ID != e.ID || arrived.Name != e.Name {
			t.Fatalf("%+v became %+v in %+v", said, heard, arrived)
		}
	})
}

func TestWhatCannotBeSaidOrHeardNamesTheEvent(t *testing.T) {
	t.Parallel()
	_, err := event.New("id", event.LinkMade, start, make(chan int))
	if err == nil || !strings.Contains(err.Error(), "link.made") {
		t.Errorf("got %v", err)
	}
	for _, data := range []string{"", "{", "[]", `"text"`, `{"amount":1.5}`, `{"amount":"1"}`} {
		err := event.Event{ID: "order/7", Name: event.OrderChanged, Data: []byte(data)}.Decode(&content{})
		if err == nil || !strings.Contains(err.Error(), "order.changed order/7") {
			t.Errorf("%q: %v", data, err)
		}
	}
}
