package contract_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const address = "https://egrid.invalid/openapi.json"

// document is an OpenAPI document with its schemas ready for use.
type document struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name, In string
			Example  any
		}
		Responses map[string]struct {
			Content map[string]struct{ Example any }
			Headers map[string]any
		}
	}

	compiler *jsonschema.Compiler
}

// documentOf reads the document that an API serves. Schemas are of draft
// 2020-12, that of OpenAPI 3.1, and formats count.
func documentOf(t *testing.T, h http.Handler) *document {
	t.Helper()
	w := ask(h, "/openapi.json")
	d := &document{compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(w.Body.Bytes(), d); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(address, whole); err != nil {
		t.Fatal(err)
	}
	return d
}

// schema is a part of the document, by the names on the way to it.
func (d *document) schema(names ...string) (*jsonschema.Schema, error) {
	pointer := ""
	for _, name := range names {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return d.compiler.Compile(address + "#" + pointer)
}

// pathOf finds the documented path of a request; empty where there is none.
func (d *document) pathOf(target string) string {
	asked, _, _ := strings.Cut(target, "?")
	given, best := strings.Split(asked, "/"), ""
	for path := range d.Paths {
		parts := strings.Split(path, "/")
		fits := len(parts) == len(given)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == given[i] || strings.HasPrefix(parts[i], "{") && given[i] != ""
		}
		if fits && (best == "" || !strings.Contains(path, "{")) {
			best = path
		}
	}
	return best
}

// check compares an answer to GET with the document.
func (d *document) check(target string, status int, header http.Header, body []byte) error {
	path := d.pathOf(target)
	response, ok := d.Paths[path]["get"].Responses[fmt.Sprint(status)]
	if !ok {
		return fmt.Errorf("status %d is not documented", status)
	}
	for name := range response.Headers {
		if header.Get(name) == "" {
			return fmt.Errorf("the header %s is missing", name)
		}
	}
	if len(response.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("status %d has a body", status)
		}
		return nil
	}
	contentType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if _, ok := response.Content[contentType]; !ok || err != nil {
		return fmt.Errorf("content type %q is not documented", header.Get("Content-Type"))
	}
	at := []string{"paths", path, "get", "responses", fmt.Sprint(status), "content", contentType, "schema"}
	switch contentType {
	case "text/csv":
		return checkCSV(string(body))
	case "text/x-csvt":
		return checkCSVT(string(body))
	case typeParquet, typeXLSX:
		return checkFile(body)
	case typeDataPackage:
		return checkDataPackage(body)
	case "text/html":
		if !bytes.HasPrefix(body, []byte("<!DOCTYPE html>")) || !bytes.HasSuffix(body, []byte("</html>\n")) {
			return errors.New("no whole page of HTML")
		}
		return nil
	case "text/event-stream":
		return checkEvents(string(body))
	case wire.TypeBatches:
		return checkBatches(body)
	case "application/x-ndjson": // the document's schema is of the text; its lines are as in JSON
		at[6] = "application/json"
		return d.validateLines(body, append(at, "properties", "data", "items"))
	}
	return d.validate(body, at)
}

func (d *document) validate(body []byte, at []string) error {
	schema, err := d.schema(at...)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func (d *document) validateLines(body []byte, at []string) error {
	for line := range bytes.Lines(body) {
		if err := d.validate(line, at); err != nil {
			return err
		}
	}
	return nil
}

// checkCSV holds a text to RFC 4180: every record as long as the first, and ended
// by CRLF.
func checkCSV(text string) error {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) == 0 || len(records[0]) == 0 {
		return fmt.Errorf("no CSV with a header: %w", err)
	}
	quoted := false
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted && text[max(0, i-1)] != '\r', c == '\r' && !quoted && (i+1 == len(text) || text[i+1] != '\n'):
			return fmt.Errorf("a record does not end with CRLF, at byte %d", i)
		}
	}
	if !strings.HasSuffix(text, "\r\n") {
		return fmt.Errorf("the last record has no end")
	}
	return nil
}

