package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sealKeyLen is the length of the key that seals payout accounts, in bytes.
const sealKeyLen = 32

// sealKey returns the configured key, or that of the folder dir.
func (a *app) sealKey(dir string) ([]byte, error) {
	if a.cfg.Database.SealKey != "" {
		return hex.DecodeString(a.cfg.Database.SealKey)
	}
	return sealKey(dir)
}

// sealKey returns the key that seals payout accounts. It is made at the first
// start and kept beside the database, readable by its owner only; a backup of the
// database alone reveals no account.
func sealKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "seal.key")
	for range 2 {
		text, err := os.ReadFile(path) //nolint:gosec // the operator names the folder
		if err == nil {
			key, err := hex.DecodeString(strings.TrimSpace(string(text)))
			if err != nil || len(key) != sealKeyLen {
				return nil, fmt.Errorf("%s: not a key of %d bytes in hexadecimal; restore it from your backup", path, sealKeyLen)
			}
			return key, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err := makeSealKey(dir, path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: cannot be made", path)
}

// makeSealKey writes a new key under another name and links it, so that of two
// processes one wins and nobody reads half a key.
func makeSealKey(dir, path string) error {
	key := make([]byte, sealKeyLen)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "seal.*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // only the name goes; the linked file stays
	_, err = tmp.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}
