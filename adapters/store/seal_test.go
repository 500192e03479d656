package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanli/adapters/store"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// canary is an account that is nowhere but where it should be.
func canary() user.Payee {
	return user.Payee{Method: "alipay", Account: "canary-13812345678", Name: "金丝雀", Changed: start}
}

// settle stores a user with the canary as payee, who has also written it into a
// chat and a dialogue, and a withdrawal to it. It returns the ids of user and
// withdrawal.
func settle(t *testing.T, db *store.DB) (id, withdrawal int64) {
	t.Helper()
	must(t, db.Users().InTx(t.Context(), func(tx user.Tx) (err error) {
		if id, err = tx.Insert(user.User{Locale: "zh", Joined: start}, user.Identity{Channel: "web", External: "a"}); err != nil {
			return err
		}
		return tx.SetPayee(id, canary())
	}))
	must(t, db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) (err error) {
		withdrawal, err = tx.Insert(withdraw.Withdrawal{
			Key: "k", User: id, Amount: 100, Payee: canary(), State: withdraw.Approved, Rev: 1, At: start, Changed: start,
		})
		return err
	}))
	said := []byte(canary().Account + " " + canary().Name)
	must(t, db.Memory().SetDialogue(t.Context(), id, 0, said))
	_, _, err := db.Memory().Append(t.Context(), "chat", "", false, said, start)
	must(t, err)
	return id, withdrawal
}

func TestWhatIsSealedIsNotInTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "fanli.db")
	settle(t, open(t, store.Config{Path: path}))
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		b := read(t, filepath.Join(dir, f.Name()))
		for _, secret := range []string{canary().Account, "13812345678", canary().Name} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %q", f.Name(), secret)
			}
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v: others can read it", f.Name(), info.Mode(), err)
		}
	}
	if len(files) < 2 {
		t.Errorf("looked at %d files only", len(files))
	}
}

// with is a place under other seal keys.
func with(here store.Config, key []byte, old ...[]byte) store.Config {
	here.SealKey, here.OldSealKeys = key, old
	return here
}

func TestSealKeysChange(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		id, withdrawal := settle(t, open(t, here))
		fresh := bytes.Repeat([]byte("n"), 32)
		wrong := reopen(t, with(here, fresh))
		_, err := wrong.Users().Payee(t.Context(), id)
		if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "key") || strings.Contains(err.Error(), "canary") {
			t.Errorf("Payee under another key: %v", err)
		}
		_, err = wrong.Withdrawals().Withdrawal(t.Context(), withdrawal)
		if !fault.Is(err, fault.Internal) {
			t.Errorf("Withdrawal under another key: %v", err)
		}
		rotated := reopen(t, with(here, fresh, sealKey()))
		if p, err := rotated.Users().Payee(t.Context(), id); err != nil || p != canary() {
			t.Errorf("Payee under an old key: %v, %v", p, err)
		}
		must(t, rotated.Users().InTx(t.Context(), func(tx user.Tx) error { return tx.SetPayee(id, canary()) }))
		if p, err := wrong.Users().Payee(t.Context(), id); err != nil || p != canary() { // sealed under the fresh key now
			t.Errorf("Payee after it was sealed anew: %v, %v", p, err)
		}
	})
}

// TestASealedPayeeIsBoundToItsOwner moves one to where it would send somebody
// else's money.
func TestASealedPayeeIsBoundToItsOwner(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		id, withdrawal := settle(t, db)
		shell := raw(t, here)
		for _, statement := range []string{
			"INSERT INTO user_payees (user_id, sealed) SELECT 99, sealed FROM user_payees",
			"UPDATE payment_withdrawals SET payee = (SELECT sealed FROM user_payees WHERE user_id = 99)",
		} {
			_, err := shell.ExecContext(t.Context(), statement)
			must(t, err)
		}
		_, err := db.Users().Payee(t.Context(), 99)
		_, wErr := db.Withdrawals().Withdrawal(t.Context(), withdrawal)
		for _, err := range []error{err, wErr} {
			if !fault.Is(err, fault.Internal) {
				t.Errorf("a payee that was moved: %v, want an error", err)
			}
		}
		if p, err := db.Users().Payee(t.Context(), id); err != nil || p != canary() {
			t.Errorf("Payee of its owner: %v, %v", p, err)
		}
	})
}

// TestASealedPayeeCannotBeChanged turns every byte of one.
func TestASealedPayeeCannotBeChanged(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		id, _ := settle(t, db)
		shell := raw(t, here)
		var sealed string
		must(t, shell.QueryRowContext(t.Context(), "SELECT sealed FROM user_payees").Scan(&sealed))
		for i := range sealed {
			b := []byte(sealed)
			b[i] ^= 1
			_, err := shell.ExecContext(t.Context(), "UPDATE user_payees SET sealed = ?", string(b))
			must(t, err)
			if p, err := db.Users().Payee(t.Context(), id); err == nil && i < len(sealed)-1 { // the last one holds unused bits
				t.Errorf("byte %d was changed and the payee is %v", i, p)
			}
		}
	})
}
