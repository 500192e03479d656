package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// unwatched is why tests are skipped where the test binary is watched.
const unwatched = "skipped under the race detector, which does not watch other processes: stage 2 runs it"

// programDir is where the binary of this test run is.
func programDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("fanli-deploy-%d", os.Getpid()))
}

// program is fanli, built once.
var program = sync.OnceValues(func() (string, error) {
	if err := os.Mkdir(programDir(), 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(programDir(), "fanli")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "fanli/cmd/fanli").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(programDir())
	os.Exit(code)
}

// A process is one fanli as a file here starts it.
type process struct {
	name string
	args []string          // serve and its flags
	env  map[string]string // what is set; files of secrets are in dir
}

// runs holds a process against fanli: it knows the flags, and takes the configuration.
func (p process) runs(t *testing.T) {
	t.Helper()
	fanli, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.args) == 0 || p.args[0] != "serve" {
		t.Fatalf("%s runs %v", p.name, p.args)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	for name, value := range p.env {
		env = append(env, name+"="+value)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), fanli, args...)
		cmd.Env, cmd.Dir = env, t.TempDir()
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(append(slices.Clone(p.args), "--help")...); err != nil {
		t.Errorf("%s: %v: %v\n%s", p.name, p.args, err, out)
	}
	check := []string{"check"}
	for i, a := range p.args[1:] { // targets are read from the environment, too
		switch a {
		case "--targets":
			env = append(env, "FANLI_TARGETS="+p.args[i+2])
		case "--config", "--data":
			check = append(check, a, p.args[i+2])
		}
	}
	if out, err := run(check...); err != nil {
		t.Errorf("%s: %v with %v: %v\n%s", p.name, check, p.env, err, out)
	}
}

// says is what a line of a Dockerfile says after a word.
func says(t *testing.T, text []byte, word string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^`+word+` (.*)$`).FindAllSubmatch(text, -1)
	if len(m) == 0 {
		t.Fatalf("there is no %s", word)
	}
	return string(m[len(m)-1][1])
}

func TestTheImage(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if want := "golang:" + string(version[1]) + " "; !bytes.Contains(text, []byte("FROM "+want)) {
		t.Errorf("it is not built by %s, as go.mod demands", want)
	}
	if says(t, text, "USER") == "root" || says(t, text, "ENTRYPOINT") != `["/fanli"]` {
		t.Error("it runs something else")
	}
	p := process{name: "the image", args: []string{"serve"}, env: map[string]string{}}
	for _, set := range strings.Fields(says(t, text, "ENV")) {
		name, value, _ := strings.Cut(set, "=")
		p.env[name] = value
	}
	if p.env["FANLI_LISTEN"] != "0.0.0.0:"+says(t, text, "EXPOSE") || p.env["FANLI_DATA"] != says(t, text, "VOLUME") {
		t.Errorf("what it listens on or writes to is not shown to the outside: %v", p.env)
	}
	p.env["FANLI_DATA"] = t.TempDir()
	p.runs(t)
}

// unit reads a unit of systemd: the values of each key.
func unit(t *testing.T, path string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "[") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Errorf("%s: %q is no setting", path, line)
		}
		out[key] = append(out[key], value)
	}
	return out
}

func TestTheUnits(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	for name, targets := range map[string][]string{"fanli.service": {""}, "fanli@.service": {"gateway", "bot", "user", "order", "rebate", "payment", "notification"}} {
		path := filepath.Join("systemd", name)
		u := unit(t, path)
		for _, target := range targets {
			line := strings.ReplaceAll(u["ExecStart"][0], "%i", target)
			args := strings.Fields(line)
			if args[0] != "/usr/local/bin/fanli" {
				t.Errorf("%s starts %s", name, args[0])
			}
			dir := t.TempDir()
			config := filepath.Join(dir, "fanli.yaml")
			write(t, config, "data: "+dir+"\n"+splitOf(target))
			for i, a := range args {
				switch a {
				case "/etc/fanli/fanli.yaml":
					args[i] = config
				case "/var/lib/fanli", "/var/lib/fanli-" + target:
					if want := strings.TrimPrefix(a, "/var/lib/"); strings.ReplaceAll(u["StateDirectory"][0], "%i", target) != want {
						t.Errorf("%s writes to %s, which it does not have", name, a)
					}
					args[i] = dir
				}
			}
			process{name: name + " " + target, args: args[1:]}.runs(t)
		}
		if analyze, err := exec.LookPath("systemd-analyze"); err == nil {
			if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput(); err != nil && !bytes.Contains(out, []byte("not executable")) && !bytes.Contains(out, []byte("Failed to")) {
				t.Errorf("%s: %s", name, out)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// splitOf is the least that a target by itself needs; "" for all in one process.
func splitOf(target string) string {
	if target == "" {
		return ""
	}
	return `
database: {dsn: "mysql://fanli:x@db:3306/fanli_{target}", seal_key: "` + strings.Repeat("0", 64) + `"}
peers: {listen: "0.0.0.0:9090", token: "sixteen bytes or more"}
registry: {url: "etcd://etcd:2379"}
broker: {url: "amqp://fanli:x@mq/"}
networks: {jd: {app_key: k, app_secret: s}}
`
}
