// Package unpack opens zip archives and bounds what comes out of packed files,
// so that one made to fill disks is refused.
//
// # Errors
//
// All wrap egrid.ErrInvalid, but those of the reader below, which come as they
// are.
package unpack

import (
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Bounds on what unpacks: a table of figures packs about ten to one.
const (
	FreeBytes  = 16 << 20 // may unpack whatever the ratio
	MaxRatio   = 200      // unpacked bytes for each packed one, beyond FreeBytes
	MaxMembers = 10_000   // of one archive
)

// Zip opens an archive of size bytes.
func Zip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	archive, err := zip.NewReader(io.NewSectionReader(r, 0, size), size) // which knows no place out of bounds
	switch {
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, zip.ErrChecksum), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w: it begins as a zip archive and has no list of members at its end: it was cut or damaged; fetch it again", egrid.ErrInvalid)
	case err != nil:
		return nil, err
	case len(archive.File) > MaxMembers:
		return nil, fmt.Errorf("%w: the archive has %d members; at most %d are read", egrid.ErrInvalid, len(archive.File), MaxMembers)
	}
	return archive, nil
}

// Member opens a member of an archive. It ends with an error when far more comes
// out than was packed, and when what comes out is not what was packed.
func Member(f *zip.File, archive int64) (io.ReadCloser, error) {
	if f.Flags&1 != 0 {
		return nil, fmt.Errorf("%w: it is encrypted; unpack it with its password", egrid.ErrInvalid)
	}
	text, err := f.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, fmt.Errorf("%w: it is packed by method %d, which is not read; unpack it first", egrid.ErrInvalid, f.Method)
	}
	if err != nil {
		return nil, damaged(err)
	}
	return ReadCloser{Bounded(text, int64(min(f.CompressedSize64, uint64(max(archive, 0))))), text}, nil
}

// Gzip unpacks what r reads, of so many packed bytes.
func Gzip(r io.Reader, packed int64) (io.Reader, error) {
	text, err := gzip.NewReader(r)
	if err != nil {
		return nil, damaged(err)
	}
	return Bounded(text, packed), nil
}

// Bounded ends with an error when far more comes out than was packed.
func Bounded(r io.Reader, packed int64) io.Reader {
	return &bounded{r: r, left: Budget(packed)}
}

// Budget is how much may come out of so many packed bytes.
func Budget(packed int64) int64 { return FreeBytes + MaxRatio*packed }

// ErrTooLarge is what a file fails with that unpacks to more than its budget.
func ErrTooLarge() error {
	return fmt.Errorf("%w: it unpacks to more than %d times its size; unpack it yourself if that is right", egrid.ErrInvalid, MaxRatio)
}

type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(buf []byte) (int, error) {
	n, err := b.r.Read(buf)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge()
	}
	if err != nil && err != io.EOF {
		err = damaged(err)
	}
	return n, err
}

// damaged says what to do about bytes that cannot be unpacked.
func damaged(err error) error {
	if errors.Is(err, egrid.ErrInvalid) {
		return err // what is unpacked was packed itself, and said what is wrong
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, zip.ErrChecksum) ||
		errors.Is(err, zip.ErrFormat) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
		return fmt.Errorf("%w: it cannot be unpacked; fetch it again: %w", egrid.ErrInvalid, err)
	}
	return err
}

// ReadCloser reads from one value and closes another.
type ReadCloser struct {
	io.Reader
	io.Closer
}
