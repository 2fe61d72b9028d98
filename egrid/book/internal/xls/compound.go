package xls

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/richardlehane/mscfb"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// signature is how a compound file begins.
const signature = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"

const (
	// maxStream bounds a workbook's stream, so that places in its texts fit into
	// 32 bits.
	maxStream = 1 << 30
	// maxDirectory bounds how much of a file is read to list its streams: a
	// workbook has a handful, and the list of a made-up file takes memory by the
	// square of its length.
	maxDirectory = 256 << 10
)

// stream is the stream of a compound file that holds the workbook.
type stream struct {
	*mscfb.File
	file *meteredFile
}

// openStream finds the workbook in a compound file.
func openStream(file io.ReaderAt, size int64) (*stream, error) {
	s := &stream{file: &meteredFile{ReaderAt: io.NewSectionReader(file, 0, size), left: maxDirectory}}
	var head [len(signature)]byte
	switch _, err := s.file.ReadAt(head[:], 0); {
	case err != nil && err != io.EOF:
		return nil, err
	case head[0] == 0x09 && (head[1] == 0 || head[1] == 2 || head[1] == 4): // a record at once, as until Excel 4
		return nil, errOld
	case string(head[:]) != signature:
		return nil, fmt.Errorf("%w: not an .xls workbook", egrid.ErrInvalid)
	}
	compound, err := mscfb.New(s.file)
	if err != nil {
		return nil, s.cause(fmt.Errorf("%w: %w", errDamaged, err))
	}
	s.file.left = math.MaxInt64
	encrypted := false
	for _, entry := range compound.File {
		switch {
		case len(entry.Path) > 0:
		case strings.EqualFold(entry.Name, "EncryptedPackage"): // an encrypted .xlsx
			encrypted = true
		case strings.EqualFold(entry.Name, "Workbook"):
			s.File = entry
		case strings.EqualFold(entry.Name, "Book") && s.File == nil: // of Excel 95, or for it beside the other
			s.File = entry
		}
	}
	switch {
	case encrypted:
		return nil, errEncrypted
	case s.File == nil:
		return nil, fmt.Errorf("%w: the file holds no workbook; it is of another program of Office", egrid.ErrInvalid)
	case s.Size > size:
		return nil, fmt.Errorf("%w: the workbook is cut off; fetch it again", egrid.ErrInvalid)
	case s.Size > maxStream:
		return nil, fmt.Errorf("%w: the workbook is larger than %d MiB; save each sheet as CSV", egrid.ErrInvalid, maxStream>>20)
	}
	return s, nil
}

// cause is the error that the file returned where there was one: the library
// keeps only its text.
func (s *stream) cause(err error) error {
	if s.file.err != nil {
		return s.file.err
	}
	return err
}

// meteredFile reads up to a bound, and remembers its first error.
type meteredFile struct {
	io.ReaderAt
	left int64
	err  error
}

var errDirectory = errors.New("the list of its streams is too long")

func (f *meteredFile) ReadAt(b []byte, offset int64) (int, error) {
	if f.left -= int64(len(b)); f.left < 0 {
		return 0, errDirectory
	}
	n, err := f.ReaderAt.ReadAt(b, offset)
	if err != nil && err != io.EOF && f.err == nil {
		f.err = err
	}
	return n, err
}

// appendUTF8 appends text in UTF-16. Halves of a pair become U+FFFD.
func appendUTF8(dst []byte, units []uint16) []byte {
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) && i+1 < len(units) {
			if pair := utf16.DecodeRune(r, rune(units[i+1])); pair != utf8.RuneError {
				r = pair
				i++
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
