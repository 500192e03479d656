//go:build !race

package jd_test

// underRace says that this test run shares the machine with the race detector,
// which makes everything several times slower.
const underRace = false
