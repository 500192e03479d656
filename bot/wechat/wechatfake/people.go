package wechatfake

import (
	"slices"
	"strconv"
)

// A tag is a group of followers.
type tag struct {
	id   int64
	name string
}

// The limits of tags.
const (
	firstTag     = 100 // below are the platform's own
	tagsMax      = 100
	tagNameMax   = 30 // bytes
	taggingMax   = 50
	tagsOfOneMax = 20
)

func (s *Server) createTag(r *request) (any, *refusal) {
	var in struct {
		Tag struct {
			Name string `json:"name"`
		} `json:"tag"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	name := in.Tag.Name
	switch {
	case name == "" || len(name) > tagNameMax:
		return nil, refuse(45158, "invalid tag name size")
	case len(s.tags) >= tagsMax:
		return nil, refuse(45056, "too many tags")
	case slices.ContainsFunc(s.tags, func(t tag) bool { return t.name == name }):
		return nil, refuse(45157, "tag name already exists")
	}
	t := tag{firstTag, name}
	for _, other := range s.tags {
		t.id = max(t.id, other.id+1)
	}
	s.tags = append(s.tags, t)
	return map[string]any{"tag": map[string]any{"id": t.id, "name": name}}, nil
}

func (s *Server) getTags(*request) (any, *refusal) {
	list := []map[string]any{{"id": 2, "name": "星标组", "count": 0}}
	for _, t := range s.tags {
		count := 0
		for _, p := range s.people {
			if slices.Contains(p.tags, t.id) {
				count++
			}
		}
		list = append(list, map[string]any{"id": t.id, "name": t.name, "count": count})
	}
	return map[string]any{"tags": list}, nil
}

func (s *Server) deleteTag(r *request) (any, *refusal) {
	var in struct {
		Tag struct {
			ID int64 `json:"id"`
		} `json:"tag"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	if !s.tagged(strconv.FormatInt(in.Tag.ID, 10)) {
		return nil, refuse(45159, "invalid tag id")
	}
	s.tags = slices.DeleteFunc(s.tags, func(t tag) bool { return t.id == in.Tag.ID })
	for _, p := range s.people {
		p.tags = slices.DeleteFunc(p.tags, func(id int64) bool { return id == in.Tag.ID })
	}
	return nil, nil
}

// tagged reports whether there is a tag with an id.
func (s *Server) tagged(id string) bool {
	return slices.ContainsFunc(s.tags, func(t tag) bool { return strconv.FormatInt(t.id, 10) == id })
}

// tagging puts a tag on people, or takes it off.
func (s *Server) tagging(on bool) func(r *request) (any, *refusal) {
	return func(r *request) (any, *refusal) {
		var in struct {
			OpenIDs []string `json:"openid_list"`
			Tag     int64    `json:"tagid"`
		}
		if f := r.decode(&in); f != nil {
			return nil, f
		}
		switch {
		case len(in.OpenIDs) == 0 || len(in.OpenIDs) > taggingMax:
			return nil, refuse(40032, "invalid openid list size")
		case !s.tagged(strconv.FormatInt(in.Tag, 10)):
			return nil, refuse(45159, "invalid tag id")
		}
		for _, id := range in.OpenIDs {
			p := s.people[id]
			switch {
			case p == nil:
				return nil, refuse(40003, "invalid openid")
			case !p.following:
				return nil, refuse(49003, "openid is not a subscriber")
			case on && len(p.tags) >= tagsOfOneMax:
				return nil, refuse(45059, "too many tags of a user")
			}
		}
		for _, id := range in.OpenIDs {
			p := s.people[id]
			p.tags = slices.DeleteFunc(p.tags, func(t int64) bool { return t == in.Tag })
			if on {
				p.tags = append(p.tags, in.Tag)
			}
		}
		return nil, nil
	}
}

// Tags returns the names of somebody's tags.
func (s *Server) Tags(openid string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, t := range s.tags {
		if slices.Contains(s.person(openid).tags, t.id) {
			out = append(out, t.name)
		}
	}
	return out
}

// userInfo says what there is to know of a person; names and pictures have been empty
// since the end of 2021.
func (s *Server) userInfo(r *request) (any, *refusal) {
	p := s.people[r.query.Get("openid")]
	switch {
	case r.query.Get("openid") == "":
		return nil, refuse(41009, "missing openid")
	case p == nil:
		return nil, refuse(40003, "invalid openid")
	case !p.following:
		return map[string]any{"subscribe": 0, "openid": p.openid, "unionid": p.unionid, "tagid_list": []int64{}}, nil
	}
	tags := append([]int64{}, p.tags...)
	by := "ADD_SCENE_SEARCH"
	if p.scene != "" {
		by = "ADD_SCENE_QR_CODE"
	}
	return map[string]any{
		"subscribe": 1, "openid": p.openid, "nickname": "", "sex": 0, "language": "zh_CN", "city": "", "province": "", "country": "",
		"headimgurl": "", "subscribe_time": p.since.Unix(), "unionid": p.unionid, "remark": "", "groupid": 0, "tagid_list": tags,
		"subscribe_scene": by, "qr_scene": 0, "qr_scene_str": p.scene,
	}, nil
}
