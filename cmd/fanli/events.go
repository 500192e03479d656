package main

import "fanli/adapters/bus"

// hear makes the targets that are here hear what they hear.
func (a *app) hear() *bus.Local {
	b := &bus.Local{}
	for _, t := range a.targetsHere() {
		for _, h := range t.hears(a) {
			b.Hear(h.name, t.name, a.hearer(t, h))
		}
	}
	return b
}
