package logtest

// People are the names and accounts of those who appear in tests, beside telephone
// numbers and addresses, which show by their shape.
func People() []string {
	return []string{"张三", "李四", "王五", "王小明", "小明", "openid-"}
}
