package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// output are the flags of how rows are written.
type output struct {
	Format string `env:"-" help:"table, json, csv, ndjson, parquet, xlsx, or datapackage: the description of the CSV. Default: by the ending of --output, else table." enum:",table,json,csv,ndjson,parquet,xlsx,datapackage" default:""`
	Output string `env:"-" help:"File to write. It takes its name when it is complete. Default: standard output." type:"path" placeholder:"FILE"`
	Codes  string `env:"-" help:"epa: csv, xlsx and datapackage name columns by EPA's codes, where they have one." enum:",epa" default:""`
}

const (
	formatTable = "table"
	formatCSV   = "csv"
)

// settle finds the format, and refuses what cannot be.
func (o *output) settle(stdout io.Writer) error {
	if o.Format == "" {
		o.Format = formatOf(o.Output)
	}
	file, isFile := o.file()
	switch {
	case o.Codes != "" && o.Format != formatCSV && !file.Codes:
		return fmt.Errorf("%w: --codes is for the header of a table, and %s has none; give --format csv or xlsx", egrid.ErrInvalid, o.Format)
	case isFile && file.Packed && o.Output == "" && terminal.Is(stdout):
		return fmt.Errorf("%w: %s is not for a terminal; give --output FILE%s", egrid.ErrInvalid, o.Format, file.Extension)
	}
	return nil
}

// formatOf is the format that a file's name tells.
func formatOf(name string) string {
	for _, f := range service.Exports() {
		if strings.HasSuffix(name, f.Extension) {
			return f.Name
		}
	}
	switch ending := strings.TrimPrefix(filepath.Ext(name), "."); ending {
	case formatCSV, "json", "ndjson":
		return ending
	}
	return formatTable
}

// file is the format as one of files, where it is.
func (o *output) file() (export.Format, bool) {
	all := service.Exports()
	if i := slices.IndexFunc(all, func(f export.Format) bool { return f.Name == o.Format }); i >= 0 {
		return all[i], true
	}
	return export.Format{}, false
}

// name is that of the file without its ending, or of what level it is of.
func (o *output) name(level egrid.Level, snapshots []egrid.Snapshot) string {
	if o.Output != "" {
		name := filepath.Base(o.Output)
		if file, ok := o.file(); ok && strings.HasSuffix(name, file.Extension) {
			return strings.TrimSuffix(name, file.Extension)
		}
		return strings.TrimSuffix(name, filepath.Ext(name))
	}
	name := "egrid"
	if level != "" {
		name = string(level)
	}
	if len(snapshots) == 1 {
		name = strings.TrimSuffix(fmt.Sprintf("%s_%d_%s", name, snapshots[0].Year, snapshots[0].Release), "_")
	}
	return name
}

// print writes an answer: rows of a level, or of none. Only a table is held in
// memory.
func (a *app) print(o *output, level egrid.Level, answer *store.Answer) error {
	if level != "" && o.Format != formatTable {
		marked := answer.Marked(o.Codes != "")
		answer = &marked
	}
	return a.to(o.Output, func(w io.Writer) error {
		p := o.printer(w, level, answer)
		for b, err := range answer.Batches {
			if err == nil {
				err = p.Write(b)
			}
			if err != nil {
				return err
			}
		}
		return p.Close()
	})
}

func (o *output) printer(w io.Writer, level egrid.Level, answer *store.Answer) export.Writer {
	if file, ok := o.file(); ok {
		about := &export.About{Level: level, Name: o.name(level, answer.Snapshots), Snapshots: answer.Snapshots, Codes: o.Codes != ""}
		return file.New(w, answer.Schema, about)
	}
	switch o.Format {
	case formatCSV:
		return &csvPrinter{w: w, text: lineEnd(answer.Schema.AppendCSVHeader(nil, o.Codes != ""))}
	case "json":
		return &jsonPrinter{w: w, before: "[", between: ",\n", after: "]\n"}
	case "ndjson":
		return &jsonPrinter{w: w, between: "\n", after: "\n"}
	}
	return &tablePrinter{w: w, table: tableOf(answer.Schema)}
}

// to has write write to a file, or to standard output when path is empty. The file
// takes its name when it is complete.
func (a *app) to(path string, write func(io.Writer) error) error {
	if path == "" {
		return write(a.stdout)
	}
	part := path + ".part"
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		part = path // a pipe or a terminal keeps its name
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666) //nolint:gosec // the person names the file; not for reading, because a pipe would then have a reader for ever
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	switch {
	case part == path:
		return err
	case err == nil:
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}
