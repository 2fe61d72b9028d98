package etl

import (
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Bounds on what unpacks: a table of figures packs about ten to one.
const (
	freeBytes  = 16 << 20 // may unpack whatever the ratio
	maxRatio   = 200      // unpacked bytes for each packed one, beyond freeBytes
	maxMembers = 10_000   // of one archive
)

// packing is how an object holds its sheets.
type packing string

const (
	plain   packing = "csv"
	gzipped packing = "gzip"
	zipped  packing = "zip"
)

// packingOf tells it by the name, or why the object cannot be read.
func packingOf(name string) (packing, error) {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".csv.gz"):
		return gzipped, nil
	case strings.HasSuffix(lower, ".csv"), strings.HasSuffix(lower, ".tsv"), path.Ext(lower) == "":
		return plain, nil
	case strings.HasSuffix(lower, ".zip"):
		return zipped, nil
	case strings.HasSuffix(lower, ".xlsx"), strings.HasSuffix(lower, ".xls"):
		return "", fmt.Errorf("%w: workbooks are not read yet; save each sheet as CSV", egrid.ErrInvalid)
	}
	return "", fmt.Errorf("%w: its name does not end in .csv, .csv.gz or .zip", egrid.ErrInvalid)
}

// members lists the sheets of an object, "" for the only one of a plain or
// gzipped file, and refuses by name what an archive holds besides.
func (p *Pipeline) members(ctx context.Context, o Object) (names []string, refused map[string]error, err error) {
	packing, err := packingOf(o.Name)
	if err != nil {
		return nil, nil, err
	}
	if packing != zipped {
		return []string{""}, nil, nil
	}
	archive, err := p.openZip(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	refused = map[string]error{}
	for _, f := range archive.File {
		if f.FileInfo().IsDir() || strings.HasPrefix(path.Base(f.Name), ".") || strings.HasPrefix(f.Name, "__MACOSX/") || !Loadable(f.Name) {
			continue
		}
		if kind, err := packingOf(f.Name); err != nil {
			refused[f.Name] = err
		} else if kind != plain {
			refused[f.Name] = fmt.Errorf("%w: archives within archives are not read; unpack it first", egrid.ErrInvalid)
		} else {
			names = append(names, f.Name)
		}
	}
	if len(names)+len(refused) == 0 {
		return nil, nil, fmt.Errorf("%w: the archive holds no CSV file", egrid.ErrInvalid)
	}
	return names, refused, nil
}

func (p *Pipeline) openZip(ctx context.Context, o Object) (*zip.Reader, error) {
	archive, err := zip.NewReader(&objectReaderAt{ctx: ctx, source: p.source, object: o}, o.Size)
	if err != nil {
		if errors.Is(err, ErrChanged) || ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: not a zip archive: %w", egrid.ErrInvalid, err)
	}
	if len(archive.File) > maxMembers {
		return nil, fmt.Errorf("%w: the archive has %d members; at most %d are read", egrid.ErrInvalid, len(archive.File), maxMembers)
	}
	return archive, nil
}

// openSheet reads a sheet's text from its first byte.
func (p *Pipeline) openSheet(ctx context.Context, o Object, member string) (io.ReadCloser, error) {
	packing, err := packingOf(o.Name)
	if err != nil {
		return nil, err
	}
	switch packing {
	case plain:
		return p.source.Open(ctx, o, 0, -1)
	case gzipped:
		packed, err := p.source.Open(ctx, o, 0, -1)
		if err != nil {
			return nil, err
		}
		text, err := gzip.NewReader(packed)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%w: not gzip-compressed: %w", egrid.ErrInvalid, err), packed.Close())
		}
		return readCloser{bounded(text, o.Size), packed}, nil
	}
	archive, err := p.openZip(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, f := range archive.File {
		if f.Name == member {
			text, err := f.Open()
			if err != nil {
				return nil, fmt.Errorf("%w: member %s: %w", egrid.ErrInvalid, member, err)
			}
			return readCloser{bounded(text, int64(min(f.CompressedSize64, uint64(o.Size)))), text}, nil
		}
	}
	return nil, fmt.Errorf("%w: the archive has no member %s", egrid.ErrNotFound, member)
}

// bounded ends with an error when far more comes out than was packed, as out
// of an archive made to fill disks.
func bounded(r io.Reader, packed int64) io.Reader {
	return &boundedReader{r: r, left: freeBytes + maxRatio*packed}
}

type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(buf []byte) (int, error) {
	n, err := b.r.Read(buf)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: it unpacks to more than %d times its size; unpack it yourself if that is right", egrid.ErrInvalid, maxRatio)
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: it cannot be unpacked; fetch it again: %w", egrid.ErrInvalid, err)
	}
	return n, err
}

// objectReaderAt lets an archive be read from a source, a block at a time. It
// is not safe for concurrent use.
type objectReaderAt struct {
	ctx    context.Context // of the call that the reader lives for: an io.ReaderAt has no other way to get one
	source Source
	object Object
	start  int64
	block  []byte
}

const blockBytes = 1 << 20

func (r *objectReaderAt) ReadAt(b []byte, offset int64) (int, error) {
	done := 0
	for done < len(b) {
		at := offset + int64(done)
		if at >= r.object.Size {
			return done, io.EOF
		}
		if at < r.start || at >= r.start+int64(len(r.block)) {
			if err := r.fetch(at); err != nil {
				return done, err
			}
		}
		done += copy(b[done:], r.block[at-r.start:])
	}
	return done, nil
}

func (r *objectReaderAt) fetch(at int64) error {
	start := at - at%blockBytes
	body, err := r.source.Open(r.ctx, r.object, start, min(blockBytes, r.object.Size-start))
	if err != nil {
		return err
	}
	defer body.Close()
	block, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if at-start >= int64(len(block)) {
		return io.ErrUnexpectedEOF
	}
	r.start, r.block = start, block
	return nil
}
