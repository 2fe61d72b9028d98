package etl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Divided is the answer of the third stage.
type Divided struct {
	RunInfo
	Parts      []Part    `json:"parts"`
	Refused    []Refused `json:"refused"`
	ChunkBytes int64     `json:"chunk_bytes,omitempty"` // size of a chunk, about; 0 is that of the pipeline that streams
	Shared     *Share    `json:"share,omitempty"`       // of a share of a plan
}

// Part is a sheet, cut into chunks that never cut a record.
type Part struct {
	Object  Object       `json:"object"`
	Member  string       `json:"member"`            // of an archive, or sheet of a workbook; empty otherwise
	Plain   bool         `json:"plain"`             // the spans are places in the object itself
	Charset string       `json:"charset,omitempty"` // of its text, where all of it told another one than its first bytes
	Sheet   *sheet.Sheet `json:"sheet"`
	SHA256  string       `json:"sha256"` // of the object, in hex
	Rows    int64        `json:"rows"`   // records, blank ones left out
	Spans   []sheet.Span `json:"spans"`
}

// Refused is an object or a sheet that is not loaded.
type Refused struct {
	Object  Object        `json:"object"`
	Member  string        `json:"member"`
	Sheet   *sheet.Sheet  `json:"sheet,omitempty"`  // where it was recognized
	SHA256  string        `json:"sha256,omitempty"` // where it was read
	Reason  string        `json:"reason"`
	LeftOut bool          `json:"left_out,omitempty"` // it is no eGRID sheet, and nobody asked for it
	Rejects []RejectGroup `json:"rejects,omitempty"`  // where no record could be read
}

// Divide finds where the sheets can be cut. It reads every object whole, and
// takes its SHA-256.
func (p *Pipeline) Divide(ctx context.Context, v Validated) (_ Divided, err error) {
	defer p.observe("divide", time.Now(), &err)
	ctx, end := v.stage(ctx, "divide")
	defer func() { end(err) }()
	p, closeAll := p.shelved(ctx)
	defer closeAll()
	d := Divided{RunInfo: v.RunInfo, ChunkBytes: p.o.ChunkBytes}
	for _, f := range v.Files {
		if f.Error != "" {
			d.Refused = append(d.Refused, Refused{Object: f.Object, Reason: f.Error})
		}
		for i := range f.Sheets {
			s := &f.Sheets[i]
			if s.Error != "" || s.Sheet == nil {
				d.Refused = append(d.Refused, Refused{Object: f.Object, Member: s.Member, Sheet: s.Sheet, Reason: s.Error, LeftOut: s.LeftOut, Rejects: s.Rejects})
				continue
			}
			part, err := p.divideSheet(ctx, f.Object, s)
			if err == nil && part.Rows == 0 {
				err = errNoRows
			}
			if err == nil {
				d.Parts = append(d.Parts, part)
				continue
			}
			if !p.ofOneFile(ctx, err) {
				return d, fmt.Errorf("divide %s: %w", f.Name, err)
			}
			d.Refused = append(d.Refused, *part.refused(err))
		}
	}
	return d, nil
}

var errNoRows = fmt.Errorf("%w: the sheet has a header and no rows", egrid.ErrInvalid)

// divideSheet cuts a sheet, and takes the SHA-256 of its object.
func (p *Pipeline) divideSheet(ctx context.Context, o Object, s *CheckedSheet) (Part, error) {
	part, err := p.dividePart(ctx, Part{Object: o, Member: s.Member, Plain: s.Plain, Sheet: s.Sheet})
	if err == nil && part.Charset != "" {
		// Its head is the same in both encodings, and so the sheet is.
		s.Sheet.Learn(sheet.Evidence{Of: "encoding", Value: part.Charset, From: "letters that are not UTF-8"})
		part, err = p.dividePart(ctx, Part{Object: o, Member: s.Member, Charset: part.Charset, Sheet: s.Sheet})
	}
	return part, err
}

func (p *Pipeline) dividePart(ctx context.Context, part Part) (Part, error) {
	o := part.Object
	var text io.Reader
	var sum func() (string, error)
	if part.Plain {
		body, err := p.openWhole(ctx, o)
		if err != nil {
			return part, err
		}
		defer body.Close()
		hash, n := sha256.New(), counter(0)
		text = io.TeeReader(contextReader{ctx, body}, io.MultiWriter(hash, &n)) // what is divided is what is hashed
		sum = func() (string, error) {
			if int64(n) != o.Size {
				return "", sizeError(o, int64(n))
			}
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
	} else {
		x, err := p.open(ctx, o)
		if err != nil {
			return part, err
		}
		unpacked, err := p.text(ctx, o, part.Member, part.Charset)
		if err != nil {
			return part, err
		}
		text, sum = unpacked.Reader(), x.sum
	}
	var encoding book.Charset
	if part.Charset == "" && !part.Sheet.Grid {
		text = io.TeeReader(text, &encoding)
	}
	for span, err := range part.Sheet.Divide(text, p.o.ChunkBytes) {
		if err != nil {
			return part, err
		}
		part.Spans = append(part.Spans, span)
		part.Rows += span.Rows
	}
	if name := encoding.Name(); name != "" && encoding.ASCII() >= part.Sheet.DataOffset {
		part.Charset = name
	}
	var err error
	part.SHA256, err = sum()
	return part, err
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context // of the call that the reader lives for
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
