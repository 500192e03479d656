//go:build race

package core_test

// underRace says that this test run shares the machine with the race detector,
// which makes everything several times slower.
const underRace = true
