package httpapi

import (
	"context"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/certificate"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

const everyCell = "all"

func (a *api) reconciliationOperation() {
	year := yearParam()
	year.path, year.doc = true, "Data year."
	a.register(operation{
		id: "reconciliation", path: "/reconciliation/{year}", tag: "factors", summary: "Published figures of regions against recomputed ones",
		details: "Every figure of the region sheets of one release is computed anew: from the sums of its own row, for the US from the sums of the other levels, and from the plants where the PLNT sheet of the same release is published. " +
			"Sheets of different releases are never mixed. The CSV has a row for each cell and, at its end, one for each source; sha256sum of the CSV with cells=all is the hash.",
		params: []parameter{year, releaseParam(), {name: "cells", doc: "all: every figure, and not only those that differ.", schema: huma.Schema{Enum: []any{everyCell, "differing"}}}},
		schema: a.component(typeOf[wire.Certificate]()), table: true,
		page:   &pageWriter{writeCertificate, certificate.Policy()},
		pins:   func(*request) []egrid.Level { return append([]egrid.Level{egrid.PLNT}, calc.RegionLevels()...) },
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.reconcile(ctx, in) },
	})
}

func writeCertificate(w io.Writer, value any) error {
	c, ok := value.(wire.Certificate)
	if !ok {
		return fmt.Errorf("httpapi: the page of a certificate is not made of %T", value)
	}
	return certificate.Write(w, &c)
}

func (a *api) reconcile(ctx context.Context, in *request) (*answer, error) {
	c, err := a.certificate(ctx, in)
	if err != nil {
		return nil, err
	}
	m := in.meta()
	m.Year, m.Release, m.snapshots = &c.Year, &c.Release, c.Snapshots
	every := in.text("cells") == everyCell
	if in.format.writer != nil {
		table := c.Table(every)
		return &answer{list: whole(egrid.RowPage{Batch: table, Revision: m.Revision}, m)}, nil
	}
	w := wire.CertificateOf(c, every)
	return &answer{value: w, meta: m.of(len(w.Cells), nil)}, nil
}

// maxCertificates bounds what is kept: a certificate takes some five megabytes.
const maxCertificates = 4

func (a *api) certificate(ctx context.Context, in *request) (*calc.Certificate, error) {
	key := fmt.Sprint(in.data.identity(), in.pinned, " ", in.number("year"), " ", in.text("release"))
	return a.certificates.get(ctx, key, func() (*calc.Certificate, error) {
		return calc.Reconcile(ctx, in.data.db, in.number("year"), &calc.ReconcileOptions{Release: in.text("release")})
	})
}
