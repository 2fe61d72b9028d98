package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// LoadOptions say how a file is read and published. The zero value of every
// field means its default.
type LoadOptions struct {
	sheet.ReaderOptions               // default: everything is inferred from the file
	Publish             driver.Policy // default driver.PublishAuto
}

// Loaded is what became of a file.
type Loaded struct {
	Sheet    *sheet.Sheet           // how it was read, and what that was inferred from
	Reports  []driver.PublishReport // one for each data year, in the order of their first rows
	Rejected int64                  // records that could not be read
	Rejects  []*sheet.RowError      // the first of them, at most 100
}

const maxRejects = 100

// Load reads one sheet and publishes it, or holds it: see [driver.Decide]. It
// keeps the decoded rows in memory, about a third of the file's size, because a
// sheet that turns out to be broken leaves nothing behind. For folders, buckets,
// archives and queues there is package etl.
//
// Errors: [egrid.ErrInvalid] for a file that is no eGRID sheet, or none of whose
// records could be read; else those of the loader. A held load is an answer, and
// no error.
func Load(ctx context.Context, l driver.Loader, r io.Reader, o *LoadOptions) (Loaded, error) {
	if o == nil {
		o = &LoadOptions{}
	}
	hash, size := sha256.New(), &counter{}
	reader, err := sheet.NewReader(io.TeeReader(r, io.MultiWriter(hash, size)), &o.ReaderOptions)
	if err != nil {
		return Loaded{}, err
	}
	out := Loaded{Sheet: reader.Sheet()}
	var years []int
	chunks := map[int][]*egrid.Batch{}
	for d, err := range reader.Batches() {
		if err != nil {
			return out, err
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		out.Rejected += int64(len(d.Rejects))
		out.Rejects = append(out.Rejects, d.Rejects[:min(len(d.Rejects), maxRejects-len(out.Rejects))]...)
		for _, b := range d.Batches {
			if chunks[b.Year()] == nil {
				years = append(years, b.Year())
			}
			chunks[b.Year()] = append(chunks[b.Year()], b)
		}
	}
	if len(years) == 0 {
		return out, fmt.Errorf("%w: none of the %d records could be read", egrid.ErrInvalid, out.Rejected)
	}
	spec := driver.SnapshotSpec{
		Level: out.Sheet.Level, Release: out.Sheet.Release, Authority: out.Sheet.Authority, Units: out.Sheet.Units, Schema: out.Sheet.Schema, Reading: "store.Load",
		Source: egrid.Source{Object: o.Name, Sheet: o.Sheet, SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: size.n},
	}
	for i, year := range years {
		spec.Year = year
		rejected := int64(0)
		if i == 0 { // a rejected record has no data year
			rejected = out.Rejected
		}
		report, err := publish(ctx, l, spec, chunks[year], rejected, o.Publish)
		if err != nil {
			return out, err
		}
		out.Reports = append(out.Reports, report)
	}
	return out, nil
}

func publish(ctx context.Context, l driver.Loader, spec driver.SnapshotSpec, chunks []*egrid.Batch, rejected int64, policy driver.Policy) (driver.PublishReport, error) {
	id, err := l.Stage(ctx, spec)
	if err != nil {
		return driver.PublishReport{}, err
	}
	request := driver.PublishRequest{Policy: policy, Chunks: len(chunks)}
	for i, b := range chunks {
		c := driver.Chunk{Index: i, Rows: b, Rejected: rejected, Findings: driver.AuditRows(spec.Level, b)}
		if _, err := l.Put(ctx, id, c); err != nil {
			return driver.PublishReport{}, err
		}
		request.Rows += int64(b.Len())
		rejected = 0
	}
	return l.Publish(ctx, id, request)
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
