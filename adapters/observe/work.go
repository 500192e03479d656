package observe

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/notify"
)

// StartJob observes a run of a job under a lease that ends at until. done is called
// when it is over.
func (w *Observer) StartJob(ctx context.Context, name string, until time.Time) (_ context.Context, done func(count int, err error)) {
	if w.off() {
		return ctx, func(int, error) {}
	}
	ctx, span := w.start(ctx, "job "+name, trace.WithNewRoot(), trace.WithAttributes(jobKey.String(name)))
	from := time.Now()
	w.set(jobLease, seconds(until), name)
	return ctx, func(count int, err error) {
		span.SetAttributes(doneKey.Int(count))
		end(span, err)
		w.watch(jobDuration, time.Since(from), name)
		w.add(jobDone, float64(count), name)
		if err != nil {
			w.add(jobRuns, 1, name, "failed")
			return
		}
		w.add(jobRuns, 1, name, "ok")
		w.set(jobSuccess, seconds(w.o.Now()), name)
	}
}

// A saying is a bus that is observed.
type saying struct {
	w   *Observer
	bus event.Bus
}

// Bus returns bus, observed: an event goes on in the trace in which it was said.
func (w *Observer) Bus(bus event.Bus) event.Bus {
	if w.off() {
		return bus
	}
	return saying{w, bus}
}

// Publish implements event.Bus.
func (s saying) Publish(ctx context.Context, e event.Event) error {
	relay := trace.LinkFromContext(ctx)
	ctx, span := s.w.start(within(ctx, e.Trace), "say "+string(e.Name),
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithLinks(relay), trace.WithAttributes(eventKey.String(string(e.Name))))
	if parent := s.w.Traceparent(ctx); parent != "" {
		e.Trace = parent
	}
	err := s.bus.Publish(ctx, e)
	end(span, err)
	s.w.add(eventsSaid, 1, string(e.Name), outcome(err))
	return err
}

// Hearer returns what a target does when it hears an event, observed.
func (w *Observer) Hearer(target string, name event.Name, handle event.Handler) event.Handler {
	if w.off() {
		return handle
	}
	return func(ctx context.Context, e event.Event) error {
		ctx, span := w.start(within(ctx, e.Trace), "hear "+string(name), trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithAttributes(eventKey.String(string(name)), targetKey.String(target)))
		err := handle(ctx, e)
		end(span, err)
		w.add(eventsHeard, 1, target, string(name), outcome(err))
		if late := w.o.Now().Sub(e.At); err == nil && late >= 0 {
			w.watch(eventDelay, late, target)
		}
		return err
	}
}

// StartNotice observes telling somebody something that was written within the trace
// parent.
func (w *Observer) StartNotice(ctx context.Context, parent string) (_ context.Context, done func(err error)) {
	ctx, span := w.start(within(ctx, parent), "notify", trace.WithLinks(trace.LinkFromContext(ctx)))
	return ctx, func(err error) {
		if fault.ReasonOf(err) == notify.NoChannel { // nobody was to be told by us
			span.End()
			w.add(notices, 1, "no_channel")
			return
		}
		end(span, err)
		w.add(notices, 1, outcome(err))
	}
}

// Untold counts a notice that is not told, or not yet, as its person wishes.
func (w *Observer) Untold(why string) { w.add(notices, 1, why) }

// StartTurn observes the answer to a message.
func (w *Observer) StartTurn(ctx context.Context, channel string) (_ context.Context, done func(outcome string)) {
	if w.off() {
		return ctx, func(string) {}
	}
	ctx, span := w.start(ctx, "message", trace.WithAttributes(channelKey.String(channel)))
	from := time.Now()
	return ctx, func(outcome string) {
		span.SetAttributes(outcomeKey.String(outcome))
		span.End()
		w.add(turns, 1, channel, outcome)
		w.watch(turnDuration, time.Since(from), channel)
	}
}

// Channel counts something that a channel did beside turns.
func (w *Observer) Channel(channel, what, how string) { w.add(channelEvents, 1, channel, what, how) }

// Mail counts a receipt of a message, or the end of a try to answer or deliver one.
func (w *Observer) Mail(channel, side, outcome string) { w.add(mails, 1, channel, side, outcome) }

// LinkMade counts a link.
func (w *Observer) LinkMade(network string) { w.add(linksMade, 1, network) }

// Call counts a try at a network.
func (w *Observer) Call(network, role string, err error, took time.Duration) {
	w.add(networkCalls, 1, network, role, codeOf(err))
	w.watch(networkDuration, took, network, role)
}

// Refused counts a call to a network that did not leave.
func (w *Observer) Refused(network, role string) { w.add(networkRefused, 1, network, role) }

// Breaker notes how the role of a network is: closed, half-open or open.
func (w *Observer) Breaker(network, role, state string) {
	v := map[string]float64{"half-open": 1, "open": 2}[state]
	w.set(breakerState, v, network, role)
}

// Balance notes what we have at a payer, and below which staff is told.
func (w *Observer) Balance(payer string, balance, floor money.Fen) {
	w.set(payerBalance, float64(balance), payer)
	w.set(payerFloor, float64(floor), payer)
}

// Audited notes what came of an audit.
func (w *Observer) Audited(sound bool) {
	if w.off() {
		return
	}
	if !sound {
		w.set(auditSound, 0)
		return
	}
	w.set(auditSound, 1)
	w.set(auditSuccess, seconds(w.o.Now()))
}

// Configured counts a configuration that was put in force, or refused.
func (w *Observer) Configured(err error) {
	if err != nil {
		w.add(configChanges, 1, "refused")
		return
	}
	w.add(configChanges, 1, "applied")
}

// outcome is "ok" or "failed".
func outcome(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}
