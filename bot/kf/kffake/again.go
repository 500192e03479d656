package kffake

import (
	"context"

	"fanli/bot/tencent/tencentfake"
)

// Again has the newest message of a customer read so many more times, and tells the
// callback of each at once.
func (s *Server) Again(ctx context.Context, id string, times int) {
	s.mu.Lock()
	for i := len(s.log) - 1; i >= 0; i-- {
		if e := s.log[i]; e.body["external_userid"] == id && e.body["msgtype"] != "event" {
			for range times {
				s.log = append(s.log, e)
			}
			break
		}
	}
	s.mu.Unlock()
	tencentfake.AtOnce(times, func(int) { s.push(ctx) })
}

// Program is a customer who shares a page of a mini program.
func (s *Server) Program(ctx context.Context, id, title, path string) Delivery {
	return s.wrote(ctx, id, "miniprogram", map[string]any{
		"title": title, "appid": "wx0123456789abcdef", "pagepath": path, "thumb_media_id": tencentfake.Random(40),
	})
}
