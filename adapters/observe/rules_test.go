package observe_test

import (
	_ "github.com/prometheus/prometheus/model/rulefmt"
	_ "github.com/prometheus/prometheus/promql/parser"
	_ "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)
