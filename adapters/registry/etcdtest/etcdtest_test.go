package etcdtest_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"fanli/adapters/registry/etcdtest"
)

// ask does one thing over etcd's JSON and returns the answer.
func ask(t *testing.T, s *etcdtest.Server, path, body string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Endpoint()+"/v3/kv/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestAKilledEtcdKeepsWhatItHadConfirmed kills an etcd twice and looks what it has.
func TestAKilledEtcdKeepsWhatItHadConfirmed(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	key := s.Prefix(t) + "kept"
	for n := range 2 {
		value := b64(fmt.Sprint("value ", n))
		if _, err := ask(t, s, "put", fmt.Sprintf(`{"key":%q,"value":%q}`, b64(key), value)); err != nil {
			t.Fatal(err)
		}
		s.Kill(t)
		if text, err := ask(t, s, "range", fmt.Sprintf(`{"key":%q}`, b64(key))); err == nil {
			t.Errorf("a killed etcd says %s", text)
		}
		s.Start(t)
		if text, err := ask(t, s, "range", fmt.Sprintf(`{"key":%q}`, b64(key))); err != nil || !strings.Contains(text, value) {
			t.Errorf("after kill %d it says %s, %v", n+1, text, err)
		}
	}
}

// TestPrefixesAreApart takes two of one etcd.
func TestPrefixesAreApart(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	if a, b := s.Prefix(t), s.Prefix(t); a == b || strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		t.Errorf("both tests got %s, %s", a, b)
	}
}
