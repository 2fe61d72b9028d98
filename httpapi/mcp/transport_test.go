package mcp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/mcp"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

const keyHeader = "X-API-Key"

// keyed sends an API key with every request.
type keyed struct {
	key string
	to  http.RoundTripper
}

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(keyHeader, k.key)
	return k.to.RoundTrip(r)
}

// byKey knows one key, of a reader.
func byKey(r *http.Request) (middleware.Identity, error) {
	switch r.Header.Get(keyHeader) {
	case "":
		return middleware.Identity{}, nil
	case "reader":
		return middleware.Identity{Subject: "reader", Scopes: []middleware.Scope{middleware.ScopeRead}}, nil
	}
	return middleware.Identity{}, &middleware.CredentialError{Reason: "unknown key"}
}

// observed collects what an API observes.
type observed struct {
	mu  sync.Mutex
	all []middleware.Observation
}

func (o *observed) take(one middleware.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, one)
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	var seen observed
	server := httptest.NewServer(small(t, &httpapi.Options{MCP: mcp.Handler, Authenticate: byKey, RequireAuth: true, Observe: seen.take}))
	t.Cleanup(server.Close)
	over := func(key string) *sdk.StreamableClientTransport {
		return &sdk.StreamableClientTransport{Endpoint: server.URL + "/mcp", HTTPClient: &http.Client{Transport: keyed{key, server.Client().Transport}}, MaxRetries: -1}
	}
	client := session(t, over("reader"), func() {})
	if result, text := call(t, client, "factor", arguments{"subregion": "CAMX"}); result.IsError || !strings.Contains(text, "500 lb/MWh") {
		t.Errorf("factor: %s", text)
	}
	if result, text := call(t, client, "factor", arguments{"subregion": "CAMY"}); !result.IsError || !strings.Contains(text, "ERCT") {
		t.Errorf("factor: %s", text)
	}
	if list, err := client.ListTools(t.Context(), nil); err != nil || len(list.Tools) != 9 {
		t.Errorf("tools: %v %v", list, err)
	}
	for _, key := range []string{"", "stranger"} {
		_, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), over(key), nil)
		if err == nil {
			t.Errorf("the key %q is let in", key)
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, o := range seen.all {
		if refused := o.Status == http.StatusUnauthorized || o.Status == http.StatusMethodNotAllowed; o.Route != "/mcp" && !refused {
			t.Errorf("a request is observed as %+v", o)
		}
	}
}

// TestGuards: what stands around the API stands around the tools.
func TestGuards(t *testing.T) {
	t.Parallel()
	const hello = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	post := func(body string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		return r
	}
	open := &httpapi.Options{MCP: mcp.Handler}
	proxied := post(hello)
	proxied.Host = "egrid.example.org"
	local := context.WithValue(proxied.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000})
	form := post(hello)
	form.Header.Set("Content-Type", "text/plain")
	for name, test := range map[string]struct {
		o      *httpapi.Options
		r      *http.Request
		status int
	}{
		"open":           {open, post(hello), http.StatusOK},
		"behind a proxy": {open, proxied.WithContext(local), http.StatusOK},
		"of a page":      {open, form, http.StatusUnsupportedMediaType},
		"no JSON":        {open, post("hello"), http.StatusBadRequest},
		"a get":          {open, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mcp", nil), http.StatusMethodNotAllowed},
		"a delete":       {open, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/mcp", nil), http.StatusMethodNotAllowed},
		"not mounted":    {nil, post(hello), http.StatusNotFound},
		"closed":         {&httpapi.Options{MCP: mcp.Handler, Authenticate: byKey, RequireAuth: true}, post(hello), http.StatusUnauthorized},
		"too long":       {&httpapi.Options{MCP: mcp.Handler, MaxBodyBytes: 1000}, post(hello + strings.Repeat(" ", 1000)), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			small(t, test.o).ServeHTTP(w, test.r)
			if w.Code != test.status {
				t.Errorf("%d %s; want %d", w.Code, w.Body, test.status)
			}
			if w.Header().Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
		})
	}
	h := small(t, &httpapi.Options{MCP: mcp.Handler, RateLimit: &middleware.RateLimitOptions{Requests: 2}})
	var statuses []int
	for range 3 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(hello))
		statuses = append(statuses, w.Code)
	}
	if !slices.Equal(statuses, []int{200, 200, 429}) {
		t.Errorf("three requests of two are answered by %v", statuses)
	}
}

// TestServe: the end of input is the end, and so is that of the context.
func TestServe(t *testing.T) {
	t.Parallel()
	server := mcp.New(small(t, nil), nil)
	if err := mcp.Serve(t.Context(), server, strings.NewReader(""), io.Discard); err != nil {
		t.Error("an empty input:", err)
	}
	in, hold := io.Pipe()
	defer hold.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mcp.Serve(ctx, server, in, io.Discard) }()
	cancel()
	if err := <-ended; err != nil {
		t.Error("a context that ends:", err)
	}
}

// command makes the command egrid, and loads files into a store of its own.
func command(t *testing.T) (egrid, url string) {
	t.Helper()
	dir := t.TempDir()
	egrid = filepath.Join(dir, "egrid")
	run := func(name string, args ...string) {
		c := exec.CommandContext(t.Context(), name, args...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	run("go", "build", "-o", egrid, "github.com/egrid-analytics/egrid-go/hosts/egrid")
	url = "sqlite:" + filepath.Join(dir, "test.db")
	for _, name := range []string{"SRL23.csv", "PLNT23.csv"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		run(egrid, "load", "--store", url, file)
	}
	return egrid, url
}

func TestCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it is told to stop by a signal")
	}
	testenv.ClearSettings()
	egrid, url := command(t)
	client := session(t, &sdk.CommandTransport{Command: exec.CommandContext(context.WithoutCancel(t.Context()), egrid, "mcp", "--store", url, "--log-level", "debug")}, func() {})
	if result, text := call(t, client, "factor", arguments{"subregion": "ERCT", "gas": "co2e"}); result.IsError || !strings.Contains(text, "900 lb/MWh") {
		t.Errorf("factor: %s", text)
	}
	if result, text := call(t, client, "inventory", arguments{"sites": []arguments{{"subregion": "ERCT", "mwh": 2}}}); result.IsError || !strings.Contains(text, "1 of 1 sites answered") {
		t.Errorf("inventory: %s", text)
	}
	if result, text := call(t, client, "zip", arguments{"zip": "90001"}); !result.IsError {
		t.Errorf("zip: %s", text)
	}

	stopped := exec.CommandContext(t.Context(), egrid, "mcp", "--store", url)
	in, err := stopped.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := stopped.StdoutPipe()
	if err == nil {
		err = stopped.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 1)); n != 1 {
		t.Fatal("it does not answer:", err)
	}
	if err := stopped.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := stopped.Wait(); err != nil {
		t.Error("told to stop:", err)
	}
}
