package gateway

// A text is a sentence in both languages.
type text struct{ zh, en string }

// texts are the sentences of what only this package refuses: programs' mistakes, read
// by who writes the programs. What people read stands in bot/locale.
func texts() map[string]text {
	return map[string]text{
		"access.key":             {"密钥无效、已过期或已被撤销。", "The API key is not valid, has expired, or was revoked."},
		"access.address":         {"这个密钥不能从这个地址使用。", "This API key may not be used from this address."},
		"api.token":              {"令牌无效或已过期。", "The token is not valid or has expired."},
		"api.unauthenticated":    {"请在 Authorization 里带上 Bearer 密钥或令牌。", "Send an API key or a token as Authorization: Bearer."},
		"api.scope":              {"缺少权限：field 里是需要的权限。", "A scope is missing: field names the one that is needed."},
		"api.user_missing":       {"请在 X-Fanli-User 里写明代表哪位用户。", "Say in X-Fanli-User for which of your users you act."},
		"api.user_fixed":         {"这个密钥或令牌只代表一位用户，请不要带 X-Fanli-User。", "This key or token acts for one user only; leave X-Fanli-User out."},
		"api.user_form":          {"用户编号是 1–100 个可见的 ASCII 字符。", "A user's id has 1 to 100 visible ASCII characters."},
		"api.no_such_user":       {"还没有这位用户，请先用 POST /users 建立。", "There is no such user yet; make one with POST /users."},
		"api.rate":               {"请求太快了，请按 Retry-After 等一等。", "That is too fast; please wait as Retry-After says."},
		"api.method":             {"这个地址不支持这个方法，Allow 里有支持的。", "That method is not possible here; Allow says which are."},
		"api.no_such_path":       {"没有这个地址，请看 /api/v1/openapi.json。", "There is nothing here; see /api/v1/openapi.json."},
		"api.media_type":         {"正文请用 application/json（UTF-8）。", "The body must be application/json, in UTF-8."},
		"api.too_large":          {"正文太大了。", "The body is too large."},
		"api.unread":             {"正文没有完整到达，请再试一次。", "The body did not arrive whole; please try again."},
		"api.json":               {"正文不是一个完整的 JSON 对象。", "The body is not one whole JSON object."},
		"api.too_deep":           {"JSON 嵌套太深了。", "The JSON is nested too deeply."},
		"api.duplicate_field":    {"同一个字段出现了两次。", "A field is there twice."},
		"api.unknown_field":      {"有不认识的字段。", "There is a field that is not known here."},
		"api.missing_field":      {"缺少一个字段。", "A field is missing."},
		"api.field_type":         {"字段的类型不对；金额是整数分。", "A field has the wrong type; amounts are whole numbers of fen."},
		"api.trailing":           {"JSON 后面还有别的内容。", "There is something behind the JSON."},
		"api.no_body":            {"这个请求不应该有正文。", "This request must not have a body."},
		"api.query":              {"有不认识、重复或写错的查询参数。", "A query parameter is not known, is there twice, or cannot be read."},
		"api.page_size":          {"limit 在 1 到 100 之间。", "limit is between 1 and 100."},
		"api.cursor":             {"cursor 请原样使用上一页给的 next。", "Use as cursor what the page before gave as next, unchanged."},
		"api.id":                 {"地址里的编号不对。", "The number in the path cannot be read."},
		"api.no_such_order":      {"没有属于这位用户的这笔订单。", "This user has no such order."},
		"api.text":               {"text 是 1–4000 个字符的文字。", "text has 1 to 4000 characters."},
		"api.nothing_found":      {"这段文字里没有认得出的商品链接或口令。", "There is no product link or code in this text that can be recognised."},
		"api.idempotency_key":    {"请带 Idempotency-Key：8–100 个可见的 ASCII 字符，重试时不变。", "Send an Idempotency-Key of 8 to 100 visible ASCII characters, the same when you try again."},
		"api.idempotency_reused": {"这个 Idempotency-Key 已经用于另一笔金额。", "This Idempotency-Key was used for another amount."},
		"api.network_off":        {"这家购物平台还没有开通。", "That shop is not connected here."},
		"api.amount":             {"请给出大于 0 的 amount_fen，或 all: true，二者选一。", "Give either an amount_fen above 0 or all: true."},
		"api.no_such_claim":      {"没有这条找回记录。", "There is no such claim."},
	}
}
