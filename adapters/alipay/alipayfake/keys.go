package alipayfake

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"

	"fanli/adapters/alipay"
)

const (
	keyBits   = 2048
	keepsDays = 3650
)

// Keys are the certificates of a merchant's application and of a gateway under one
// root, with their keys. Making them takes a moment; several fakes may share them, also at
// the same time.
type Keys struct {
	app, gateway                   *rsa.PrivateKey
	appCert, gatewayCert, rootCert *x509.Certificate
	rootSerial                     string

	// stranger is made when one is first needed: only a gateway that lies has one, and
	// a key takes as long to make as all of a start besides.
	stranger func() (stranger, error)
}

// A stranger signs for a gateway that it is not.
type stranger struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

// NewKeys makes certificates that are valid around a time.
func NewKeys(now time.Time) (*Keys, error) {
	k := &Keys{}
	var root *rsa.PrivateKey
	for _, to := range []**rsa.PrivateKey{&root, &k.app, &k.gateway} {
		var err error
		if *to, err = newKey(); err != nil {
			return nil, err
		}
	}
	var err error
	if k.rootCert, err = certify(now, 2088001, "root", root, root, nil); err != nil {
		return nil, err
	}
	if k.appCert, err = certify(now, 2088002, "app", k.app, root, k.rootCert); err != nil {
		return nil, err
	}
	if k.gatewayCert, err = certify(now, 2088003, "gateway", k.gateway, root, k.rootCert); err != nil {
		return nil, err
	}
	k.rootSerial = alipay.SerialNumber(k.rootCert)
	k.stranger = sync.OnceValues(func() (stranger, error) {
		key, err := newKey()
		if err != nil {
			return stranger{}, err
		}
		cert, err := certify(now, 2088004, "stranger", key, key, nil)
		return stranger{key, cert}, err
	})
	return k, nil
}

func newKey() (*rsa.PrivateKey, error) {
	k, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("alipayfake: %w", err)
	}
	return k, nil
}

// certify makes the certificate of a key, signed by another; without a parent it is a
// root's.
func certify(now time.Time, number int64, name string, key, by *rsa.PrivateKey, parent *x509.Certificate) (*x509.Certificate, error) {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(number),
		Subject:      pkix.Name{Country: []string{"CN"}, Organization: []string{"fanli sandbox"}, CommonName: name},
		NotBefore:    now.AddDate(0, 0, -keepsDays), NotAfter: now.AddDate(0, 0, keepsDays),
		BasicConstraintsValid: true, IsCA: parent == nil, SignatureAlgorithm: x509.SHA256WithRSA,
	}
	if parent == nil {
		parent = t
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, by)
	if err != nil {
		return nil, fmt.Errorf("alipayfake: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Client returns the configuration with which a merchant calls the gateway at an
// address.
func (k *Keys) Client(app, gateway string) alipay.Config {
	return alipay.Config{
		Gateway: gateway, AppID: app, PrivateKey: keyPEM(k.app),
		AppCert: certificatePEM(k.appCert), AlipayCert: certificatePEM(k.gatewayCert), RootCert: certificatePEM(k.rootCert),
	}
}

func keyPEM(k *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
}

func certificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// Serial is how the gateway's certificate is named.
func (k *Keys) Serial() string { return alipay.SerialNumber(k.gatewayCert) }
