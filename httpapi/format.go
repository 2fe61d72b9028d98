package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// The names of formats.
const (
	formatJSON    = "json"
	formatCSV     = "csv"
	formatNDJSON  = "ndjson"
	formatGeoJSON = "geojson"
	formatEvents  = "events"
	formatBatches = "batches"
	formatHTML    = "html"
)

// format is a representation of answers. What there is to know of one is in its
// row of the table that allFormats makes: negotiation, the document and exports read
// it there.
type format struct {
	name       string                            // in format=
	extension  string                            // of files, with its dots; empty for a dot and the name
	mediaType  string                            // in Accept and in the document
	parameters string                            // behind the media type in Content-Type
	also       []string                          // other names of the media type that clients use
	fits       func(*operation) bool             // which operations have answers in it
	level      func(egrid.Level) bool            // which levels have; nil for all
	describe   func(*api) *huma.Schema           // of the document; nil for text
	codes      bool                              // the parameter codes changes how it names columns
	packed     bool                              // it is compressed, and not once more
	head       bool                              // it tells of the columns alone
	writer     func(*request, *answer) rowWriter // of exports that are text; nil for others
	file       fileFormat                        // of exports that are files; nil for others
}

// fileFormat begins a file, as the New of an export.Format does.
type fileFormat func(w io.Writer, s *egrid.Schema, about *export.About) export.Writer

// exports reports whether answers stream row by row, where others are one document
// or the operation's own stream.
func (f *format) exports() bool { return f.writer != nil || f.file != nil }

// lists are the operations whose answers come in every format of rows.
func lists(op *operation) bool { return op.list }

// allFormats are the representations that there are with these options, the
// preferred ones first.
func allFormats(o *Options) []format {
	all := ownFormats()
	for _, f := range append([]export.Format{export.XLSX(), export.DataPackage(), export.CSVT()}, o.Exports...) {
		all = append(all, format{
			name: f.Name, extension: f.Extension, mediaType: f.MediaType, codes: f.Codes, packed: f.Packed, head: f.Head, fits: lists, file: f.New,
			describe: func(*api) *huma.Schema { return nil }, // of bytes OpenAPI tells no more than the media type
		})
	}
	return all
}

// ownFormats are the representations whose writers are here.
func ownFormats() []format {
	return []format{
		{
			name: formatJSON, mediaType: wire.TypeJSON, also: []string{"application/*"},
			fits: func(op *operation) bool { return op.stream == nil },
		},
		{
			name: formatCSV, mediaType: "text/csv", parameters: "; charset=utf-8; header=present", codes: true,
			fits:   func(op *operation) bool { return lists(op) || op.table },
			writer: func(in *request, _ *answer) rowWriter { return csvRows{in.text(codesName) == codesEPA} },
		},
		{
			name: formatNDJSON, mediaType: "application/x-ndjson", also: []string{"application/ndjson", "application/jsonl"}, fits: lists,
			writer: func(_ *request, ans *answer) rowWriter {
				if ans.value != nil {
					return newValueLines(ans.value)
				}
				return jsonLines{}
			},
		},
		{
			name: formatGeoJSON, mediaType: "application/geo+json",
			fits:     func(op *operation) bool { return op.places },
			level:    func(l egrid.Level) bool { return l == "" || l == egrid.PLNT },
			describe: func(a *api) *huma.Schema { return a.schemaOf(typeOf[featureCollection]()) },
			writer:   func(_ *request, ans *answer) rowWriter { return &features{export.Features{Unasked: ans.unasked}} },
		},
		{
			name: formatHTML, mediaType: "text/html", parameters: "; charset=utf-8",
			fits: func(op *operation) bool { return op.page != nil },
		},
		{
			name: formatEvents, mediaType: wire.TypeEvents,
			fits: func(op *operation) bool { return op.streams == formatEvents },
		},
		{
			name: formatBatches, mediaType: wire.TypeBatches,
			fits:     func(op *operation) bool { return op.streams == formatBatches },
			describe: func(*api) *huma.Schema { return nil }, // of bytes OpenAPI tells no more than the media type
		},
	}
}

// pageWriter makes a page of HTML of an answer's value.
type pageWriter struct {
	write  func(w io.Writer, value any) error
	policy string // Content-Security-Policy that the page needs
}

// encodePage makes the page of an answer.
func (op *operation) encodePage(in *request) ([]byte, error) {
	ans, err := op.answer(in.http.Context(), in)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = op.page.write(&page, ans.value)
	return page.Bytes(), err
}

