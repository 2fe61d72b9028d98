package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// program is one of examples: how it is run, what it must say, and what it may compile.
type program struct {
	name    string
	modules []string // third-party modules that it compiles: all, and no others
	most    int      // third-party packages that it compiles at most
	args    []string // $SHEETS is the folder of the sample, $WORK one of its own, $WEB serves the sample
	in      string
	out     []string // lines among those that it prints, in any order
	asks    []ask    // of one that serves
	test    bool     // it is tested, and not run
}

// ask is a request to a program that serves.
type ask struct {
	path, user string
	status     int
	has        string
}

// The modules that come with the API, and with every way of loading.
var (
	httpModules = []string{
		"github.com/danielgtaylor/huma/v2", "github.com/gorilla/mux", "github.com/rs/cors",
	}
	loadModules = []string{"github.com/richardlehane/mscfb", "github.com/richardlehane/msoleps", "github.com/sourcegraph/conc"}
)

var programs = []program{
	{
		name: "factors", args: []string{"$SHEETS/SRL23.csv", "CAMX", "ERCT"},
		out: []string{"SRL23.csv 27 rows of 2023 published"},
	},
	{
		name: "unit-test", test: true,
	},
	{
		name: "custom-consumer", modules: loadModules, most: 8,
		out: []string{"attempt 1: the chat does not answer", "chat: Load held: SRL 2023 from SRL23.csv", "chat: Load finished: 1 held"},
	},
	{
		name: "custom-source", modules: loadModules, most: 8, args: []string{"$WEB/sheets"},
		out: []string{"GEN23.csv GEN 2023 311 published", "SRL23.csv SRL 2023 27 published"},
	},
	{
		name: "inventory", modules: loadModules, most: 8,
		args: []string{"$SHEETS/SRL23.csv", "$SHEETS/ST23.csv", "$SHEETS/GGL23.csv", "$SHEETS/ZIP23.csv"},
		in:   "site,zip,kwh\nHelena,59221,1000\nNowhere,99999,5\n",
		out:  []string{"Helena,59221,1000,1,SRL,MROW,zip,2023"},
	},
	{
		name: "handler", modules: slices.Concat(loadModules, httpModules), most: 20, args: []string{"-addr", "127.0.0.1:0"},
		asks: []ask{
			{"/", "", 200, "The page of the service itself"},
			{"/grid/", "", 200, "<html"},
			{"/grid/plants/top?limit=1", "", 401, "application/problem+json"},
			{"/grid/plants/top?limit=1", "ada:wrong", 401, "name or password is wrong"},
			{"/grid/plants/top?limit=1", "ada:lovelace", 200, `"self":"/grid/plants/top?limit=1"`},
		},
	},
	{
		name: "embed", modules: slices.Concat(loadModules, httpModules, []string{
			"github.com/hashicorp/golang-lru/v2", "modernc.org/sqlite", "modernc.org/libc", "modernc.org/mathutil", "modernc.org/memory",
			"github.com/dustin/go-humanize", "github.com/google/uuid", "github.com/remyoudompheng/bigfft", "golang.org/x/sys",
		}), most: 35, args: []string{"-addr", "127.0.0.1:0", "-store", "$WORK/egrid.db"},
		out: []string{"915 rows are published"},
		asks: []ask{
			{"/", "", 200, "<html"},
			{"/plants/top?limit=1", "", 200, `"basis":"PLNT"`},
			{"/readyz", "", 200, "store"},
		},
	},
}

