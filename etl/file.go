package etl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/internal/spool"
	"github.com/egrid-analytics/egrid-go/internal/unpack"
)

// What a call keeps open: so a workbook is fetched, hashed and unpacked once for
// all its sheets and stages, and what is kept does not grow with their number.
const (
	maxObjects = 4
	maxTexts   = 64 // of an object, each of which takes a temporary file
)

// shelf holds the objects that a call has open.
type shelf struct {
	ctx    context.Context // of the call: what is kept open lives as long
	mu     sync.Mutex
	opened []*opened // the one used last comes last
}

// shelved returns a pipeline that keeps objects open until close is called.
func (p *Pipeline) shelved(ctx context.Context) (q *Pipeline, closeAll func()) {
	if p.shelf != nil {
		return p, func() {}
	}
	q = new(Pipeline)
	*q = *p
	q.shelf = &shelf{ctx: ctx}
	return q, q.shelf.close
}

func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.opened {
		o.close()
	}
	s.opened = nil
}

// opened is an object that is open.
type opened struct {
	object Object
	bytes  *spool.File
	hash   hash.Hash
	book   *book.Book
	texts  []*openText  // the one used last comes last
	left   atomic.Int64 // bytes that may still come out of it
}

// open opens an object, or finds it open.
func (p *Pipeline) open(ctx context.Context, o Object) (*opened, error) {
	s := p.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.opened, func(x *opened) bool { return x.object == o }); i >= 0 {
		found := s.opened[i]
		s.opened = append(slices.Delete(s.opened, i, i+1), found)
		return found, nil
	}
	if len(s.opened) == maxObjects {
		s.opened[0].close()
		s.opened = slices.Delete(s.opened, 0, 1)
	}
	body, err := p.openWhole(s.ctx, o)
	if err != nil {
		return nil, err
	}
	x := &opened{object: o, hash: sha256.New()}
	x.left.Store(unpack.Budget(o.Size))
	x.bytes = spool.New(readCloser{io.TeeReader(contextReader{s.ctx, body}, x.hash), body})
	x.book, err = book.Open(x.bytes, o.Size, &book.Options{Formats: p.o.Formats})
	if err != nil || o.Size == 0 {
		if n, failed := x.bytes.Size(); failed == nil && n != o.Size {
			err = sizeError(o, n)
		}
	}
	if err != nil {
		return nil, errors.Join(err, x.bytes.Close())
	}
	s.opened = append(s.opened, x)
	return x, nil
}

// openWhole reads an object from its source, which has to know how long it is.
func (p *Pipeline) openWhole(ctx context.Context, o Object) (io.ReadCloser, error) {
	if o.Size < 0 {
		return nil, fmt.Errorf("%w: the source lists %s with a size of %d bytes; a source has to tell how many bytes an object has (etl.Object.Size)", egrid.ErrInvalid, o.Name, o.Size)
	}
	return p.source.Open(ctx, o, 0, -1)
}

// sizeError is the error of an object that has n bytes and not as many as were listed.
func sizeError(o Object, n int64) error {
	return fmt.Errorf("%s has %d bytes where its source listed %d (if that is so each time, the source does not tell the true etl.Object.Size): %w", o.Name, n, o.Size, ErrChanged)
}

// close removes what is kept of it. That it cannot be removed is no reason to
// fail a load: the file goes with the process.
func (x *opened) close() {
	for _, text := range x.texts {
		text.close()
	}
	_ = x.book.Close()
	_ = x.bytes.Close()
}

// sum is the SHA-256 of the object, in hex.
func (x *opened) sum() (string, error) {
	if n, err := x.bytes.Size(); err != nil {
		return "", err
	} else if n != x.object.Size {
		return "", sizeError(x.object, n)
	}
	return hex.EncodeToString(x.hash.Sum(nil)), nil
}

// table is a table of an object.
func (x *opened) table(member string) (book.Table, error) {
	for _, t := range x.book.Tables() {
		if t.Name == member {
			return t, nil
		}
	}
	return book.Table{}, fmt.Errorf("%w: %s has no table %q", egrid.ErrNotFound, x.object.Name, member)
}

// tables lists the tables of an object, and what else it holds.
func (p *Pipeline) tables(ctx context.Context, o Object) ([]book.Table, []book.LeftOut, error) {
	x, err := p.open(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	return x.book.Tables(), x.book.LeftOut(), nil
}

// text is the text of a table, in which any place can be read. An encoding
// overrules what the table's first bytes told. The text belongs to the shelf.
func (p *Pipeline) text(ctx context.Context, o Object, member, encoding string) (*spool.File, error) {
	x, err := p.open(ctx, o)
	if err != nil {
		return nil, err
	}
	p.shelf.mu.Lock()
	defer p.shelf.mu.Unlock()
	if i := slices.IndexFunc(x.texts, func(t *openText) bool { return t.member == member && t.encoding == encoding }); i >= 0 {
		found := x.texts[i]
		x.texts = append(slices.Delete(x.texts, i, i+1), found)
		return found.File, nil
	}
	t, err := x.table(member)
	if err != nil {
		return nil, err
	}
	if encoding != "" {
		t.Charset = encoding
	} else if t.Plain {
		return x.bytes, nil
	}
	r, err := t.Open()
	if err != nil {
		return nil, err
	}
	if len(x.texts) == maxTexts {
		x.texts[0].close()
		x.texts = slices.Delete(x.texts, 0, 1)
	}
	text := &openText{member: member, encoding: encoding, of: x, from: r}
	text.File = spool.New(readCloser{contextReader{p.shelf.ctx, budgeted{text}}, r})
	x.texts = append(x.texts, text)
	return text.File, nil
}

// openText is the text of a table that is open.
type openText struct {
	*spool.File
	member, encoding string
	of               *opened
	from             io.Reader
	n                int64 // bytes that came
}

func (t *openText) close() {
	_ = t.File.Close()
	t.of.left.Add(t.n)
}

// budgeted ends with an error when too much comes out of an object.
type budgeted struct{ *openText }

func (b budgeted) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.n += int64(n)
	if b.of.left.Add(-int64(n)) < 0 {
		return 0, unpack.ErrTooLarge()
	}
	return n, err
}
