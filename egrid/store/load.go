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
// sheet that turns out to be broken leaves nothing behind. Package book makes such
// sheets of workbooks, archives and JSON. For folders, buckets and queues there is
// package etl.
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
	var aside []egrid.Audit // of records that are no rows
	for d, err := range reader.Batches() {
		if err != nil {
			return out, err
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		out.Rejected += int64(len(d.Rejects))
		out.Rejects = append(out.Rejects, d.Rejects[:min(len(d.Rejects), maxRejects-len(out.Rejects))]...)
		if a, ok := d.Aside(); ok {
			aside = driver.MergeAudits(aside, []egrid.Audit{a})
		}
		for _, b := range d.Batches {
			if chunks[b.Year()] == nil {
				years = append(years, b.Year())
			}
			chunks[b.Year()] = append(chunks[b.Year()], b)
		}
	}
	if len(years) == 0 {
		return out, noneRead(out)
	}
	spec := driver.SnapshotSpec{
		Level: out.Sheet.Level, Release: out.Sheet.Release, Authority: out.Sheet.Authority, Units: out.Sheet.Units, Schema: out.Sheet.Schema, Reading: "store.Load",
		Source: egrid.Source{Object: o.Name, Sheet: o.Sheet, SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: size.n},
	}
	for i, year := range years {
		spec.Year = year
		first := driver.Chunk{}
		if i == 0 { // a rejected record has no data year
			first.Rejected, first.Findings = out.Rejected, aside
		}
		report, err := publish(ctx, l, spec, chunks[year], first, o.Publish)
		if err != nil {
			return out, err
		}
		out.Reports = append(out.Reports, report)
	}
	return out, nil
}

// noneRead says for which reason most records of a file were rejected.
func noneRead(out Loaded) error {
	type why struct {
		column egrid.Column
		reason string
	}
	count := map[why]int{}
	var most *sheet.RowError
	for _, e := range out.Rejects {
		count[why{e.Column, e.Reason}]++
		if most == nil || count[why{e.Column, e.Reason}] > count[why{most.Column, most.Reason}] {
			most = e
		}
	}
	if most == nil {
		return fmt.Errorf("%w: the sheet has a header and no rows", egrid.ErrInvalid)
	}
	return fmt.Errorf("%w: none of the %d records could be read, %d of the first %d as this one: %w",
		egrid.ErrInvalid, out.Rejected, count[why{most.Column, most.Reason}], len(out.Rejects), most)
}

func publish(ctx context.Context, l driver.Loader, spec driver.SnapshotSpec, chunks []*egrid.Batch, first driver.Chunk, policy driver.Policy) (driver.PublishReport, error) {
	id, err := l.Stage(ctx, spec)
	if err != nil {
		return driver.PublishReport{}, err
	}
	request := driver.PublishRequest{Policy: policy, Chunks: len(chunks)}
	for i, b := range chunks {
		c := driver.Chunk{Index: i, Rows: b, Rejected: first.Rejected, Findings: driver.MergeAudits(driver.AuditRows(spec.Level, b), first.Findings)}
		if _, err := l.Put(ctx, id, c); err != nil {
			return driver.PublishReport{}, err
		}
		request.Rows += int64(b.Len())
		first = driver.Chunk{}
	}
	return l.Publish(ctx, id, request)
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
