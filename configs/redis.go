package configs

import "fanli/adapters/cache"

// Redis says where processes share caches, limits and the bell that wakes chats.
// Without a URL each process has its own, in memory. The URL may hold a password.
type Redis struct {
	URL    string `yaml:"url"`
	Prefix string `yaml:"prefix"`
}

// prefixMax bounds what stands in front of every key.
const prefixMax = 64

func (c Config) checkRedis(k *checker) {
	r := c.Redis
	if r.URL == "" {
		return
	}
	if cache.CheckURL(r.URL) != nil {
		k.bad("redis.url", "it cannot be read: write redis://:PASSWORD@HOST:PORT/0, or rediss://… for TLS")
	}
	if r.URL == c.Broker.URL {
		k.bad("redis.url", "it is the broker's: what is cached may be flushed and evicted, what the broker holds may not; use another Redis")
	}
	if r.Prefix == "" || len(r.Prefix) > prefixMax {
		k.bad("redis.prefix", "%q is not 1 to %d characters that tell installations apart", r.Prefix, prefixMax)
	}
}
