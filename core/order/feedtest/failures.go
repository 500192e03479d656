package feedtest

import (
	"context"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

// wantFailure pulls every scene within limit and judges the error.
func (w *world) wantFailure(limit time.Duration, mode string, want fault.Code) {
	w.t.Helper()
	to := w.now()
	for _, sc := range w.Feed.Scenes() {
		ctx, cancel := context.WithTimeout(w.t.Context(), limit)
		err := promptly(ctx, w.t, w.Feed, window(sc, to.Add(-time.Minute), to))
		cancel()
		if got := fault.CodeOf(err); got != want {
			w.t.Errorf("%s while %s failed with code %q, want %q: %v", sc.Name, mode, got, want, err)
		}
		w.wantSecret(err)
	}
}

// promptly pulls one page and fails the test if the call does not return.
func promptly(ctx context.Context, t *testing.T, f order.Feed, win order.Window) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := f.Pull(ctx, win, "")
		done <- err
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		t.Fatalf("Pull still hangs %s after its deadline", patience)
		return nil
	}
}

func deadlineHonoured(w *world) {
	w.Fail(Stall)
	w.t.Cleanup(func() { w.Fail("") })
	w.wantFailure(deadline, Stall, fault.Unavailable)
}

func failuresClassified(w *world) {
	tests := []struct {
		mode string
		want fault.Code
	}{
		{Limited, fault.Limited},
		{Down, fault.Unavailable},
		{Garbage, fault.Unavailable},
		{Denied, fault.Denied},
	}
	for _, tt := range tests {
		w.Fail(tt.mode)
		w.wantFailure(patience, tt.mode, tt.want)
		w.Fail("")
		to := w.now()
		for _, sc := range w.Feed.Scenes() {
			if _, err := w.Feed.Pull(w.t.Context(), window(sc, to.Add(-time.Minute), to), ""); err != nil {
				w.t.Errorf("%s after %s is over: %v", sc.Name, tt.mode, err)
			}
		}
	}
}
