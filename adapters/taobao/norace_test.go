//go:build !race

package taobao_test

// underRace says that this test run shares the machine with the race detector,
// which makes everything several times slower.
const underRace = false
