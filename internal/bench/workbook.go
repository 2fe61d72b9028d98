package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
)

// workbookPlants gives about 25,000 units, 26,000 generators and 13,000 plants.
const workbookPlants = 13_000

const workbookName = "egrid2023_data.xlsx"

// openWorkbook loads the sheets of units, generators and plants of the sample, as
// one workbook and as files, into a database of its own each time.
func openWorkbook(ctx context.Context, b *bench) (ours, theirs side, err error) {
	d, err := deploy(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	folder := filepath.Join(b.folder, "workbook")
	rows, err := b.self(ctx, nil, "workbook", folder)
	if err != nil {
		return nil, nil, err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		prefix := "files/"
		if f.Name() == workbookName {
			prefix = "book/"
		}
		if err := d.upload(ctx, filepath.Join(folder, f.Name()), prefix+f.Name()); err != nil {
			return nil, nil, err
		}
	}
	load := func(prefix string) side {
		return func(ctx context.Context) (figure, error) {
			store, err := d.database(ctx, d.store)
			if err != nil {
				return figure{}, err
			}
			f, out, err := b.command(ctx, d.s3, filepath.Join(b.tools, "egrid"), "load", "--json", "--store", store, "s3://"+benchBucket+"/"+prefix)
			if err == nil {
				err = complete(out, int(rows.value))
			}
			return perSecond(int(rows.value), f, err)
		}
	}
	return load("book/"), load("files/"), nil
}

// doWorkbook writes sheets into a new folder, each as a file and all of them as a
// workbook, and returns how many rows they have.
func doWorkbook(_ context.Context, folder string) (float64, error) {
	if err := os.Mkdir(folder, 0o750); err != nil {
		return 0, err
	}
	sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: workbookPlants})
	var sheets []egridtest.Sheet
	rows := 0
	for _, level := range []egrid.Level{egrid.UNT, egrid.GEN, egrid.PLNT} {
		var text bytes.Buffer
		name := sample.Name(level)
		err := sample.Write(&text, level)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text.Bytes(), 0o600) //nolint:gosec // G703: the path is the caller's own
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		rows += bytes.Count(text.Bytes(), []byte("\n")) - 2 // descriptions and codes
		sheets = append(sheets, egridtest.Sheet{Name: strings.TrimSuffix(name, ".csv"), CSV: text.String()})
	}
	book, err := os.Create(filepath.Join(folder, workbookName)) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return 0, err
	}
	return float64(rows), errors.Join(egridtest.WriteWorkbook(book, sheets...), book.Close())
}
