package link_test

import (
	"slices"
	"testing"

	"fanli/core/link"
)

// BenchmarkRecogniseCorpus reads every message of the corpus in turn. Besides the
// mean it reports the median over the messages.
func BenchmarkRecogniseCorpus(b *testing.B) {
	texts := corpus(b)
	bytes := 0
	for _, text := range texts {
		bytes += len(text)
	}
	dst := make([]link.Ref, 0, link.RefsMax)
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range texts {
			dst = link.AppendRefs(dst[:0], text)
		}
	}
	mean := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(mean/float64(len(texts)), "mean-ns/msg")
	b.ReportMetric(mean/float64(bytes), "ns/byte")

	const rounds = 500
	each := make([]float64, len(texts))
	b.StartTimer()
	for i, text := range texts {
		start := b.Elapsed()
		for range rounds {
			dst = link.AppendRefs(dst[:0], text)
		}
		each[i] = float64((b.Elapsed() - start).Nanoseconds()) / rounds
	}
	b.StopTimer()
	slices.Sort(each)
	b.ReportMetric(each[len(each)/2], "median-ns/msg")
	b.ReportMetric(each[len(each)*99/100], "p99-ns/msg")
	b.ReportMetric(0, "ns/op") // over all messages: says nothing
}

// BenchmarkRecogniseHostile reads the worst messages, short and long.
func BenchmarkRecogniseHostile(b *testing.B) {
	dst := make([]link.Ref, 0, link.RefsMax)
	run := func(name, text string) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				dst = link.AppendRefs(dst[:0], text)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(text)), "ns/byte")
			b.ReportMetric(0, "ns/op")
		})
	}
	for _, s := range shapes {
		run(s.name+"/1k", s.text(1<<10))
		run(s.name+"/16k", s.text(link.TextBytesMax))
	}
	run("distinct/1k", distinct(1<<10))
	run("distinct/16k", distinct(link.TextBytesMax))
}
