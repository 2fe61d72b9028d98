package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// openGate loads a sheet over itself, with some values changed: once so that it is
// compared with what is published and held, once so that it takes its place.
func openGate(ctx context.Context, b *bench) (ours, theirs side, err error) {
	sheet, changed, err := b.changed(ctx)
	if err != nil {
		return nil, nil, err
	}
	base := filepath.Join(b.folder, "gate.db")
	if _, _, err := b.command(ctx, nil, filepath.Join(b.tools, "egrid"), "load", "--store", "sqlite:"+base, sheet); err != nil {
		return nil, nil, err
	}
	turn := func(policy string) side {
		return func(ctx context.Context) (figure, error) {
			db := base + ".turn"
			defer func() { _ = os.Remove(db) }() // the folder is removed, too
			if _, _, err := b.command(ctx, nil, "cp", base, db); err != nil {
				return figure{}, err
			}
			f, err := b.over(ctx, "sqlite:"+db, policy, changed)
			f.value = f.cpu.Seconds()
			return f, err
		}
	}
	return turn("auto"), turn("replace"), nil
}

// openGatePG is openGate for PostgreSQL.
func openGatePG(ctx context.Context, b *bench) (ours, theirs side, err error) {
	sheet, changed, err := b.changed(ctx)
	if err != nil {
		return nil, nil, err
	}
	d, err := deploy(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	if _, _, err := b.command(ctx, nil, filepath.Join(b.tools, "egrid"), "load", "--store", d.store, sheet); err != nil {
		return nil, nil, err
	}
	turn := func(policy string) side {
		return func(ctx context.Context) (figure, error) {
			store, err := d.database(ctx, d.store)
			if err != nil {
				return figure{}, err
			}
			return b.over(ctx, store, policy, changed)
		}
	}
	return turn("auto"), turn("replace"), nil
}

// over loads the changed sheet. Status 3 says that it was held.
func (b *bench) over(ctx context.Context, store, policy, sheet string) (figure, error) {
	f, out, err := b.command(ctx, nil, "bash", "-c", `"$@" || [ $? = 3 ]`, "bash", filepath.Join(b.tools, "egrid"), "load", "--json", "--publish", policy, "--store", store, sheet)
	status := map[string]string{"auto": `"status":"held"`, "replace": `"status":"published"`}[policy]
	if err == nil && !strings.Contains(out, status) {
		err = fmt.Errorf("it is not %s: %.1000s", status, out)
	}
	return f, err
}

// changed writes the long sheet, and the same with another net generation in every
// 1,000th row.
func (b *bench) changed(ctx context.Context) (sheet, changed string, err error) {
	if sheet, _, err = b.long(longRows); err != nil {
		return "", "", err
	}
	_, err = b.self(ctx, nil, "change", sheet)
	return sheet, sheet + changedName, err
}

// changedName follows the name of a sheet.
const changedName = ".changed.csv"

// doChange writes the sheet with some values changed beside it.
func doChange(_ context.Context, path string) (float64, error) {
	from, err := os.Open(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return 0, err
	}
	defer from.Close()
	out, err := os.Create(path + changedName) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return 0, err
	}
	r, w := csv.NewReader(from), csv.NewWriter(out)
	at := -1
	for i := 0; ; i++ {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			w.Flush()
			return 0, errors.Join(w.Error(), out.Close())
		case err != nil:
			return 0, err
		case i == 0:
			if at = slices.Index(record, "GENNTAN"); at < 0 {
				return 0, errors.New("the sheet has no column GENNTAN")
			}
		case i%1000 == 0:
			record[at] = "7" + strings.TrimPrefix(record[at], "-")
		}
		if err := w.Write(record); err != nil {
			return 0, err
		}
	}
}
