package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
)

func TestCodeAndReasonSurviveWrapping(t *testing.T) {
	t.Parallel()
	base := fault.Newf(fault.Insufficient, "withdraw.insufficient", "have %d", 3)
	err := fault.In("withdraw.Request", fmt.Errorf("user 42: %w", base))
	if fault.CodeOf(err) != fault.Insufficient || fault.ReasonOf(err) != "withdraw.insufficient" {
		t.Errorf("got %s, %s", fault.CodeOf(err), fault.ReasonOf(err))
	}
	if !errors.Is(err, base) {
		t.Error("the cause is lost")
	}
	for _, part := range []string{"withdraw.Request", "user 42", "have 3"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("operators do not read %q in %q", part, err)
		}
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		err   error
		want  fault.Code
		retry bool
	}{
		{"nothing", nil, "", false},
		{"nobody has classified it", errors.New("x"), fault.Internal, false},
		{"without a code", &fault.Error{}, fault.Internal, false},
		{"time ran out", fmt.Errorf("call: %w", context.DeadlineExceeded), fault.Unavailable, true},
		{"limited", fault.New(fault.Limited, ""), fault.Limited, true},
		{"not found", fault.Wrap(fault.NotFound, "op", errors.New("x")), fault.NotFound, false},
		{"it may have happened", fault.New(fault.Unknown, ""), fault.Unknown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := fault.CodeOf(tt.err); got != tt.want || fault.Retryable(tt.err) != tt.retry {
				t.Errorf("got %q, retryable %v", got, fault.Retryable(tt.err))
			}
		})
	}
}

func TestNothingWrapsToNothing(t *testing.T) {
	t.Parallel()
	if fault.In("x", nil) != nil || fault.Wrap(fault.Denied, "x", nil) != nil {
		t.Error("a wrapped nil is an error")
	}
}

func TestHowLongToStayAway(t *testing.T) {
	t.Parallel()
	busy := fault.New(fault.Limited, "telegram.flood")
	err := fault.In("telegram.Send", fmt.Errorf("part 2: %w", fault.After(busy, 3*time.Second)))
	if fault.RetryAfter(fault.After(busy, 3*time.Second)) != 3*time.Second || !errors.Is(fault.After(busy, time.Second), busy) {
		t.Error("the wait is lost")
	}
	if fault.CodeOf(err) != fault.Limited || fault.ReasonOf(err) != "telegram.flood" {
		t.Errorf("got %s, %s", fault.CodeOf(err), fault.ReasonOf(err))
	}
	if fault.RetryAfter(busy) != 0 || fault.RetryAfter(nil) != 0 || fault.After(nil, time.Second) != nil || fault.RetryAfter(fault.After(busy, 0)) != 0 {
		t.Error("a wait that nobody asked for")
	}
	if fault.RetryAfter(err) != 3*time.Second {
		t.Error("In has lost the wait")
	}
}
