package wechatpay

import (
	"context"

	"fanli/core/withdraw"
)

// Authorization is the header that signs a request at a time with a nonce.
func (c *Client) Authorization(ctx context.Context, method, uri, at, nonce, body string) (string, error) {
	return c.authorization(ctx, method, uri, at, nonce, []byte(body))
}

// Open decrypts what WeChat encrypts with the APIv3 key.
func Open(key, nonce, associated, ciphertext string) (string, error) {
	text, err := sealed{"AEAD_AES_256_GCM", nonce, associated, ciphertext}.open(key)
	return string(text), err
}

// Unmarshal reads exactly one document.
func Unmarshal(body string, into any) error { return unmarshal([]byte(body), into) }

// FailReasons are the reasons of bills that failed, as WeChat spells them.
func FailReasons() map[string]string { return failReasons }

// Flow reads a fund flow bill.
func Flow(text string) ([]withdraw.BillLine, error) { return flow([]byte(text)) }
