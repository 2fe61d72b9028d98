package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	domain "github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

// budget is what a process may have in memory at most.
const budget = 256_000_000 // bytes

// measured runs the command line to its end, and returns what it prints, how long
// it took and the most memory that it had.
func measured(t *testing.T, environment []string, args ...string) (out string, took time.Duration, peak int64) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), filepath.Join(folder, "egrid"), args...)
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = &stdout, &stderr
	began := time.Now()
	if err := command.Run(); err != nil {
		t.Fatalf("egrid %s: %v: %.2000s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), time.Since(began), command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// manyFiles writes 4,000 files: 20 data years of generators and plants, each in
// 100 parts with other rows.
func manyFiles(t *testing.T) (dir string, rows int64) {
	t.Helper()
	dir = t.TempDir()
	files := 0
	// EPA published nothing for 2006 and 2008, and files for these are refused.
	for _, y := range []int{2004, 2005, 2007, 2009, 2010, 2011, 2012, 2013, 2014, 2015, 2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023, 2024, 2025} {
		sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: uint64(y), Plants: 400, Year: y})
		for _, level := range []domain.Level{domain.GEN, domain.PLNT} {
			var text bytes.Buffer
			if err := sample.Write(&text, level); err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(text.Bytes(), []byte("\n"))
			head, body := bytes.Join(lines[:2], nil), lines[2:]
			if len(body[len(body)-1]) == 0 {
				body = body[:len(body)-1]
			}
			rows += int64(len(body))
			const parts = 100
			for i := range parts {
				name := filepath.Join(dir, fmt.Sprint(y), fmt.Sprintf("part%03d", i), sample.Name(level))
				part := append(bytes.Clone(head), bytes.Join(body[len(body)*i/parts:len(body)*(i+1)/parts], nil)...)
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, part, 0o600)); err != nil {
					t.Fatal(err)
				}
				files++
			}
		}
	}
	t.Logf("%d files, %d rows", files, rows)
	return dir, rows
}

// TestFaultSlowFiles loads 4,000 files in one run, into a file and through the
// queue.
func TestFaultSlowFiles(t *testing.T) {
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir, rows := manyFiles(t)
	p := newPlatform(t, small)
	p.reader.halt()
	name := fmt.Sprint("faults_", os.Getpid(), "_many")
	server := testenv.Server(t, "EGRID_TEST_POSTGRES")
	mustSQL(t, server, "CREATE DATABASE "+name+" OWNER "+role)
	t.Cleanup(func() { dropDatabase(t, server, name) })
	address, err := database(server, role, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := pgstore.Migrate(t.Context(), address, nil); err != nil {
		t.Fatal(err)
	}
	for what, args := range map[string][]string{
		"a file":    {"--store", filepath.Join(t.TempDir(), "egrid.db")},
		"the queue": {"--store", address, "--queue", p.queue},
	} {
		out, took, peak := measured(t, nil, append([]string{"load", "--json", dir}, args...)...)
		t.Logf("into %s: %v, at most %d MB", what, took.Round(time.Second), peak/1e6)
		var report struct {
			Status string
			Files  []struct{}
			Rows   int64 `json:"rows_loaded"`
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil || report.Status != "published" || len(report.Files) != 4000 || report.Rows != rows {
			t.Errorf("into %s: %s, %d files, %d rows of %d, %v", what, report.Status, len(report.Files), report.Rows, rows, err)
		}
		if peak > budget {
			t.Errorf("into %s: at most %d MB; want at most %d", what, peak/1e6, budget/1_000_000)
		}
	}
}

// TestFaultSlowDeadLetters loads and lists beside 100,000 dead letters of another
// load, and then forgets them.
func TestFaultSlowDeadLetters(t *testing.T) {
	const many = 100_000
	p := newPlatform(t, large)
	p.consume(2)
	began := time.Now()
	p.etl().ends(t)
	alone := time.Since(began)
	for _, c := range p.consumers {
		c.stop(t)
	}
	p.consumers = nil

	began = time.Now()
	p.bury(many)
	t.Logf("%d messages died in %v", many, time.Since(began).Round(time.Second))
	p.consume(2)
	began = time.Now()
	load := p.etl(p.editions.old.dir)
	listed := make(chan struct{})
	go func() { // t.Fatal is for the test's goroutine
		defer close(listed)
		out, took, peak := measured(t, nil, "dead-letters", "list", "database", "--json", "--queue", p.queue)
		var letters []letter
		if err := json.Unmarshal([]byte(out), &letters); err != nil || len(letters) != many {
			t.Errorf("%d dead letters are listed, %v; want %d", len(letters), err, many)
		}
		ids := map[string]bool{}
		for _, l := range letters {
			ids[l.ID] = true
		}
		if t.Logf("listing took %v and %d MB at most", took.Round(time.Millisecond), peak/1e6); len(ids) != many || peak > budget {
			t.Errorf("%d dead letters are listed, and at most %d MB were used", len(ids), peak/1e6)
		}
	}()
	load.ends(t)
	beside := time.Since(began)
	<-listed
	usage := load.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("a load took %v, beside the dead letters %v and %d MB at most", alone.Round(time.Millisecond), beside.Round(time.Millisecond), usage.Maxrss<<10/1_000_000)
	if usage.Maxrss<<10 > budget {
		t.Error("that is too much memory")
	}
	for _, level := range levels() {
		if got, err := printedRows(t.Context(), p.store, level); err != nil || got != p.editions.old.sheets[level] {
			t.Errorf("%s: %v, %s", level, err, difference(got, p.editions.old.sheets[level]))
		}
	}
	// The server gives back what the list had read only a while after that has ended:
	// then the command says so, and does the rest when it is repeated.
	began = time.Now()
	tries := 1
	for ; ; tries++ {
		_, err := egrid(t.Context(), "dead-letters", "drop", "database", "--all", "--queue", p.queue)
		if err == nil {
			break
		}
		if tries == 5 || !strings.Contains(err.Error(), "others are looking at the rest") {
			t.Fatal(err)
		}
	}
	t.Logf("dropping took %v and %d tries", time.Since(began).Round(time.Millisecond), tries)
	p.wantDone()
}

// bury makes dead letters of a load that nobody knows.
func (p *platform) bury(n int) {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.t.Context())
	defer stop()
	var publishing sync.WaitGroup
	for at := range 16 {
		publishing.Go(func() {
			for i := at; i < n; i += 16 {
				m := queue.Message{ID: fmt.Sprintf("m%06d", i), Key: queue.KeyChunk, Body: make([]byte, 100), ContentType: "application/vnd.egrid.chunk"}
				if err := p.broker.Publish(ctx, m); err != nil {
					p.t.Error(err)
					return
				}
			}
		})
	}
	var left atomic.Int64
	left.Store(int64(n))
	err := queue.Consume(ctx, p.broker, queue.QueueDatabase, func(context.Context, queue.Delivery) error {
		return queue.Permanent(errors.New("broken"))
	}, &queue.ConsumeOptions{Workers: 32, Observe: func(context.Context, queue.Event) {
		if left.Add(-1) == 0 {
			stop()
		}
	}})
	publishing.Wait()
	if err != nil {
		p.t.Fatal(err)
	}
}
