package feedtest

import (
	"fmt"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

func scenesAreFixed(w *world) {
	scenes := w.Feed.Scenes()
	if len(scenes) == 0 {
		w.t.Fatal("the feed has no scene")
	}
	if again := w.Feed.Scenes(); fmt.Sprint(again) != fmt.Sprint(scenes) {
		w.t.Errorf("Scenes() = %v, then %v", scenes, again)
	}
	if w.Feed.Network() == "" || w.Feed.Account() == "" {
		w.t.Errorf("Network, Account = %q, %q, want both", w.Feed.Network(), w.Feed.Account())
	}
	seen := map[string]bool{}
	for _, sc := range scenes {
		if sc.Name == "" || seen[sc.Name] {
			w.t.Errorf("scene name %q is empty or there twice", sc.Name)
		}
		seen[sc.Name] = true
		if sc.Window < time.Minute || sc.Keeps < sc.Window || sc.Delay < 0 {
			w.t.Errorf("scene %s: Window %s, Keeps %s, Delay %s make no sense", sc.Name, sc.Window, sc.Keeps, sc.Delay)
		}
	}
}

// tagComesBack buys through two tags and reads each from its own line.
func tagComesBack(w *world) {
	for range 2 {
		l := w.buy(w.goods(0).ID, 1)
		w.do(w.Market.Pay(l.ID))
		w.tick()
		r := w.see(l.ID)[order.Whole]
		if tagged, slotted := r.Tag == w.tag(), w.Slot != "" && r.Slot == w.Slot; !tagged && !slotted {
			w.t.Errorf("Tag, Slot = %q, %q, want %q or %q", r.Tag, r.Slot, w.tag(), w.Slot)
		}
	}
}

// itemsAreTold buys two goods: lines of the same goods share their Item, lines
// of different goods do not.
func itemsAreTold(w *world) {
	items := map[string]string{} // Item by goods
	for _, n := range []int{0, 1, 0} {
		l := w.buy(w.goods(n).ID, 1)
		w.do(w.Market.Pay(l.ID))
		w.tick()
		item := w.see(l.ID)[order.Whole].Item
		if old, ok := items[l.Goods.ID]; ok && old != item {
			w.t.Errorf("Item of goods %s = %q, then %q", l.Goods.ID, old, item)
		}
		items[l.Goods.ID] = item
	}
	if a, b := items[w.goods(0).ID], items[w.goods(1).ID]; a == b {
		w.t.Errorf("two goods share the Item %q", a)
	}
}

// scenesAgree compares the revisions of one line in all scenes: with the same
// aspect and Modified they say the same.
func scenesAgree(w *world) {
	l := w.buy(w.goods(0).ID, 2)
	w.do(w.Market.Pay(l.ID))
	w.do(w.Market.Receive(l.ID))
	w.do(w.Market.Settle(l.ID))
	w.tick()
	w.do(w.Market.Refund(l.ID, l.Price.Mul(1, 2)))
	w.tick()
	first := map[string]order.Revision{}
	for _, sc := range w.Feed.Scenes() {
		for _, r := range w.read(sc, w.began, w.now()) {
			k := string(r.Aspect) + r.Modified.UTC().String()
			if old, ok := first[k]; ok && !same(old, r) {
				w.t.Errorf("scene %s says\n%+v\nand another scene\n%+v", sc.Name, bare(r), bare(old))
			}
			first[k] = r
		}
	}
	if len(first) == 0 {
		w.t.Error("no scene tells of the line")
	}
}

func emptyWindow(w *world) {
	w.Advance(time.Hour)
	for _, sc := range w.Feed.Scenes() {
		to := w.now()
		revs, bad, err := All(w.t.Context(), w.Feed, window(sc, to.Add(-time.Minute), to))
		if err != nil || len(revs) != 0 || len(bad) != 0 {
			w.t.Errorf("%s: %d rows, %d bad, %v; want nothing and no error", sc.Name, len(revs), len(bad), err)
		}
	}
}

// windowIsClosed looks at a line, all of whose times are one instant, through
// windows that begin and end there.
func windowIsClosed(w *world) {
	l := w.buy(w.goods(0).ID, 1)
	w.do(w.Market.Pay(l.ID))
	at := w.line(l.ID).Modified.Truncate(time.Second)
	w.tick()
	w.tick()
	in := map[string]bool{}
	for _, sc := range w.Feed.Scenes() {
		if ids(w.read(sc, at.Add(-time.Minute), at))[l.ID] {
			w.t.Errorf("%s: the window that ends at a row's time holds the row", sc.Name)
		}
		if ids(w.read(sc, at.Add(time.Second), at.Add(time.Minute)))[l.ID] {
			w.t.Errorf("%s: the window that begins after a row's time holds the row", sc.Name)
		}
		for name, to := range map[string]time.Time{"minute": at.Add(time.Minute), "second": at.Add(time.Second)} {
			if ids(w.read(sc, at, to))[l.ID] {
				in[name] = true
			}
		}
	}
	if !in["minute"] || !in["second"] {
		w.t.Errorf("the row is in no window that begins at its time: %v", in)
	}
}

func windowTooLong(w *world) {
	for _, sc := range w.Feed.Scenes() {
		w.Advance(sc.Window)
		to := w.now()
		_, err := w.Feed.Pull(w.t.Context(), window(sc, to.Add(-sc.Window-time.Second), to), "")
		if fault.CodeOf(err) != fault.Invalid || fault.ReasonOf(err) != "feed.window_too_long" {
			w.t.Errorf("%s: a window of %s + 1 s: %v, want invalid because feed.window_too_long", sc.Name, sc.Window, err)
		}
		if _, err := w.Feed.Pull(w.t.Context(), window(sc, to.Add(-sc.Window), to), ""); err != nil {
			w.t.Errorf("%s: a window of %s: %v", sc.Name, sc.Window, err)
		}
	}
}

func unknownScene(w *world) {
	to := w.now()
	_, err := w.Feed.Pull(w.t.Context(), order.Window{Scene: "no such scene", From: to.Add(-time.Minute), To: to}, "")
	if !fault.Is(err, fault.Invalid) {
		w.t.Errorf("Pull of a scene that does not exist: %v, want invalid", err)
	}
}

// readingTwice reads the same windows twice.
func readingTwice(w *world) {
	for n := range 5 {
		l := w.buy(w.goods(n%2).ID, n+1)
		w.do(w.Market.Pay(l.ID))
	}
	w.tick()
	to := w.now()
	read := 0
	for _, sc := range w.Feed.Scenes() {
		a, b := w.read(sc, w.began, to), w.read(sc, w.began, to)
		if len(a) != len(b) {
			w.t.Fatalf("%s: %d rows, then %d", sc.Name, len(a), len(b))
		}
		for i := range a {
			if !same(a[i], b[i]) {
				w.t.Errorf("%s: row %d was\n%+v\nthen\n%+v", sc.Name, i, bare(a[i]), bare(b[i]))
			}
		}
		read += len(a)
	}
	if read < 5 {
		w.t.Errorf("read %d rows, want 5 or more", read)
	}
}