// formatsOf are the representations of an operation's answers.
func (a *api) formatsOf(op *operation) []format {
	return slices.DeleteFunc(slices.Clone(a.formats), func(f format) bool { return !f.fits(op) })
}

func (f *format) contentType() string { return f.mediaType + f.parameters }

func (f *format) fitsLevel(in *request) bool {
	return f.level == nil || f.level(egrid.Level(in.text("level")))
}

// fileName is the name of a file.
func (f *format) fileName(stem string) string {
	if f.extension == "" {
		return stem + "." + f.name
	}
	return stem + f.extension
}

// formatParam is the parameter by which the representation is chosen.
func formatParam(op *operation) parameter {
	p := parameter{name: "format", doc: "Representation; goes before the Accept header."}
	for _, f := range op.formats {
		p.schema.Enum = append(p.schema.Enum, f.name)
	}
	return p
}

// negotiate chooses the representation: by format=, else by Accept.
func (in *request) negotiate(op *operation) []wire.Fault {
	if name := in.text("format"); name != "" {
		in.format = op.formats[slices.IndexFunc(op.formats, func(f format) bool { return f.name == name })]
		if !in.format.fitsLevel(in) {
			return []wire.Fault{fault("query.format", name, fmt.Sprintf("there are no answers as %s at level %s", name, in.text("level")))}
		}
	} else {
		var ok bool
		in.format, ok = in.accepted(op)
		in.unacceptable = !ok
	}
	in.gzip = acceptsGzip(in.http) && !in.format.packed
	document := !in.format.exports()
	switch {
	case in.text(codesName) != "" && !in.format.codes:
		return []wire.Fault{fault("query."+codesName, in.text(codesName), fmt.Sprintf("is for the header of a table, and this answer comes as %s; ask for %s", in.format.name, codedFormats(op)))}
	case !document && len(in.values[facetName]) > 0:
		return []wire.Fault{fault("query."+facetName, strings.Join(in.values[facetName], ","), "facets come with JSON alone")}
	case document && in.number("limit") > maxJSONLimit:
		return []wire.Fault{fault("query.limit", in.number("limit"), fmt.Sprintf("expected 1 to %d for JSON; follow links.next, or ask for an export, which has no limit", maxJSONLimit))}
	}
	return nil
}

// accepted picks the representation that the client likes best, the first among
// equals; the preferred one when it likes none that we know. It is not ok when all
// that the client likes are representations of other answers than this one.
func (in *request) accepted(op *operation) (best format, ok bool) {
	best = op.formats[0]
	if op.stream != nil {
		return best, true // whatever else the client likes
	}
	elsewhere, bestQuality := false, 0.0
	for part := range strings.SplitSeq(in.http.Header.Get("Accept"), ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality = q
		}
		f, known := in.named(op, mediaType)
		switch {
		case f == nil:
			elsewhere = elsewhere || known
		case quality > bestQuality:
			best, bestQuality = *f, quality
		}
	}
	return best, bestQuality > 0 || !elsewhere
}

// named finds the representation of a media type; known tells that there is one,
// if only of other answers. A browser asks for HTML everywhere, and takes what comes.
func (in *request) named(op *operation, mediaType string) (found *format, known bool) {
	has := func(f format) bool {
		return f.mediaType == mediaType || slices.Contains(f.also, mediaType) || mediaType == "*/*"
	}
	for i := range op.formats {
		if f := &op.formats[i]; has(*f) && f.fitsLevel(in) {
			return f, true
		}
	}
	return nil, slices.ContainsFunc(in.known, func(f format) bool { return has(f) && f.name != formatHTML })
}

// notAcceptable tells a client that likes another representation which there
// are.
func (in *request) notAcceptable(op *operation) *wire.Problem {
	var names []string
	for i := range op.formats {
		if f := &op.formats[i]; f.fitsLevel(in) {
			names = append(names, f.name)
		}
	}
	return wire.NewProblem(in.http, http.StatusNotAcceptable, "this answer does not come as what the header Accept names, but as "+strings.Join(names, ", "))
}

// The codes parameter chooses how the header of a CSV names the columns.
const (
	codesName = "codes"
	codesEPA  = "epa"
)

// codedFormats names the formats of an operation that have such a header.
func codedFormats(op *operation) string {
	var names []string
	for i := range op.formats {
		if op.formats[i].codes {
			names = append(names, "format="+op.formats[i].name)
		}
	}
	return strings.Join(names, " or ")
}

func codesParam() parameter {
	return parameter{name: codesName, doc: "epa: the header of a CSV or XLSX names columns by EPA's codes, where they have one.", schema: huma.Schema{Enum: []any{codesEPA}}}
}
