package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
)

// openWorkbook loads the sheets of units, generators and plants of the sample, as
// one workbook and as files, into a database of its own each time. The test
// TestWorkbook writes them.
func openWorkbook(ctx context.Context, b *bench) (ours, theirs side, err error) {
	d, err := deploy(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp(b.folder, "workbook")
	if err != nil {
		return nil, nil, err
	}
	if _, _, err := b.command(ctx, []string{"EGRID_BENCH_WORKBOOK=" + folder}, "go", "test", "-count=1", "-run", "^TestWorkbook$", "./internal/bench"); err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "rows")) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return nil, nil, err
	}
	rows, err := strconv.Atoi(string(text))
	if err != nil {
		return nil, nil, err
	}
	for _, name := range []string{"book/egrid2023_data.xlsx", "files/UNT23.csv", "files/GEN23.csv", "files/PLNT23.csv"} {
		if err := d.upload(ctx, filepath.Join(folder, filepath.Base(name)), name); err != nil {
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
				err = complete(out, rows)
			}
			return perSecond(rows, f, err)
		}
	}
	return load("book/"), load("files/"), nil
}
