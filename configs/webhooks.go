package configs

import "time"

// Webhooks says how integrators' programs are told what happens. Their addresses are
// not configured: see `fanli webhooks`.
type Webhooks struct {
	AllowPrivate bool          `yaml:"allow_private"`
	Timeout      time.Duration `yaml:"timeout"`
	Keep         time.Duration `yaml:"keep"`
}

// Bounds of webhooks. What is kept outlives the last try of a delivery.
const (
	hookTimeoutMin = 100 * time.Millisecond
	hookTimeoutMax = time.Minute
	hookKeepMin    = 7 * 24 * time.Hour
	hookKeepMax    = 400 * 24 * time.Hour
)

func (c Config) checkWebhooks(k *checker) {
	w := c.Webhooks
	if w.Timeout < hookTimeoutMin || w.Timeout > hookTimeoutMax {
		k.bad("webhooks.timeout", "%v is not between %v and %v", w.Timeout, hookTimeoutMin, hookTimeoutMax)
	}
	if w.Keep < hookKeepMin || w.Keep > hookKeepMax {
		k.bad("webhooks.keep", "%v is not between %v and %v", w.Keep, hookKeepMin, hookKeepMax)
	}
}
