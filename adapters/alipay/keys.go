package alipay

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// keyBitsMin is what RSA2 demands.
const keyBitsMin = 2048

// keys are what a configuration's texts hold.
type keys struct {
	private  *rsa.PrivateKey
	app      *x509.Certificate
	alipay   *x509.Certificate
	serial   string // of alipay
	verifier *rsa.PublicKey
}

// keys reads the texts, or returns all that is wrong with them.
func (c Config) keys() (k keys, err error) {
	var errs []error
	bad := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("alipay: %s: %w", key, err))
		}
	}
	k.private, err = privateKey(c.PrivateKey)
	bad("private_key", err)
	k.app, err = certificate(c.AppCert)
	bad("app_cert", err)
	k.alipay, err = certificate(c.AlipayCert)
	bad("alipay_cert", err)
	bad("root_cert", rootCertificates(c.RootCert))
	if k.app != nil && k.private != nil && !k.private.PublicKey.Equal(k.app.PublicKey) {
		bad("private_key", errors.New("is not the key of app_cert"))
	}
	if k.alipay != nil {
		k.serial, k.verifier = SerialNumber(k.alipay), k.alipay.PublicKey.(*rsa.PublicKey)
	}
	if k.app != nil && k.alipay != nil && k.app.Equal(k.alipay) {
		bad("alipay_cert", errors.New("is the same as app_cert; it is the file called alipayCertPublicKey"))
	}
	return k, errors.Join(errs...)
}

// validAt refuses certificates that are not valid at a time.
func (k keys) validAt(now time.Time) error {
	var errs []error
	for key, c := range map[string]*x509.Certificate{"app_cert": k.app, "alipay_cert": k.alipay} {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			errs = append(errs, fmt.Errorf("alipay: %s: is valid from %s to %s only", key, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly)))
		}
	}
	return errors.Join(errs...)
}

// privateKey reads a key as PEM or, as Alipay's own tool writes it, as bare
// base64; in PKCS #1 or #8.
func privateKey(text string) (*rsa.PrivateKey, error) {
	if text == "" {
		return nil, errors.New("is missing; better from FANLI_ALIPAY_PRIVATE_KEY_FILE")
	}
	wrong := errors.New("is no RSA key in PKCS #1 or #8")
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, wrong
		}
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		any, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, wrong
		}
		var ok bool
		if key, ok = any.(*rsa.PrivateKey); !ok {
			return nil, wrong
		}
	}
	if key.N.BitLen() < keyBitsMin {
		return nil, fmt.Errorf("has fewer than %d bits", keyBitsMin)
	}
	return key, nil
}

// certificate reads the first certificate of a PEM text.
func certificate(text string) (*x509.Certificate, error) {
	if text == "" {
		return nil, errors.New("is missing; Alipay's console gives it to download")
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("is no certificate in PEM")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errors.New("is no certificate that can be read")
	}
	if _, ok := c.PublicKey.(*rsa.PublicKey); !ok {
		return nil, errors.New("is not for RSA, which RSA2 signatures are made with")
	}
	return c, nil
}

// rootCertificates wants at least one RSA certificate. Alipay's file also has
// some of Chinese algorithms, which cannot be read and do not count.
func rootCertificates(text string) error {
	if text == "" {
		return errors.New("is missing; Alipay's console gives it to download")
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return errors.New("has no RSA certificate in PEM")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err == nil && (c.SignatureAlgorithm == x509.SHA256WithRSA || c.SignatureAlgorithm == x509.SHA1WithRSA) {
			return nil
		}
	}
}

// SerialNumber is how Alipay names a certificate: the MD5 of its issuer with its
// number.
func SerialNumber(c *x509.Certificate) string {
	sum := md5.Sum([]byte(c.Issuer.String() + c.SerialNumber.String()))
	return hex.EncodeToString(sum[:])
}
