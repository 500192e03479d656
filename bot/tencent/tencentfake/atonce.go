package tencentfake

import "sync"

// AtOnce does something so many times at once, and waits until all are done.
func AtOnce(times int, do func(i int)) {
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { do(i) })
	}
	all.Wait()
}
