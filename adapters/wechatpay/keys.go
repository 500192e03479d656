package wechatpay

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"fanli/core/fault"
)

// How platform certificates are kept.
const (
	pathCertificates = "/v3/certificates"
	refreshEvery     = 12 * time.Hour  // WeChat asks for that
	refreshPause     = 1 * time.Minute // between two, whatever serial numbers strangers invent
)

// A platformKey is a key by which WeChat signs, and for which we encrypt.
type platformKey struct {
	verifier auth.Verifier
	key      *rsa.PublicKey
	until    time.Time // zero: for ever
}

// A keyring maps serial numbers to WeChat's keys. In public-key mode it is fixed;
// in certificate mode it is refreshed.
type keyring struct {
	gate    chan struct{} // held while the ring is read or refreshed
	fixed   bool
	ring    map[string]platformKey
	newest  string    // serial of the key to encrypt with
	fetched time.Time // last success
	tried   time.Time // last attempt
}

// open fills the ring with what the configuration has.
func (k *keyring) open(cfg Config) {
	k.gate, k.ring = make(chan struct{}, 1), map[string]platformKey{}
	if cfg.Mode == CertificateMode {
		return
	}
	if key, err := utils.LoadPublicKey(cfg.Public); err == nil { // Validate has read it
		k.ring[cfg.KeyID] = platformKey{verifier: verifiers.NewSHA256WithRSAPubkeyVerifier(cfg.KeyID, *key), key: key}
		k.fixed, k.newest = true, cfg.KeyID
	}
}

// serial returns the serial number of the key that WeChat should sign with.
func (c *Client) serial(ctx context.Context) (string, error) {
	_, serial, err := c.platform(ctx, "")
	return serial, err
}

// verifier returns the key with a serial number.
func (c *Client) verifier(ctx context.Context, serial string) (auth.Verifier, error) {
	k, _, err := c.platform(ctx, serial)
	return k.verifier, err
}

// seal encrypts what only WeChat may read, and says with which key.
func (c *Client) seal(ctx context.Context, text string) (sealed, serial string, err error) {
	k, serial, err := c.platform(ctx, "")
	if err != nil {
		return "", "", err
	}
	if sealed, err = utils.EncryptOAEPWithPublicKey(text, k.key); err != nil {
		return "", "", fault.Newf(fault.Internal, "", "the payee's name cannot be encrypted")
	}
	return sealed, serial, nil
}

// platform returns the key with a serial number, or the newest one for "". It
// fetches certificates when they are old or the serial number is new. An old ring
// is better than none: a failed refresh matters only if the key is not there.
func (c *Client) platform(ctx context.Context, serial string) (platformKey, string, error) {
	k := &c.keys
	select {
	case k.gate <- struct{}{}:
		defer func() { <-k.gate }()
	case <-ctx.Done():
		return platformKey{}, "", fault.Newf(fault.Unavailable, "payout.unclear", "no certificates: %w", ctx.Err())
	}
	now, asked := c.now(), serial
	find := func() (platformKey, bool) {
		if asked == "" {
			serial = k.newest
		}
		p, ok := k.ring[serial]
		return p, ok && (p.until.IsZero() || now.Before(p.until))
	}
	p, ok := find()
	var failed error
	if !k.fixed && (len(k.ring) == 0 || now.Sub(k.fetched) >= refreshEvery || !ok) && (len(k.ring) == 0 || now.Sub(k.tried).Abs() >= refreshPause) {
		failed = c.refresh(ctx, now)
		p, ok = find()
	}
	switch {
	case ok:
		return p, serial, nil
	case failed != nil:
		return platformKey{}, "", fault.In("certificates", failed)
	default:
		return platformKey{}, "", fault.Newf(fault.Denied, "", "signed with a key that we do not know")
	}
}

// certificates is the answer of that call.
type certificates struct {
	Data []struct {
		Serial      string `json:"serial_no"`
		Certificate sealed `json:"encrypt_certificate"`
	} `json:"data"`
}

// refresh fetches the platform certificates. They prove themselves: only who has
// our APIv3 key could encrypt them, and one of them has signed the answer.
func (c *Client) refresh(ctx context.Context, now time.Time) error {
	k := &c.keys
	k.tried = now
	a, err := c.call(ctx, request{method: http.MethodGet, path: pathCertificates, trust: true})
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fault.Newf(fault.Unavailable, "payout.unclear", "status %d and code %q for certificates", a.status, plain(a.code()))
	}
	var list certificates
	if err := unmarshal(a.body, &list); err != nil {
		return fault.Newf(fault.Unavailable, "payout.unclear", "certificates: %w", err)
	}
	ring, newest, last := map[string]platformKey{}, "", time.Time{}
	for _, e := range list.Data {
		text, err := e.Certificate.open(c.cfg.APIv3Key)
		if err != nil {
			return fault.Newf(fault.Denied, "", "a certificate: %w", err)
		}
		cert, err := utils.LoadCertificate(string(text))
		if err != nil {
			return fault.Newf(fault.Denied, "", "a certificate that cannot be read")
		}
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		if serial := utils.GetCertificateSerialNumber(*cert); !ok || serial != e.Serial || !valid(cert, now) {
			continue
		}
		ring[e.Serial] = platformKey{verifiers.NewSHA256WithRSAPubkeyVerifier(e.Serial, *key), key, cert.NotAfter}
		if cert.NotAfter.After(last) {
			newest, last = e.Serial, cert.NotAfter
		}
	}
	return k.take(ctx, c, a, ring, newest, now)
}

// take replaces the ring if one of the new keys has signed the answer.
func (k *keyring) take(ctx context.Context, c *Client, a reply, ring map[string]platformKey, newest string, now time.Time) error {
	probe := &Client{cfg: c.cfg, now: c.now}
	probe.keys = keyring{gate: make(chan struct{}, 1), ring: ring, newest: newest, fixed: true}
	if err := probe.verify(ctx, a.header, a.body); err != nil {
		return fault.Newf(fault.Denied, "", "certificates without a valid signature: %w", err)
	}
	k.ring, k.newest, k.fetched = ring, newest, now
	return nil
}

func valid(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && now.Before(c.NotAfter)
}

// sealed is what WeChat encrypts with the APIv3 key.
type sealed struct {
	Algorithm  string `json:"algorithm"`
	Nonce      string `json:"nonce"`
	Associated string `json:"associated_data"`
	Ciphertext string `json:"ciphertext"`
}

// nonceLen is the only length of nonce that AES-GCM takes without a panic.
const nonceLen = 12

// open decrypts, and fails with fault.Denied for what is not encrypted with key.
func (s sealed) open(key string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(s.Ciphertext)
	if s.Algorithm != "AEAD_AES_256_GCM" || len(s.Nonce) != nonceLen || err != nil {
		return nil, fault.Newf(fault.Denied, "", "not encrypted as agreed")
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, fault.Newf(fault.Internal, "", "the APIv3 key is no key")
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.Newf(fault.Internal, "", "the APIv3 key is no key")
	}
	text, err := gcm.Open(nil, []byte(s.Nonce), raw, []byte(s.Associated))
	if err != nil {
		return nil, fault.Newf(fault.Denied, "", "encrypted with another key")
	}
	return text, nil
}
