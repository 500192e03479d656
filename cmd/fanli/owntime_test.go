package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A share is what a process had of the machine.
type share struct {
	used   time.Duration // its threads had a processor
	waited time.Duration // they could have gone on, but others had them all
}

// shareOf is what a process has had so far. Where the system does not tell, it is
// nothing: then whatever a stopwatch says is the process's own time.
func shareOf(pid int) (s share) {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		var used, waited int64
		if _, err := fmt.Sscan(string(text), &used, &waited); err != nil {
			continue
		}
		s.used, s.waited = s.used+time.Duration(used), s.waited+time.Duration(waited)
	}
	return s
}

// ownTime is what is left of a time on the watch without that in which others had the
// machine. On a quiet one that is all of it.
func ownTime(watch time.Duration, before, after share) time.Duration {
	return max(watch-max(after.waited-before.waited, 0), 0)
}
