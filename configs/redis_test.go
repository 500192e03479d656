package configs_test

import (
	"strings"
	"testing"

	"fanli/configs"
)

func TestRedisMistakes(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]string{
		"FANLI_REDIS_URL=redis://:hunter2@cache:6379/1":                                               "",
		"FANLI_REDIS_URL=cache:6379":                                                                  "redis.url",
		"FANLI_REDIS_URL=redis://cache/first":                                                         "redis.url",
		"FANLI_REDIS_URL=redis://mq:6379 FANLI_BROKER_URL=redis://mq:6379":                            "redis.url",
		"FANLI_REDIS_URL=redis://cache:6379 FANLI_REDIS_PREFIX=":                                      "redis.prefix",
		"FANLI_REDIS_URL=redis://cache:6379 FANLI_REDIS_PREFIX=" + strings.Repeat("x", 65):            "redis.prefix",
		"FANLI_REDIS_URL=redis://:hunter2@cache/first FANLI_BROKER_URL=redis://:hunter2@cache:6379/1": "redis.url",
	} {
		set := map[string]string{}
		for pair := range strings.FieldsSeq(env) {
			name, value, _ := strings.Cut(pair, "=")
			set[name] = value
		}
		_, err := configs.Load("", func(name string) (string, bool) { v, ok := set[name]; return v, ok })
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", env, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want a mistake in %s", env, err, want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("the error tells a password: %v", err)
		}
	}
}
