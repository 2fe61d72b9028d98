package doccheck_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/internal/doccheck"
)

var seconds = flag.Bool("seconds", false, "print how long each block takes")

const root = "../.."

// untried are documents whose commands need what a test has not.
var untried = map[string]string{
	"docs/decisions.md":   "it tells of what was decided; its commands are those of the measurements",
	"docs/performance.md": "make bench writes it",
	"docs/exports.md":     "make exports tries it",
}

// documents are all Markdown files of the root and of docs.
func documents(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			names = append(names, filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// command builds the command once.
var command = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "egrid-doccheck-")
	if err != nil {
		return "", err
	}
	built.Store(&dir)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "egrid"), "./hosts/egrid")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

var built atomic.Pointer[string] // folder of the command

func TestMain(m *testing.M) {
	code := m.Run()
	if dir := built.Load(); dir != nil {
		_ = os.RemoveAll(*dir) // of a temporary folder
	}
	os.Exit(code)
}

// TestDocuments runs every command that the documents show.
func TestDocuments(t *testing.T) {
	bin, err := command()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range documents(t) {
		if reason := untried[name]; reason != "" {
			t.Logf("%s is not tried: %s", name, reason)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			blocks, err := doccheck.Blocks(string(text))
			if err != nil {
				t.Fatal(err)
			}
			r := &reader{t: t, bin: bin}
			for i := range blocks {
				switch b := &blocks[i]; {
				case b.NotRun != "":
				case b.Language == "sh":
					r.shell(b)
				case b.Language == "go" && strings.HasPrefix(b.Text, "package "):
					r.program(b)
				}
			}
		})
	}
}

// reader is somebody who follows a document.
type reader struct {
	t         *testing.T
	bin       string
	dir, home string
	address   string // of what is served
}

// begin makes the folder with what a reader has: EPA's workbooks of two releases and two
// years, and a crosswalk of ZIP codes. Their figures are generated.
func (r *reader) begin() {
	r.t.Helper()
	if r.dir != "" {
		return
	}
	r.dir, r.home = r.t.TempDir(), r.t.TempDir()
	for name, o := range map[string]egridtest.SampleOptions{
		"egrid2022_data.xlsx":      {Year: 2022, Seed: 2},
		"egrid2023_data_rev1.xlsx": {Seed: 3, Release: "rev1"},
		"egrid2023_data_rev2.xlsx": {Release: "rev2"},
	} {
		sample := egridtest.NewSample(&o)
		var sheets []egridtest.Sheet
		for _, level := range egridtest.SampleLevels() {
			if level == egrid.ZIP {
				continue
			}
			var text bytes.Buffer
			if err := sample.Write(&text, level); err != nil {
				r.t.Fatal(err)
			}
			title, _, _ := strings.Cut(sample.Name(level), ".")
			title, _, _ = strings.Cut(title, "_")
			sheets = append(sheets, egridtest.Sheet{Name: title, CSV: text.String()})
		}
		var book bytes.Buffer
		if err := egridtest.WriteWorkbook(&book, sheets...); err != nil {
			r.t.Fatal(err)
		}
		r.write(name, book.Bytes())
	}
	var text bytes.Buffer
	if err := egridtest.NewSample(nil).Write(&text, egrid.ZIP); err != nil {
		r.t.Fatal(err)
	}
	r.write("zip.csv", text.Bytes())
}

func (r *reader) write(name string, text []byte) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), text, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// environment is that of somebody who has just installed the command.
func (r *reader) environment() []string {
	return []string{
		"PATH=" + r.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + r.home, "TMPDIR=" + r.home, "TZ=UTC", "LC_ALL=C.UTF-8",
		"EGRID_ADDR=127.0.0.1:0", // any free port, in place of that which the documents name
	}
}

// plants puts plants of the generated files in the place of those of EPA's that the
// documents name.
var plants = strings.NewReplacer("3470", "900133", "6146", "900109")

const written = "127.0.0.1:4000" // what the documents call the address

