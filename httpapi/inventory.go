package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid/calc/inventory"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

const inventoryPath = "/inventory"

const inventoryDetails = "A CSV of sites comes back with their emissions, record by record: its own columns as they are, then the answer. " +
	"The header names the columns: subregion, latitude and longitude, zip, ba or state; kwh or mwh; year where sites differ in it. " +
	"Coordinates place a site where the service has the outlines of subregions. " +
	"A site is placed by the most precise of what it names, and precision says by which; one that cannot be answered has the reason. " +
	"As JSON (format=json) there are totals, too, and the methods: the factor of each place with formula, inputs and files. A workbook (format=xlsx) has them on its second sheet. " +
	"The trailer X-Row-Count has the number of sites, and X-Unanswered that of sites without emissions."

// inventoryOperation streams a table of sites with their emissions.
func (a *api) inventoryOperation() {
	text := &huma.Schema{Type: huma.TypeString}
	workbook := export.XLSX()
	forms := []format{
		{name: formatCSV, mediaType: "text/csv", parameters: "; charset=utf-8; header=present"},
		{name: formatJSON, mediaType: wire.TypeJSON, also: []string{"application/*"}},
		{name: workbook.Name, mediaType: workbook.MediaType},
	}
	a.registerQuestion(&question{
		operation: operation{
			id: "inventory", path: inventoryPath, tag: "factors", summary: "Emissions of a table of sites", details: inventoryDetails, formats: forms,
			params: []parameter{yearParam(), releaseParam(), gwpParam(),
				{name: "format", doc: "Representation; goes before the Accept header.", schema: huma.Schema{Enum: []any{formatCSV, formatJSON, workbook.Name}}}},
		},
		takes: map[string]*huma.MediaType{"text/csv": {Schema: text, Example: "site,subregion,kwh\nOffice,CAMX,120000\nStore,ERCT,54321\n"}},
		reply: a.inventory,
	}, map[string]*huma.MediaType{"text/csv": {Schema: text}, wire.TypeJSON: {Schema: a.component(typeOf[wire.Inventory]())}, workbook.MediaType: {}})
}

// inventory answers while it reads. What goes wrong before something was written is
// an error; afterwards it breaks the connection.
func (a *api) inventory(w http.ResponseWriter, in *request) error {
	if !isCSV(in.http.Header.Get("Content-Type")) {
		wire.NewProblem(in.http, http.StatusUnsupportedMediaType, "the body is CSV: send it with the header Content-Type: text/csv").Write(w)
		return nil
	}
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	h := w.Header()
	out := &begunWriter{Writer: w, begin: func() {
		h.Set("Content-Type", in.format.contentType())
		h.Set("Trailer", "X-Row-Count, X-Unanswered")
	}}
	write := inventory.CSV
	switch in.format.name {
	case formatJSON:
		write = inventory.JSON
	case export.XLSX().Name:
		write = inventory.XLSX
	}
	totals, err := write(in.http.Context(), in.data.db, in.http.Body, out, &inventory.Options{Year: in.number("year"), Release: in.text("release"), GWP: in.text("gwp"), Shapes: a.o.Shapes})
	var tooLong *http.MaxBytesError
	switch {
	case err == nil:
		h.Set("X-Row-Count", strconv.FormatInt(totals.Sites, 10))
		h.Set("X-Unanswered", strconv.FormatInt(totals.Sites-totals.Answered, 10))
		return nil
	case out.begun:
		a.abort(in.http, int(totals.Sites), err)
	case errors.As(err, &tooLong):
		wire.NewProblem(in.http, http.StatusRequestEntityTooLarge, fmt.Sprintf("a table of sites has at most %d bytes", tooLong.Limit)).Write(w)
		return nil
	}
	return err
}

func isCSV(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "text/csv"
}

// begunWriter knows whether anything was written, and calls begin before that.
type begunWriter struct {
	io.Writer
	begin func()
	begun bool
}

func (w *begunWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun = true
		w.begin()
	}
	return w.Writer.Write(p)
}
