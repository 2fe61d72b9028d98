package main

import (
	"bytes"
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
	Format string `short:"f" env:"-" help:"table, json, csv, ndjson, geojson, parquet, xlsx, or datapackage or csvt: the description of the CSV, csvt for GDAL. Default: by the ending of --output, else table." placeholder:"FORMAT"`
	JSON   bool   `short:"j" env:"-" help:"The same as --format json."`
	Output string `short:"o" env:"-" help:"File to write. It takes its name when it is complete. Default: standard output." type:"path" placeholder:"FILE"`
	Codes  string `env:"-" help:"epa: csv, xlsx and datapackage name columns by EPA's codes, where they have one." placeholder:"epa"`
	Wide   bool   `env:"-" help:"A table has all columns, however wide it is."`

	prefer  []egrid.Column // of a table for which nobody named columns: what comes first
	all     bool           // the columns of a table were asked for: none is left out
	records bool           // a table of one line for each cell
}

const (
	formatTable = "table"
	formatCSV   = "csv"
)

// formats are the names of all formats.
func formats() []string {
	names := []string{formatTable, "json", formatCSV, "ndjson"}
	for _, f := range service.Exports() {
		names = append(names, f.Name)
	}
	return names
}

// settle finds the format, and refuses what cannot be.
func (o *output) settle(stdout io.Writer) error {
	if o.JSON {
		if o.Format != "" && o.Format != "json" {
			return fmt.Errorf("%w: --json and --format %s contradict each other; leave one out", egrid.ErrInvalid, o.Format)
		}
		o.Format = "json"
	}
	if o.Format == "" {
		var err error
		if o.Format, err = formatOf(o.Output); err != nil {
			return err
		}
	}
	if !slices.Contains(formats(), o.Format) {
		return unknownName("format", o.Format, formats())
	}
	if o.Codes != "" && o.Codes != "epa" {
		return unknownName("--codes", o.Codes, []string{"epa"})
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

// unknownName says that a name is none of a list, and which was probably meant.
func unknownName(what, name string, known []string) error {
	hint := ""
	if meant := egrid.Nearest(name, known); meant != "" {
		hint = "; did you mean " + meant + "?"
	}
	return fmt.Errorf("%w: %s %q is not one of %s%s", egrid.ErrInvalid, what, name, strings.Join(known, ", "), hint)
}

// formatOf is the format that a file's name tells: a table where it has no ending.
func formatOf(name string) (string, error) {
	known := []string{".txt", ".csv", ".json", ".ndjson"}
	for _, f := range service.Exports() {
		if strings.HasSuffix(strings.ToLower(name), f.Extension) {
			return f.Name, nil
		}
		known = append(known, f.Extension)
	}
	switch ending := strings.ToLower(filepath.Ext(name)); ending {
	case "", ".", ".txt":
		return formatTable, nil
	case ".csv", ".json", ".ndjson":
		return ending[1:], nil
	}
	return "", unknownEnding(name, known)
}

// unknownEnding refuses a file whose name tells no format.
func unknownEnding(name string, known []string) error {
	ending := filepath.Ext(name)
	hint := ""
	if meant := egrid.Nearest(strings.ToLower(ending), known); meant != "" {
		hint = "did you mean " + meant + "? "
	}
	return fmt.Errorf("%w: the ending %s of --output tells no format; %sknown are %s; --format FORMAT takes any name", egrid.ErrInvalid, ending, hint, strings.Join(known, ", "))
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

// print writes an answer, rows of a level or of none, and returns how many rows it
// had. Only a table is held in memory. Where columns of a table are left out it says so.
func (a *app) print(o *output, level egrid.Level, answer *store.Answer) (rows int64, err error) {
	if level != "" && o.Format != formatTable && o.Format != "geojson" { // what does not load again needs no marks
		marked := answer.Marked(o.Codes != "")
		answer = &marked
	}
	var left string
	err = a.to(o.Output, func(w io.Writer) error {
		paged, err := a.paged(o, w)
		if err != nil {
			return err
		}
		p := o.printer(paged, level, answer)
		if t, ok := p.(*tablePrinter); ok && o.Output == "" {
			t.width = terminal.Columns(a.stdout)
		}
		bar := &terminal.Bar{}
		if o.Output != "" {
			bar = terminal.NewBar(a.stderr)
		}
		defer bar.Clear()
		for b, err := range answer.Batches {
			if err == nil {
				rows += int64(b.Len())
				bar.Draw("into "+o.Output, rows, 0)
				err = p.Write(b)
			}
			if err != nil {
				return errors.Join(err, paged.Close())
			}
		}
		err = errors.Join(p.Close(), paged.Close())
		if t, ok := p.(*tablePrinter); ok {
			left = t.left()
		}
		return err
	})
	if err == nil && left != "" {
		a.tell("%s", left)
	}
	return rows, err
}

// paged is a pager for tables on a terminal, else w.
func (a *app) paged(o *output, w io.Writer) (io.WriteCloser, error) {
	command := "cat"
	if o.Format == formatTable {
		command = a.cli.Pager
	}
	return terminal.Pager(w, command)
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
		if o.JSON {
			return &jsonPrinter{w: w, before: "[", between: ",", after: "]\n"}
		}
		return &jsonPrinter{w: w, before: "[", between: ",\n", after: "]\n"}
	case "ndjson":
		return &jsonPrinter{w: w, between: "\n", after: "\n"}
	}
	return &tablePrinter{w: w, o: o, schema: answer.Schema}
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

// csvPrinter writes CSV. text is the header at first.
type csvPrinter struct {
	w    io.Writer
	text []byte
}

func (p *csvPrinter) Write(b *egrid.Batch) error {
	for i := range b.Len() {
		p.text = lineEnd(b.AppendCSV(p.text, i))
	}
	return p.Close()
}

// Close writes what is held back.
func (p *csvPrinter) Close() error {
	_, err := p.w.Write(p.text)
	p.text = p.text[:0]
	return err
}

// lineEnd ends a record as the tools of a terminal expect it, without the \r of
// RFC 4180.
func lineEnd(record []byte) []byte {
	return append(bytes.TrimSuffix(record, []byte("\r\n")), '\n')
}

type jsonPrinter struct {
	w                      io.Writer
	before, between, after string
	written                int
	text                   []byte
}

func (p *jsonPrinter) Write(b *egrid.Batch) error {
	p.text = p.text[:0]
	for i := range b.Len() {
		lead := p.between
		if p.written == 0 {
			lead = p.before
		}
		p.written++
		p.text = b.AppendJSON(append(p.text, lead...), i)
	}
	_, err := p.w.Write(p.text)
	return err
}

// Close ends the document.
func (p *jsonPrinter) Close() error {
	tail := p.after
	if p.written == 0 {
		tail = p.before + strings.TrimPrefix(p.after, "\n")
	}
	_, err := io.WriteString(p.w, tail)
	return err
}
