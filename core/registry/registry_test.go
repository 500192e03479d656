package registry_test

import (
	"testing"

	"fanli/core/registry"
	"fanli/core/registry/registrytest"
)

func TestStatic(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(*testing.T) func() registry.Registry {
		s := registry.NewStatic()
		return func() registry.Registry { return s }
	})
}

func TestStaticKnowsWhatIsConfigured(t *testing.T) {
	t.Parallel()
	s := registry.NewStatic(registrytest.Process("u2", "user"), registrytest.Process("u1", "user"))
	registrytest.Watch(t, s, "user").Want(t, "u1 u2")
}

// TestARollThatKnowsNothingSaysNothing watches one before anything is known.
func TestARollThatKnowsNothingSaysNothing(t *testing.T) {
	t.Parallel()
	r := &registry.Roll{}
	w := registrytest.Watch(t, r, "user")
	if ps, known := r.All(); known || len(ps) > 0 {
		t.Errorf("it knows %v, %v", ps, known)
	}
	r.Set([]registry.Process{registrytest.Process("u1", "user")})
	w.Want(t, "u1")
	if more := w.Heard(); len(more) > 0 {
		t.Errorf("it also said %q", more)
	}
}
