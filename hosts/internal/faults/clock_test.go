package faults_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// day is how far the clock of one host is ahead.
const day = 24 * time.Hour

// ahead is code for the processor that takes the place of the function by which
// programs read the clock (clock_gettime of the vDSO, which the kernel maps into
// every process): it asks the kernel, and adds a day to CLOCK_REALTIME. Programs in
// Go do not call the C library, so that a library which is loaded before it, as
// libfaketime is, changes nothing for them; and a time namespace shifts other
// clocks alone.
//
//	mov eax, 228; syscall; test eax, eax; jnz end; test edi, edi; jnz end
//	add qword [rsi], 86400; end: ret
var ahead = []byte{
	0xb8, 0xe4, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x85, 0xc0, 0x75, 0x0b, 0x85, 0xff, 0x75, 0x07,
	0x48, 0x81, 0x06, 0x80, 0x51, 0x01, 0x00, 0xc3,
}

// startAhead starts a service on a host whose clock is a day ahead.
func startAhead(t *testing.T, name string, environment []string, args ...string) *process {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the clock is replaced by code for linux/amd64")
	}
	runtime.LockOSThread() // the kernel lets the thread that traces a process write into it
	defer runtime.UnlockOSThread()
	return startWith(t, name, environment, args, func(p *process) error {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
		if err := p.cmd.Start(); err != nil { // it stops before its first instruction
			return err
		}
		pid := p.cmd.Process.Pid
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
		if !status.Stopped() {
			return fmt.Errorf("%s does not stop at its start: %#x", name, int(status))
		}
		if err := setAhead(pid); err != nil {
			return err
		}
		return syscall.PtraceDetach(pid)
	})
}

// setAhead replaces the clock of a process that is stopped and traced.
func setAhead(pid int) error {
	from, to, err := vdso(pid)
	if err != nil {
		return err
	}
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	image := make([]byte, to-from)
	if _, err := memory.ReadAt(image, from); err != nil {
		return err
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return err
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return err
	}
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" {
			_, err := memory.WriteAt(ahead, from+int64(s.Value))
			return err
		}
	}
	return fmt.Errorf("the vDSO of process %d has no clock", pid)
}

// vdso is where the kernel's code is in a process.
func vdso(pid int) (from, to int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if fields := strings.Fields(line); len(fields) > 5 && fields[5] == "[vdso]" {
			first, last, _ := strings.Cut(fields[0], "-")
			if from, err = strconv.ParseInt(first, 16, 64); err == nil {
				to, err = strconv.ParseInt(last, 16, 64)
			}
			return from, to, err
		}
	}
	return 0, 0, fmt.Errorf("process %d has no vDSO", pid)
}

// TestFaultClock has the etl service, one of three database consumers and the API
// on hosts whose clock is a day ahead. Times that are compared are of one clock:
// nothing is dropped as too old or given up, and the edition is whole.
func TestFaultClock(t *testing.T) {
	p := newPlatform(t, large)
	server := p.apiBy(startAhead, "--store", p.store)
	server.answers(t, p.editions.old)
	p.consume(2)
	strange := startAhead(t, "consumer", p.env, append([]string{"database", "--queue", p.queue, "--log-level", "info", "--store", p.store}, p.flags...)...)
	strange.address(t)
	p.consumers = append(p.consumers, strange)
	load := startAhead(t, "etl", p.env, p.etlArgs()...)
	p.midway(load)
	for _, s := range []*process{server.process, strange, load} {
		if off := time.Until(s.clock()); off < day-time.Hour || off > day+time.Hour {
			t.Fatalf("the clock of %s is %v ahead", s.name, off)
		}
	}
	load.ends(t)
	server.answers(t, p.editions.new)
	if n := strange.deliveries(queue.Done); n == 0 {
		t.Error("the consumer whose clock is ahead did nothing")
	}
	// A process with the right time goes on: what is there is no older for it.
	if out := mustEgrid(t, "prune", "--store", p.store, "--keep", "0", "--older-than", "1h"); !strings.Contains(out, "nothing") && !strings.Contains(out, "0 ") {
		t.Errorf("prune --older-than 1h says %q", out)
	}
	before, err := p.pg.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.etl().ends(t)
	if after, err := p.pg.Catalog(t.Context()); err != nil || after.Revision != before.Revision {
		t.Errorf("loading again: revision %d, %v; want %d", after.Revision, err, before.Revision)
	}
	server.stop(t)
	p.wantNew()
}

// TestFaultClockOfBucket reads a bucket on a host whose clock is a day ahead. The
// server refuses its signatures, and the service says what is the matter.
func TestFaultClockOfBucket(t *testing.T) {
	p := newPlatform(t, small)
	b := newBucket(t)
	b.putFolder(t, p.editions.new.dir)
	p.env = append(p.env, b.env("")...)
	p.consume(1)
	load := startAhead(t, "etl", p.env, p.etlArgs(b.address())...)
	eventually(t, "the run fails", func() bool { return load.says("run failed") > 0 })
	if told := load.tail(); !strings.Contains(told, "clock") {
		t.Errorf("the log says nothing of the clock:\n%s", told)
	}
	load.kill(t)
	p.etl(b.address()).ends(t)
	p.wantNew()
}