// try builds a program, counts what it compiles, and runs it.
func (c *consumer) try(ctx context.Context, p *program) error {
	begin := time.Now()
	if p.test {
		_, err := c.command(ctx, c.dir, "go", "test", "./"+p.name)
		fmt.Printf("  %-16s tested in %.1f s\n", p.name, time.Since(begin).Seconds())
		return err
	}
	binary := filepath.Join(c.work, p.name)
	if _, err := c.command(ctx, c.dir, "go", "build", "-o", binary, "./"+p.name); err != nil {
		return err
	}
	if err := c.weigh(ctx, p, binary); err != nil {
		return err
	}
	web := httptest.NewServer(sheets(filepath.Join(c.root, "examples", "data")))
	defer web.Close()
	own := filepath.Join(c.work, p.name+"-files")
	if err := os.MkdirAll(own, 0o700); err != nil {
		return err
	}
	samples, err := filepath.Abs(filepath.Join(c.root, "examples", "data"))
	if err != nil {
		return err
	}
	places := strings.NewReplacer("$SHEETS", samples, "$WORK", own, "$WEB", web.URL)
	args := make([]string, len(p.args))
	for i, arg := range p.args {
		args[i] = places.Replace(arg)
	}
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	var out string
	if p.asks == nil {
		out, err = c.pipe(ctx, own, strings.NewReader(p.in), binary, args...)
	} else {
		out, err = c.serve(ctx, p, binary, args)
	}
	if err != nil {
		return err
	}
	for _, line := range p.out {
		if !strings.Contains(out, line) {
			return fmt.Errorf("it does not print %q, but:\n%s", line, out)
		}
	}
	return nil
}

// weigh holds what the program compiles against its budget.
func (c *consumer) weigh(ctx context.Context, p *program, binary string) error {
	const format = `{{if not .Standard}}{{with .Module}}{{.Path}}{{end}}{{end}}`
	out, err := c.command(ctx, c.dir, "go", "list", "-deps", "-f", format, "./"+p.name)
	if err != nil {
		return err
	}
	packages := strings.Fields(out)
	packages = slices.DeleteFunc(packages, func(of string) bool { return of == module || of == "example.com/consumer" })
	modules := slices.Compact(slices.Sorted(slices.Values(packages)))
	at, err := os.Stat(binary)
	if err != nil {
		return err
	}
	fmt.Printf("  %-16s %2d third-party modules, %2d packages, %5.1f MB\n", p.name, len(modules), len(packages), float64(at.Size())/1e6)
	want := slices.Sorted(slices.Values(p.modules))
	if !slices.Equal(modules, want) {
		return fmt.Errorf("it compiles the modules %q; its budget is %q", modules, want)
	}
	if len(packages) > p.most {
		return fmt.Errorf("it compiles %d third-party packages; its budget is %d", len(packages), p.most)
	}
	return nil
}

// serve starts a program that serves, asks it, and ends it as a person does.
func (c *consumer) serve(ctx context.Context, p *program, binary string, args []string) (_ string, err error) {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // G204: what was built above
	cmd.Env = c.env
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() {
		_ = cmd.Process.Kill() // in vain where it ended by itself
	}()
	lines := bufio.NewScanner(stdout)
	var out strings.Builder
	address := ""
	for address == "" && lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		_, address, _ = strings.Cut(lines.Text(), "serving on ")
	}
	if address == "" {
		return "", fmt.Errorf("it does not serve; it prints:\n%s", out.String())
	}
	for _, a := range p.asks {
		if err := a.of(ctx, address); err != nil {
			return "", err
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("interrupted, it ends with: %w", err)
	}
	return out.String(), nil
}

func (a *ask) of(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+a.path, nil)
	if err != nil {
		return err
	}
	if name, password, ok := strings.Cut(a.user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	text := answer.Header.Get("Content-Type") + "\n" + string(body)
	if answer.StatusCode != a.status || !strings.Contains(text, a.has) {
		return fmt.Errorf("%s as %q: %s, want %d with %q:\n%.500s", a.path, a.user, answer.Status, a.status, a.has, text)
	}
	return nil
}

// sheets serves a folder, and a list of its tables at /sheets.
func sheets(dir string) http.Handler {
	mux := http.NewServeMux()
	files := http.FileServer(http.Dir(dir))
	mux.HandleFunc("/sheets", func(w http.ResponseWriter, _ *http.Request) {
		names, err := filepath.Glob(filepath.Join(dir, "*.csv"))
		if err == nil && len(names) == 0 {
			err = errors.New("the folder has no tables")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for _, name := range names {
			fmt.Fprintln(w, filepath.Base(name))
		}
	})
	mux.HandleFunc("/sheets/{name}", func(w http.ResponseWriter, r *http.Request) {
		at, err := os.Stat(filepath.Join(dir, filepath.Base(r.PathValue("name"))))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, at.ModTime().UnixNano(), at.Size()))
		http.StripPrefix("/sheets", files).ServeHTTP(w, r)
	})
	return mux
}
