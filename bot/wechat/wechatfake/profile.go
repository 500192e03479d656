package wechatfake

// A Profile is a kind of account, which decides what it may do.
type Profile string

// The profiles.
const (
	Personal     Profile = "personal"     // 个人或未认证的订阅号
	Subscription Profile = "subscription" // 已认证的订阅号
	Service      Profile = "service"      // 已认证的服务号
	Sandbox      Profile = "sandbox"      // 测试号
)

// A right is what a call needs.
type right string

const (
	free              right = ""
	rightCustom       right = "custom"
	rightMenu         right = "menu"
	rightTags         right = "tags"
	rightMedia        right = "media"
	rightOnce         right = "once"
	rightTemplate     right = "template"
	rightSubscription right = "subscription"
	rightUser         right = "user"
	rightCode         right = "code"
)

// rights says who may do what. Nobody's list is complete; this is what fanli needs.
var rights = map[Profile][]right{
	Personal:     nil,
	Subscription: {rightCustom, rightMenu, rightTags, rightMedia, rightOnce},
	Service:      {rightCustom, rightMenu, rightTags, rightMedia, rightOnce, rightTemplate, rightSubscription, rightUser, rightCode},
	Sandbox:      {rightCustom, rightMenu, rightTags, rightMedia, rightTemplate, rightUser, rightCode},
}

// may says that an account may not; nil if it may.
func (p Profile) may(r right) *refusal {
	if r == free {
		return nil
	}
	for _, has := range rights[p] {
		if has == r {
			return nil
		}
	}
	return refuse(48001, "api unauthorized")
}
