package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine tells what was measured on, and how busy it was.
func machine() string {
	load, _ := os.ReadFile("/proc/loadavg") // unknown elsewhere
	first, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("Measured on %d cores with %s; the load average was %s at the end: where\n"+
		"it is above the number of cores by far, other work took part of the time.", runtime.NumCPU(), runtime.Version(), first)
}

// command runs a program to its end. The value of the figure is its wall time in
// seconds.
func (b *bench) command(ctx context.Context, env []string, name string, args ...string) (figure, string, error) {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the programs are named here
	c.Env = append(os.Environ(), env...)
	began := time.Now()
	out, err := c.CombinedOutput()
	if err != nil {
		return figure{}, "", fmt.Errorf("%s: %w: %.2000s", filepath.Base(name), err, out)
	}
	f := figure{value: time.Since(began).Seconds(), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.peak = usage.Maxrss << 10
	}
	return f, string(out), nil
}

// self runs one of the tasks of do in a process of its own, and returns the
// number that it prints.
func (b *bench) self(ctx context.Context, env []string, args ...string) (figure, error) {
	exe, err := os.Executable()
	if err != nil {
		return figure{}, err
	}
	f, out, err := b.command(ctx, env, exe, append([]string{"do"}, args...)...)
	if err != nil {
		return f, err
	}
	f.value, err = strconv.ParseFloat(strings.TrimSpace(out), 64)
	return f, err
}

// program is a server that runs until the row is measured.
type program struct {
	*exec.Cmd
	address string // host:port
}

var address = regexp.MustCompile(`http://([0-9.]+:\d+)`)

// start starts a server, and waits until it prints its address.
func (b *bench) start(ctx context.Context, env []string, name string, args ...string) (*program, error) {
	p := &program{Cmd: exec.CommandContext(ctx, name, args...)} //nolint:gosec // G204: the programs are named here
	p.Env = append(os.Environ(), env...)
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	p.Stdout, p.Stderr = in, in
	if err := p.Start(); err != nil {
		return nil, err
	}
	b.later(p.stop)
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
			go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s ended: %s", filepath.Base(name), strings.Join(said, " "))
}

func (p *program) stop() {
	if p.ProcessState == nil {
		_ = p.Process.Signal(os.Interrupt)
		_ = p.Wait() // it was told to end
	}
}

// used is the CPU time and the most memory of the process so far.
func (p *program) used() (cpu time.Duration, peak int64, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))      //nolint:gosec // G703: the path is the caller's own
	status, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid)) //nolint:gosec // G703: the path is the caller's own
	if err := errors.Join(err, err2); err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')'):]))
	const ticks = 100 // a second, on every Linux
	for _, at := range []int{12, 11} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(n) * time.Second / ticks
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return cpu, kib << 10, err
}

// during is a side that has a server do something. The work returns the figure's
// value and note.
func (p *program) during(work func(ctx context.Context) (float64, string, error)) side {
	return func(ctx context.Context) (f figure, err error) {
		before, _, err := p.used()
		if err != nil {
			return f, err
		}
		if f.value, f.note, err = work(ctx); err != nil {
			return f, err
		}
		after, peak, err := p.used()
		f.cpu, f.peak = after-before, peak
		return f, err
	}
}

// oldEgrid builds the command of the old commit.
func (b *bench) oldEgrid(ctx context.Context) (string, error) {
	path := filepath.Join(b.tools, "egrid-"+oldCommit)
	if _, err := os.Stat(path); err == nil { //nolint:gosec // G703: the path is the caller's own
		return path, nil
	}
	source := filepath.Join(b.folder, "old")
	script := `mkdir -p "$1" && git archive ` + oldCommit + ` | tar -x -C "$1" && cd "$1" && go build -o "$2" ./hosts/egrid`
	_, _, err := b.command(ctx, nil, "bash", "-euo", "pipefail", "-c", script, "bash", source, path)
	return path, err
}

// installed finds a command, or installs the Debian package of its name.
func (b *bench) installed(ctx context.Context, name string) error {
	if _, err := exec.LookPath(name); err == nil {
		return nil
	}
	if _, _, err := b.command(ctx, nil, "internal/scripts/install.sh", name); err != nil {
		return err
	}
	_, err := exec.LookPath(name)
	return err
}

const duckdbVersion = "1.4.2"

// python returns an interpreter that has DuckDB.
func (b *bench) python(ctx context.Context) (string, error) {
	venv := filepath.Join(b.tools, "duckdb-"+duckdbVersion)
	python := filepath.Join(venv, "bin", "python")
	if _, _, err := b.command(ctx, nil, python, "-c", "import duckdb"); err == nil {
		return python, nil
	}
	script := `python3 -m venv "$1" && "$1/bin/pip" install -q "duckdb==$2"`
	_, _, err := b.command(ctx, nil, "bash", "-euo", "pipefail", "-c", script, "bash", venv, duckdbVersion)
	return python, err
}
