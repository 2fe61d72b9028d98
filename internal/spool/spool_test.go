package spool_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/egrid-analytics/egrid-go/internal/spool"
)

// random is a stream of so many bytes that never repeat in step with buffers.
func random(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

type stream struct {
	io.Reader
	closed int
}

func (s *stream) Close() error {
	s.closed++
	return nil
}

func TestReadAt(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 300_000, 1 << 20} {
		want := random(size)
		from := &stream{Reader: iotest.HalfReader(bytes.NewReader(want))}
		f := spool.New(from)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), 0))
				for range 30 {
					at := r.IntN(size + 10)
					b := make([]byte, r.IntN(100_000))
					n, err := f.ReadAt(b, int64(at))
					rest := want[min(at, size):]
					if wantN := min(len(b), len(rest)); n != wantN || !bytes.Equal(b[:n], rest[:n]) || (n < len(b)) != (err == io.EOF) {
						t.Errorf("%d bytes: ReadAt %d bytes at %d: %d, %v", size, len(b), at, n, err)
						return
					}
				}
			})
		}
		wg.Wait()
		for range 2 {
			if all, err := io.ReadAll(f.Reader()); err != nil || !bytes.Equal(all, want) {
				t.Errorf("%d bytes: read %d, %v", size, len(all), err)
			}
		}
		if n, err := f.Size(); err != nil || n != int64(size) {
			t.Errorf("size %d, %v; want %d", n, err, size)
		}
		for range 2 {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
		if from.closed != 1 {
			t.Errorf("the stream was closed %d times", from.closed)
		}
		if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a closed file reads: %v", err)
		}
	}
}

// TestLazy: nothing is read that nobody asked for.
func TestLazy(t *testing.T) {
	t.Parallel()
	from := &counting{}
	f := spool.New(io.NopCloser(from))
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 1000), 0); err != nil || from.n > 256<<10 {
		t.Errorf("%d bytes were read, %v", from.n, err)
	}
}

type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

func TestStreamFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	f := spool.New(io.NopCloser(io.MultiReader(bytes.NewReader(random(100_000)), iotest.ErrReader(broken))))
	defer f.Close()
	if n, err := f.ReadAt(make([]byte, 200_000), 0); n != 100_000 || !errors.Is(err, broken) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 50_000), 50_000); n != 50_000 || err != nil {
		t.Errorf("what came before is lost: %d, %v", n, err)
	}
	if _, err := f.Size(); !errors.Is(err, broken) {
		t.Errorf("size: %v", err)
	}
}

func TestNoFileIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f := spool.New(io.NopCloser(bytes.NewReader(random(1 << 20))))
	if _, err := f.Size(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