func (r *reader) shell(b *doccheck.Block) {
	r.t.Helper()
	r.begin()
	text := plants.Replace(b.Text)
	if r.address != "" {
		text = strings.ReplaceAll(text, written, r.address)
	}
	if b.Serves {
		r.serve(b, text)
		return
	}
	ctx, stop := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "bash", "-eu", "-o", "pipefail", "-c", text)
	if b.Exit != 0 {
		cmd.Args[1] = "-u" // the last command fails, and is the last
	}
	cmd.Dir, cmd.Env = r.dir, r.environment()
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatalf("line %d: %v", b.Line, err)
	}
	if *seconds {
		fmt.Printf("line %d: %.2f s\n", b.Line, time.Since(begin).Seconds())
	}
	if got := cmd.ProcessState.ExitCode(); got != b.Exit {
		r.t.Errorf("line %d: exit status %d; want %d\n%s\n%s", b.Line, got, b.Exit, b.Text, out)
	}
	for _, want := range b.Prints {
		want = plants.Replace(want)
		if !strings.Contains(string(out), want) {
			r.t.Errorf("line %d does not print %q, but\n%s", b.Line, want, out)
		}
	}
}

// serve starts a block that serves, and ends it with the document.
func (r *reader) serve(b *doccheck.Block, text string) {
	r.t.Helper()
	log := filepath.Join(r.home, fmt.Sprintf("line-%d", b.Line))
	out, err := os.Create(log)
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.CommandContext(r.t.Context(), "bash", "-eu", "-c", "exec "+strings.TrimSpace(text))
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) > 1 {
		lines[len(lines)-1] = "exec " + lines[len(lines)-1]
		cmd.Args[3] = strings.Join(lines, "\n")
	}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.dir, r.environment(), out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	var failed error
	ended := make(chan struct{})
	go func() {
		failed = cmd.Wait()
		close(ended)
	}()
	r.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // in vain where it has ended
		<-ended
		_ = out.Close() // of a file that nobody reads any more
	})
	const mark = "dashboard and API: http://"
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		said, err := os.ReadFile(log)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, rest, ok := strings.Cut(string(said), mark); ok {
			if address, _, ok := strings.Cut(rest, "\n"); ok {
				r.address = strings.TrimRight(strings.TrimSpace(address), "/")
				return
			}
		}
		select {
		case <-ended:
			r.t.Fatalf("line %d: it ended: %v\n%s", b.Line, failed, said)
		case <-time.After(20 * time.Millisecond):
		}
	}
	r.t.Fatalf("line %d: it does not serve", b.Line)
}

// program compiles a Go program of a document.
func (r *reader) program(b *doccheck.Block) {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(b.Text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	build := exec.CommandContext(r.t.Context(), "go", "build", "-o", os.DevNull, file)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		r.t.Errorf("line %d: %v\n%s", b.Line, err, out)
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	const document = "Text.\n\n<!-- exit 3 -->\n<!-- prints a b -->\n```sh\none\n\ntwo\n```\n\n1. Step\n\n   ```sh\n   three\n   ```\n\n<!-- not run: it needs a network -->\n```sh\nfour\n```\n"
	blocks, err := doccheck.Blocks(document)
	if err != nil || len(blocks) != 3 {
		t.Fatalf("%+v, %v", blocks, err)
	}
	if b := blocks[0]; b.Text != "one\n\ntwo\n" || b.Exit != 3 || len(b.Prints) != 1 || b.Prints[0] != "a b" || b.Line != 6 || b.Language != "sh" {
		t.Errorf("%+v", b)
	}
	if b := blocks[1]; b.Text != "three\n" || b.Exit != 0 || b.NotRun != "" {
		t.Errorf("%+v", b)
	}
	if b := blocks[2]; b.NotRun != "it needs a network" {
		t.Errorf("%+v", b)
	}
	for _, wrong := range []string{"```sh\nx\n", "<!-- exit 1 -->\ntext\n", "<!-- not run: no -->\n```sh\n```\n", "<!-- note -->\n", "<!-- exit x -->\n"} {
		if _, err := doccheck.Blocks(wrong); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
}