// columnTypes is one line of the types that GDAL reads beside a CSV.
var columnTypes = regexp.MustCompile(`^"(String|Integer64|Real|CoordX|CoordY)"(,"(String|Integer64|Real|CoordX|CoordY)")*\r?\n?$`)

func checkCSVT(text string) error {
	if !columnTypes.MatchString(text) {
		return fmt.Errorf("no line of column types: %q", text)
	}
	return nil
}

// The media types of files.
const (
	typeParquet     = "application/vnd.apache.parquet"
	typeXLSX        = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typeDataPackage = "application/vnd.datapackage+json"
)

// checkFile wants a file whose first table can be read. The tests of the formats
// read what is in it.
func checkFile(body []byte) error {
	b, err := book.Open(bytes.NewReader(body), int64(len(body)), &book.Options{Formats: []book.Format{parquetfile.Input()}})
	if err != nil {
		return err
	}
	defer b.Close()
	text, err := b.Tables()[0].Open()
	if err != nil {
		return err
	}
	defer text.Close()
	records, err := csv.NewReader(text).ReadAll()
	if err == nil && len(records) == 0 {
		err = errors.New("no header")
	}
	return err
}

// checkDataPackage wants a descriptor of one CSV with a Table Schema.
func checkDataPackage(body []byte) error {
	var d struct {
		Resources []struct {
			Path   string
			Schema struct {
				Fields        []struct{ Name, Type string }
				MissingValues []string
			}
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return err
	}
	if len(d.Resources) != 1 || !strings.HasSuffix(d.Resources[0].Path, ".csv") || len(d.Resources[0].Schema.Fields) == 0 || !slices.Equal(d.Resources[0].Schema.MissingValues, []string{""}) {
		return fmt.Errorf("no description of a CSV: %+v", d)
	}
	for _, f := range d.Resources[0].Schema.Fields {
		if f.Name == "" || !slices.Contains([]string{"string", "integer", "number", "boolean"}, f.Type) {
			return fmt.Errorf("column %q of type %q", f.Name, f.Type)
		}
	}
	return nil
}

// checkBatches wants batches, each behind its length, and their end: a length of
// zero. The tests of the client read what is in them.
func checkBatches(body []byte) error {
	for batches := 0; ; batches++ {
		length, n := binary.Uvarint(body)
		switch body = body[max(0, n):]; {
		case n <= 0 || length > uint64(len(body)):
			return fmt.Errorf("the answer ends within batch %d", batches)
		case length == 0 && (batches == 0 || len(body) > 0):
			return fmt.Errorf("%d batches, and %d bytes behind the end", batches, len(body))
		case length == 0:
			return nil
		case !bytes.HasPrefix(body[:length], []byte("eGB")):
			return fmt.Errorf("batch %d begins with %.4q", batches, body)
		}
		body = body[length:]
	}
}

// checkEvents holds a text to the form of server-sent events.
func checkEvents(text string) error {
	for event := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(event, "\n")
		if !ok || !strings.HasPrefix(name, "event: ") || !strings.HasPrefix(data, "data: ") || strings.Contains(data, "\n") {
			return fmt.Errorf("no event: %q", event)
		}
	}
	return nil
}

// target is the request that the examples of an operation's parameters make.
func (d *document) target(path string) string {
	query := url.Values{}
	for _, p := range d.Paths[path]["get"].Parameters {
		text := fmt.Sprint(p.Example)
		if list, ok := p.Example.([]any); ok {
			parts := make([]string, len(list))
			for i, v := range list {
				parts[i] = fmt.Sprint(v)
			}
			text = strings.Join(parts, ",")
		}
		switch {
		case p.Example == nil:
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", text)
		default:
			query.Set(p.Name, text)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// ask makes a request without a network.
func ask(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
