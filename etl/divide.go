package etl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Divided is the answer of the third stage.
type Divided struct {
	RunInfo
	Parts   []Part    `json:"parts"`
	Refused []Refused `json:"refused"`
}

// Part is a sheet, cut into chunks that never cut a record.
type Part struct {
	Object Object       `json:"object"`
	Member string       `json:"member"` // of an archive; empty otherwise
	Sheet  *sheet.Sheet `json:"sheet"`
	SHA256 string       `json:"sha256"` // of the object, in hex
	Rows   int64        `json:"rows"`   // records, blank ones left out
	Spans  []sheet.Span `json:"spans"`
}

// Refused is an object or a sheet that is not loaded.
type Refused struct {
	Object  Object `json:"object"`
	Member  string `json:"member"`
	SHA256  string `json:"sha256,omitempty"` // where it was read
	Reason  string `json:"reason"`
	LeftOut bool   `json:"left_out,omitempty"` // it is no eGRID sheet, and nobody asked for it
}

// Divide finds where the sheets can be cut. It reads every object whole, once,
// and takes its SHA-256.
func (p *Pipeline) Divide(ctx context.Context, v Validated) (_ Divided, err error) {
	defer p.observe("divide", time.Now(), &err)
	ctx = v.within(ctx)
	d := Divided{RunInfo: v.RunInfo}
	for _, f := range v.Files {
		if f.Error != "" {
			d.Refused = append(d.Refused, Refused{Object: f.Object, Reason: f.Error})
		}
		sum := &objectSum{} // of all sheets of the object
		for _, s := range f.Sheets {
			if s.Error != "" || s.Sheet == nil {
				d.Refused = append(d.Refused, Refused{Object: f.Object, Member: s.Member, Reason: s.Error, LeftOut: s.LeftOut})
				continue
			}
			part, err := p.divideSheet(ctx, f.Object, s.Member, s.Sheet, sum)
			if err == nil && part.Rows == 0 {
				err = fmt.Errorf("%w: the sheet has a header and no rows", egrid.ErrInvalid)
			}
			if err == nil {
				d.Parts = append(d.Parts, part)
				continue
			}
			if !p.ofOneFile(ctx, err) {
				return d, fmt.Errorf("divide %s: %w", f.Name, err)
			}
			d.Refused = append(d.Refused, Refused{Object: f.Object, Member: s.Member, Reason: reason(err)})
		}
	}
	return d, nil
}

// objectSum is the SHA-256 of an object, in hex, once it is known.
type objectSum struct{ hex string }

// divideSheet cuts a sheet, and takes the SHA-256 of its object where sum is not
// nil: of a plain file while it is cut, of any other one once for all its sheets.
func (p *Pipeline) divideSheet(ctx context.Context, o Object, member string, of *sheet.Sheet, sum *objectSum) (Part, error) {
	part := Part{Object: o, Member: member, Sheet: of}
	packing, err := packingOf(o.Name)
	if err != nil {
		return part, err
	}
	if sum != nil && packing != plain && sum.hex == "" {
		if sum.hex, err = p.sumOf(ctx, o); err != nil {
			return part, err
		}
	}
	text, err := p.openSheet(ctx, o, member)
	if err != nil {
		return part, err
	}
	defer text.Close()
	hash := sha256.New()
	r := io.Reader(contextReader{ctx, text})
	if sum != nil && packing == plain {
		r = io.TeeReader(r, hash) // what is divided is what is hashed
	}
	for span, err := range of.Divide(r, p.o.ChunkBytes) {
		if err != nil {
			return part, err
		}
		part.Spans = append(part.Spans, span)
		part.Rows += span.Rows
	}
	if sum != nil {
		if packing == plain {
			sum.hex = hex.EncodeToString(hash.Sum(nil))
		}
		part.SHA256 = sum.hex
	}
	return part, nil
}

func (p *Pipeline) sumOf(ctx context.Context, o Object) (string, error) {
	packed, err := p.source.Open(ctx, o, 0, -1)
	if err != nil {
		return "", err
	}
	defer packed.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, contextReader{ctx, packed}); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
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
