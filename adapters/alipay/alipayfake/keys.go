package alipayfake

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"fanli/adapters/alipay"
)

const (
	keyBits   = 2048
	keepsDays = 3650
)

// Keys are the certificates of a merchant's application and of a gateway under one
// root, with their keys. Making them takes a moment; several fakes may share them.
type Keys struct {
	app, gateway, stranger  *rsa.PrivateKey
	appCert, gatewayCert    *x509.Certificate
	rootCert, strangerCert  *x509.Certificate
	rootSerial, strangerPEM string
}

// NewKeys makes certificates that are valid around a time.
func NewKeys(now time.Time) (*Keys, error) {
	k := &Keys{}
	var root *rsa.PrivateKey
	for _, to := range []**rsa.PrivateKey{&root, &k.app, &k.gateway, &k.stranger} {
		var err error
		if *to, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
			return nil, fmt.Errorf("alipayfake: %w", err)
		}
	}
	make := func(number int64, name string, key, by *rsa.PrivateKey, parent *x509.Certificate) (*x509.Certificate, error) {
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
	var err error
	if k.rootCert, err = make(2088001, "root", root, root, nil); err != nil {
		return nil, err
	}
	if k.appCert, err = make(2088002, "app", k.app, root, k.rootCert); err != nil {
		return nil, err
	}
	if k.gatewayCert, err = make(2088003, "gateway", k.gateway, root, k.rootCert); err != nil {
		return nil, err
	}
	if k.strangerCert, err = make(2088004, "stranger", k.stranger, k.stranger, nil); err != nil {
		return nil, err
	}
	k.rootSerial = alipay.SerialNumber(k.rootCert)
	k.strangerPEM = certificatePEM(k.strangerCert)
	return k, nil
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
