package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a soak has to reach: a thousand worlds, ten years and five million
// operations through SQL in ten minutes.
const (
	soakSeeds      = 1000
	soakDays       = 3650
	soakOperations = 5_000_000
	soakTook       = 10 * time.Minute
)

// TestSimulation plays a sample of the simulation as the command does, and all of
// it in `make soak`.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("skipped under the race detector: a world has one goroutine; stage 2 plays it")
	}
	seeds, soak := 60, os.Getenv("FANLI_SOAK") != ""
	switch {
	case soak:
		seeds = soakSeeds
	case testing.Short():
		seeds = 3
	}
	r := cli(t, "", nil, "simulate", "--json", "--seeds", strconv.Itoa(seeds), "--pace", "47")
	if r.code != exitOK {
		t.Fatalf("%d: %s%s", r.code, r.err, r.out[max(0, len(r.out)-20_000):])
	}
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var sum simulation
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil || len(lines) != seeds+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	t.Logf("%d seeds, %d days, %d crashes, %d operations in %s", sum.Seeds, sum.Days, sum.Crashes, sum.Total, sum.Took)
	if sum.Seeds != seeds || sum.Total < int64(seeds)*1000 || sum.Crashes < seeds/4 {
		t.Errorf("%+v", sum)
	}
	if soak && (sum.Days < soakDays || sum.Total < soakOperations || sum.Took > soakTook) {
		t.Errorf("the soak wants %d days and %d operations in %s: %+v", soakDays, soakOperations, soakTook, sum)
	}
}

// TestASeedThatFailsSaysHowToSeeItAgain plants a mistake and follows the advice.
func TestASeedThatFailsSaysHowToSeeItAgain(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("skipped under the race detector: a world has one goroutine; stage 2 plays it")
	}
	r := cli(t, "", nil, "simulate", "--seed", "1", "--days", "4", "--pace", "40", "--plant", "twice-booked")
	if r.code != exitUnsound {
		t.Fatalf("%d: %s%s", r.code, r.out, r.err)
	}
	for _, want := range []string{"SEED 1 FAILED", "version", "the story of the first difference:", "/again)", "NOT every fen"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is missing in:\n%s", want, r.out)
		}
	}
	_, advice, _ := strings.Cut(r.out, "replay: fanli ")
	advice, _, _ = strings.Cut(advice, "\n")
	again := cli(t, "", nil, strings.Fields(advice)...)
	story := func(s string) string { // without the time that it took, which also widens the table
		s, _, _ = strings.Cut(s, "took")
		return strings.Join(strings.Fields(s), " ")
	}
	if again.code != exitUnsound || story(again.out) != story(r.out) {
		t.Errorf("the replay %q says:\n%s", advice, again.out)
	}
}

func TestASimulationThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--faults rain", "--plant rain", "--days 0", "--days 1000", "--seeds 0", "--pace 0", "--workers 0", "extra"} {
		if r := cli(t, "", nil, append([]string{"simulate"}, strings.Fields(args)...)...); r.code != exitUsage {
			t.Errorf("%s: %d", args, r.code)
		}
	}
}
