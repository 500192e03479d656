package linktest

import (
	"context"
	"testing"

	"fanli/core/fault"
	"fanli/core/link"
)

// calls returns every remote call of the network, by name. The offer for Link is
// made while the fake is well.
func (s Subject) calls(t *testing.T) map[string]func(ctx context.Context) error {
	t.Helper()
	o := s.offer(t, s.Known[0])
	calls := map[string]func(ctx context.Context) error{
		"Offer": func(ctx context.Context) error {
			_, err := s.Network.Offer(ctx, s.Known[0])
			return err
		},
		"Link": func(ctx context.Context) error {
			_, err := s.Network.Link(ctx, o, s.mark(1))
			return err
		},
	}
	if n, ok := s.Network.(link.Searcher); ok {
		calls["Search"] = func(ctx context.Context) error {
			_, err := n.Search(ctx, o.Title, 1, 10)
			return err
		}
	}
	return calls
}

func deadlineHonoured(t *testing.T, s Subject) {
	calls := s.calls(t)
	s.Fail(Stall)
	t.Cleanup(func() { s.Fail("") })
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		s.wantCode(t, name, promptly(ctx, t, name, call), fault.Unavailable)
		cancel()
	}
}

func cancelReturns(t *testing.T, s Subject) {
	calls := s.calls(t)
	s.Fail(Stall)
	t.Cleanup(func() { s.Fail("") })
	for name, call := range calls {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.wantCode(t, name, promptly(ctx, t, name, call), fault.Unavailable)
	}
}

func failuresClassified(t *testing.T, s Subject) {
	calls := s.calls(t)
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
		s.Fail(tt.mode)
		for name, call := range calls {
			err := promptly(t.Context(), t, name, call)
			s.wantCode(t, name+" while "+tt.mode, err, tt.want)
		}
		s.Fail("")
		for name, call := range calls {
			if err := call(t.Context()); err != nil {
				t.Errorf("%s after %s is over: %v", name, tt.mode, err)
			}
		}
	}
}
