package tencentfake_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"fanli/bot/tencent/tencentfake"
)

// The vector was made with the Go library and confirmed with two unrelated packages of
// npm.
const (
	katApp     = "wxkat0000000000001"
	katMessage = "<xml><ToUserName><![CDATA[gh_test]]></ToUserName><FromUserName><![CDATA[oUser1]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[返利]]></Content><MsgId>10000001</MsgId></xml>"
	katSealed  = "7u6AzIY8n+C9cbLnyBULl94rHxIUyQ4tMKavNsPwo6y1ge8zG6vII8SUhvqsYLdtBn+hwwLafidmet5K/SZrlwn2Iz2KofbRiNJ1UIqEhVjhpl+JOBNW9cwd0M2a2qnaZxde7rRPLhryDXoFaI/ZzZWbpuU8vdYEq+ljcErfTBXnzfnt4Mvb6GH9Sb0OEqxzw2EHeX79eOvGTp1S0zPMn+1//P7wvfwO5GR6jab6KzEasPcivdcnW5BoY64Hk6AxUJAkdTcCYd0Mp4NjWQsE73kTZZ8qT9LoRoYMaKY/e5v4nSLh/NudY7wxi/Tcf6AIet69s59DRzjvFyfpgNJegArj/4ne+F/KdCd8FTJcZKH989pGyXvq+5dEPmjq6eZJ"
)

func TestKnownAnswer(t *testing.T) {
	t.Parallel()
	c := tencentfake.NewCrypter("kattoken", katApp, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg")
	if got := c.Seal([]byte("0123456789abcdef"), []byte(katMessage), katApp); got != katSealed {
		t.Errorf("sealed is %s", got)
	}
	if got := c.Sign("1700000000", "katnonce", katSealed); got != "3a7604dfaf84226f79bbc566df4a02a7e595e393" {
		t.Errorf("msg_signature is %s", got)
	}
	if got := c.Sign("1700000000", "katnonce"); got != "24c3f13c97ec7cb93cd405dc975d330b608bce5d" {
		t.Errorf("signature is %s", got)
	}
	msg, app, err := c.Open(katSealed)
	if err != nil || app != katApp || string(msg) != katMessage {
		t.Errorf("opened %q for %q, %v", msg, app, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	c := tencentfake.NewCrypter("t", "wx", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg")
	for name, sealed := range map[string]string{
		"truncated": katSealed[:len(katSealed)-7], "half a block": katSealed[:len(katSealed)-64/3*4], "nothing": "",
		"padded with 77": c.Encrypt(append(make([]byte, 31), 77)), "padded unevenly": c.Encrypt(append(make([]byte, 31), 2)),
		"too short": c.Encrypt(bytes.Repeat([]byte{32}, 32)), "too long": c.Encrypt(append(bytes.Repeat([]byte{0x7f}, 31), 1)),
		"another key": base64.StdEncoding.EncodeToString(make([]byte, 64)),
	} {
		if msg, _, err := c.Open(sealed); err == nil {
			t.Errorf("%s: opened %q", name, msg)
		}
	}
}
