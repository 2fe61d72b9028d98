// Package spool keeps what a stream yields, so that it can be read at any place
// and more than once: the first bytes in memory, the others in a temporary file.
//
//	f := spool.New(stream)
//	defer f.Close()
//	n, err := f.ReadAt(b, offset)
//
// # Guarantees
//
// The stream is read once, and only as far as somebody asked. A File is safe for
// concurrent use. Its temporary file is in os.TempDir, has no name where the
// system allows that, and goes with Close or with the process.
//
// # Errors
//
// Those of the stream and of the temporary file.
package spool

import (
	"errors"
	"io"
	"os"
	"sync"
)

const (
	memory = 64 << 10 // bytes that are kept in memory
	piece  = 128 << 10
)

// File is a stream that can be read at any place.
type File struct {
	mu    sync.Mutex
	from  io.ReadCloser
	head  []byte
	rest  *os.File // what is behind head
	size  int64    // so far
	err   error    // why there is no more
	piece []byte
}

// New returns a file of what r yields. Close closes r.
func New(r io.ReadCloser) *File { return &File{from: r} }

// ReadAt reads as every io.ReaderAt does, behind the stream's end too.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	n, rest, err := f.reach(p, offset)
	if n == len(p) || rest == nil {
		return n, err
	}
	m, failed := rest.ReadAt(p[n:], offset+int64(n)-memory)
	if failed != nil && failed != io.EOF {
		err = failed
	}
	return n + m, err
}

// reach reads the stream until p is there, and copies what is in memory. The rest
// is where p goes on; err is why it cannot be read whole.
func (f *File) reach(p []byte, offset int64) (n int, rest io.ReaderAt, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := offset + int64(len(p))
	for f.size < end && f.err == nil {
		f.err = f.read()
	}
	if f.size < end {
		err = f.err
	}
	if offset < int64(len(f.head)) {
		n = copy(p, f.head[offset:])
	}
	if f.rest != nil && offset+int64(n) >= memory && offset+int64(n) < f.size {
		rest = f.rest
	}
	return n, rest, err
}

// read reads one piece of the stream.
func (f *File) read() error {
	if f.piece == nil {
		f.piece = make([]byte, piece)
	}
	n, err := f.from.Read(f.piece)
	b := f.piece[:n]
	if room := memory - len(f.head); room > 0 {
		room = min(room, len(b))
		f.head, b = append(f.head, b[:room]...), b[room:]
		f.size += int64(room)
	}
	if len(b) > 0 {
		if failed := f.write(b); failed != nil {
			return failed
		}
	}
	if err != nil {
		f.piece = nil
	}
	return err
}

func (f *File) write(b []byte) error {
	if f.rest == nil {
		file, err := os.CreateTemp("", "egrid-*")
		if err != nil {
			return err
		}
		f.rest = file
		// Where an open file cannot be removed, Close removes it.
		_ = os.Remove(file.Name())
	}
	n, err := f.rest.Write(b)
	f.size += int64(n)
	return err
}

// Size reads the stream to its end and returns how many bytes it had.
func (f *File) Size() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil {
		f.err = f.read()
	}
	if f.err != io.EOF {
		return f.size, f.err
	}
	return f.size, nil
}

// Reader reads from the first byte on. It is valid until Close.
func (f *File) Reader() io.Reader { return io.NewSectionReader(f, 0, 1<<62) }

// Close closes the stream and removes the temporary file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(f.err, os.ErrClosed) {
		return nil
	}
	err := f.from.Close()
	if f.rest != nil {
		err = errors.Join(err, f.rest.Close())
		if failed := os.Remove(f.rest.Name()); failed != nil && !errors.Is(failed, os.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	f.head, f.rest, f.piece, f.size, f.err = nil, nil, nil, 0, os.ErrClosed
	return err
}
