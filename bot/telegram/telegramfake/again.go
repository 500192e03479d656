package telegramfake

import (
	"encoding/json"
	"sync"
)

// Again hands the newest update of a chat over so many more times. A webhook gets it as it
// was, all at once, as after a connection that broke before the answer came; Again waits
// for the answers and returns their statuses, 0 for none. Who polls gets it under new
// numbers: what is confirmed does not come again under its own.
func (s *Server) Again(chat int64, times int) (statuses []int) {
	s.mu.Lock()
	h, u := s.hook, s.newest[chat]
	if h == nil {
		defer s.mu.Unlock()
		for range times {
			s.repeat(u)
		}
		return nil
	}
	s.mu.Unlock()
	statuses = make([]int, times)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			if status, _, err := s.hand(h, u); err == nil {
				statuses[i] = status
			}
		})
	}
	all.Wait()
	return statuses
}

// repeat queues what an update says under a new number. The server is locked.
func (s *Server) repeat(u queued) {
	var parts map[string]json.RawMessage
	if json.Unmarshal(u.body, &parts) != nil { // there has been no update
		return
	}
	update := map[string]any{}
	for name, part := range parts {
		if name != "update_id" {
			update[name] = part
		}
	}
	s.pushRaw(update)
}
