// Command consumer builds and runs the programs of examples as a stranger would: in a
// module of its own that takes this one as a zip from a proxy, by its version and
// without a replace.
//
//	go run ./internal/consumer
//
// It fails when a program does not compile, prints something else than it should, or
// compiles third-party code beyond its budget.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const module = "github.com/egrid-analytics/egrid-go"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	begin := time.Now()
	work, err := os.MkdirTemp("", "egrid-consumer-")
	if err != nil {
		return err
	}
	c := &consumer{root: ".", work: work, dir: filepath.Join(work, "consumer"), env: os.Environ()}
	defer func() { err = errors.Join(err, c.clean(context.WithoutCancel(ctx))) }()
	files, err := c.moduleFiles(ctx)
	if err != nil {
		return err
	}
	if c.version, err = version(c.root, files); err != nil {
		return err
	}
	proxy := filepath.Join(work, "proxy")
	size, err := writeProxy(proxy, c.root, c.version, files)
	if err != nil {
		return err
	}
	fmt.Printf("%s@%s: %d files, %.1f MB as a zip\n", module, c.version, len(files), float64(size)/1e6)
	if err := c.prepare(ctx, proxy); err != nil {
		return err
	}
	var faults []error
	for i := range programs {
		p := &programs[i]
		if err := c.try(ctx, p); err != nil {
			faults = append(faults, fmt.Errorf("examples/%s: %w", p.name, err))
		}
	}
	fmt.Printf("%d programs in %.0f s\n", len(programs), time.Since(begin).Seconds())
	return errors.Join(faults...)
}

// consumer is a module that takes ours from a proxy.
type consumer struct {
	root, work, dir string
	version         string
	env             []string
}

// moduleFiles lists what the zip of the module has in it: what git knows or would add,
// without the modules within.
func (c *consumer) moduleFiles(ctx context.Context) ([]string, error) {
	out, err := c.command(ctx, c.root, "git", "ls-files", "-co", "--exclude-standard", "-z")
	if err != nil {
		return nil, err
	}
	all := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	var nested []string
	for _, f := range all {
		if strings.HasSuffix(f, "/go.mod") {
			nested = append(nested, strings.TrimSuffix(f, "go.mod"))
		}
	}
	all = slices.DeleteFunc(all, func(f string) bool {
		_, err := os.Stat(filepath.Join(c.root, f))
		return err != nil || slices.ContainsFunc(nested, func(dir string) bool { return strings.HasPrefix(f, dir) })
	})
	slices.Sort(all)
	return slices.Compact(all), nil
}

// prepare writes the consumer, and gets the module as go get does.
func (c *consumer) prepare(ctx context.Context, proxy string) error {
	upstream, err := c.command(ctx, c.root, "go", "env", "GOPROXY")
	if err != nil {
		return err
	}
	c.env = append(c.env, "GOPROXY=file://"+filepath.ToSlash(proxy)+","+strings.TrimSpace(upstream),
		"GONOSUMDB="+module, "GOFLAGS=-mod=mod -modcacherw", "GOWORK=off")
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, "go.mod"), []byte("module example.com/consumer\n\ngo 1.26.0\n"), 0o600); err != nil {
		return err
	}
	if _, err := c.command(ctx, c.dir, "go", "get", module+"@"+c.version); err != nil {
		return err
	}
	for i := range programs {
		if err := c.copyProgram(programs[i].name); err != nil {
			return err
		}
	}
	return nil
}

// copyProgram copies the Go files of an example. What imports the example itself imports
// the copy.
func (c *consumer) copyProgram(name string) error {
	from := filepath.Join(c.root, "examples", name)
	sources, err := filepath.Glob(filepath.Join(from, "*.go"))
	if err != nil {
		return err
	}
	to := filepath.Join(c.dir, name)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, source := range sources {
		text, err := os.ReadFile(source) //nolint:gosec // G304: a file of this repository
		if err != nil {
			return err
		}
		own := strings.ReplaceAll(string(text), module+"/examples/"+name+`"`, "example.com/consumer/"+name+`"`)
		if err := os.WriteFile(filepath.Join(to, filepath.Base(source)), []byte(own), 0o600); err != nil { //nolint:gosec // G703: below a folder of our own
			return err
		}
	}
	return nil
}

// clean takes the module out of the cache of modules again, and removes the rest.
func (c *consumer) clean(ctx context.Context) error {
	faults := []error{os.RemoveAll(c.work)}
	if cache, err := c.command(ctx, c.root, "go", "env", "GOMODCACHE"); err != nil {
		faults = append(faults, err)
	} else if c.version != "" {
		cache = strings.TrimSpace(cache)
		faults = append(faults, os.RemoveAll(filepath.Join(cache, module+"@"+c.version)))
		kept, err := filepath.Glob(filepath.Join(cache, "cache", "download", module, "@v", c.version+".*"))
		faults = append(faults, err)
		for _, f := range kept {
			faults = append(faults, os.Remove(f))
		}
	}
	return errors.Join(faults...)
}

// command runs a program and returns its standard output.
func (c *consumer) command(ctx context.Context, dir, name string, args ...string) (string, error) {
	return c.pipe(ctx, dir, nil, name, args...)
}

func (c *consumer) pipe(ctx context.Context, dir string, in io.Reader, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: of this program's own tables
	cmd.Dir, cmd.Env, cmd.Stdin = dir, c.env, in
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}
