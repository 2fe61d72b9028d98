package service_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSecretsAreNotLogged runs hosts at level debug with secrets of every kind,
// good and useless ones, and looks for them in all that the hosts say.
func TestSecretsAreNotLogged(t *testing.T) {
	dir := build(t)
	files := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const password = "pw-6b1f0c9e44"
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(readerKey)))
	secrets := []string{tokenSecret, readerKey, writerKey, password, hash}
	clean := func(t *testing.T, name, said string) {
		t.Helper()
		for _, secret := range secrets {
			if strings.Contains(said, secret) {
				t.Errorf("%s: %q is told:\n%s", name, secret, said)
			}
		}
	}
	issuer := []string{"--jwt-issuer=https://id.example/", "--jwt-audience=egrid"}

	t.Run("service", func(t *testing.T) {
		t.Setenv("EGRID_API_KEYS", "reader read "+hash)
		p := start(t, filepath.Join(dir, "api"), append(issuer, "--store=mem:", "--addr=127.0.0.1:0", "--log-level=debug", "--require-auth",
			"--jwt-secret-file="+write("secret", tokenSecret), "--rate-limit=1000")...)
		good := token(hsHeader, claimsWith(nil), hs256([]byte(tokenSecret)))
		secrets = append(secrets, good, good[len(good)-24:])
		for _, test := range []struct {
			target, name, value string
			status              int
		}{
			{"/plants/years", "X-API-Key", readerKey, 200},
			{"/plants/years", "Authorization", "Bearer " + good, 200},
			{"/plants/years", "Authorization", "Bearer " + good + "x", 401},
			{"/plants/years", "Authorization", "Basic " + password, 401},
			{"/plants/years", "X-API-Key", writerKey, 401},
			{"/plants/years?access_token=" + good + "&api_key=" + readerKey, "X-API-Key", readerKey, 400},
			{"/errors", "", "", 401},
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+test.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.name != "" {
				r.Header.Set(test.name, test.value)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != test.status {
				t.Errorf("%s with %s: %d; want %d", test.target, test.name, answer.StatusCode, test.status)
			}
		}
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-p.end
		if err := p.Wait(); err != nil || strings.Count(p.log.String(), `"msg":"request"`) < 7 {
			t.Errorf("%v\n%s", err, &p.log)
		}
		clean(t, "service", p.log.String())
	})

	// Programs that end at once, and say why.
	for name, test := range map[string]struct {
		host string
		args []string
		env  string
	}{
		"short secret":         {"api", append(issuer, "--store=mem:"), "EGRID_JWT_SECRET=" + password},
		"secret without names": {"api", []string{"--store=mem:"}, "EGRID_JWT_SECRET=" + tokenSecret},
		"secret twice":         {"api", append(issuer, "--store=mem:", "--jwt-secret-file="+write("twice", tokenSecret)), "EGRID_JWT_SECRET=" + tokenSecret},
		"keys in clear":        {"api", []string{"--store=mem:", "--api-keys-file=" + write("clear", "reader read "+readerKey)}, ""},
		"keys of no scope":     {"api", []string{"--store=mem:"}, "EGRID_API_KEYS=reader root " + hash},
		"empty file":           {"api", append(issuer, "--store=mem:", "--jwt-secret-file="+write("empty", "\n")), ""},
		"no such file":         {"api", append(issuer, "--store=mem:", "--jwt-secret-file="+filepath.Join(files, "none")), ""},
		"nobody is known":      {"api", []string{"--store=mem:", "--require-auth"}, ""},
		"key set by http":      {"api", append(issuer, "--store=mem:", "--jwks=http://id.example/jwks"), ""},
		"key set with a user":  {"api", append(issuer, "--store=mem:", "--jwks=https://a:"+password+"@id.example/jwks"), ""},
		"proxy":                {"api", []string{"--store=mem:", "--trusted-proxies=somewhere"}, ""},
		"proxy of the gateway": {"gateway", []string{"--trusted-proxies=10.0.0.0/33"}, ""},
		"half a certificate":   {"web", []string{"--addr=127.0.0.1:0", "--tls-cert=" + write("cert", "x")}, ""},
		"no certificate":       {"web", []string{"--addr=127.0.0.1:0", "--tls-cert=" + write("cert", "x"), "--tls-key=" + write("key", password)}, ""},
		"queue with a #":       {"consumer", []string{"database", "--store=mem:", "--queue=amqp://u:" + password + "#1@127.0.0.1:5672/", "--addr=127.0.0.1:0"}, ""},
		"queue with a /":       {"etl", []string{"--store=mem:", "--queue=amqp://u:" + password + "/1@127.0.0.1:5672/", "--addr=127.0.0.1:0", files}, ""},
		"store with a #":       {"api", []string{"--store=postgres://u:" + password + "#1@127.0.0.1/x", "--addr=127.0.0.1:0"}, ""},
		"store of a driver":    {"api", []string{"--store=postgresql+psycopg2://u:" + password + "@127.0.0.1/x", "--addr=127.0.0.1:0"}, ""},
		"store in capitals":    {"api", []string{"--store=Postgres://u:" + password + "@127.0.0.1/x", "--addr=127.0.0.1:0"}, ""},
		"store as settings":    {"api", []string{"--store=host=127.0.0.1 password=" + password, "--addr=127.0.0.1:0"}, ""},
		"store in a file":      {"api", []string{"--addr=127.0.0.1:0"}, "EGRID_STORE_FILE=" + write("store", "postgresql+psycopg2://u:"+password+"@127.0.0.1/x")},
		"queue in a file":      {"consumer", []string{"database", "--store=mem:", "--addr=127.0.0.1:0"}, "EGRID_QUEUE_FILE=" + write("queue", "amqp://u:"+password+"#1@127.0.0.1:5672/")},
		"no file of a store":   {"api", []string{"--addr=127.0.0.1:0"}, "EGRID_STORE_FILE=" + filepath.Join(files, "none")},
		"no file of a key":     {"etl", []string{"--store=mem:", "--queue=amqp://127.0.0.1:1/", "s3://bucket/"}, "EGRID_S3_SECRET_KEY_FILE=" + filepath.Join(files, "none")},
		"no file of etl's key": {"api", []string{"--store=mem:", "--etl=http://127.0.0.1:1"}, "EGRID_ETL_KEY_FILE=" + filepath.Join(files, "none")},
		"profiles for all":     {"web", []string{"--addr=127.0.0.1:0", "--pprof-addr=0.0.0.0:0"}, ""},
		"profiles on a port":   {"web", []string{"--addr=127.0.0.1:0", "--pprof-addr=:6060"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), filepath.Join(dir, test.host), append(test.args, "--log-level=debug")...)
			command.Env = append(os.Environ(), test.env)
			out, _ := command.CombinedOutput()
			if code := command.ProcessState.ExitCode(); code != 2 || !bytes.Contains(out, []byte("invalid")) {
				t.Errorf("exit status %d\n%s", code, out)
			}
			clean(t, name, string(out))
		})
	}

	// Programs that wait for what is not there, and say so again and again.
	for name, args := range map[string][]string{
		"store": {"api", "--store=postgres://egrid:" + password + "@127.0.0.1:1/egrid"},
		"queue": {"etl", "--store=mem:", "--queue=amqp://egrid:" + password + "@127.0.0.1:1/egrid", files},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
			defer stop()
			command := exec.CommandContext(ctx, filepath.Join(dir, args[0]), append(args[1:], "--log-level=debug", "--addr=127.0.0.1:0")...)
			command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
			command.WaitDelay = 10 * time.Second
			out, _ := command.CombinedOutput()
			if !bytes.Contains(out, []byte("waiting for the "+name)) {
				t.Errorf("no sign of waiting: %s", out)
			}
			clean(t, name, string(out))
		})
	}
}
