package postman_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                struct {
		Type    string
		Enum    []any
		Default any
		Items   *struct{ Enum []any }
	}
}

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []parameter
	method, path                      string
}

// The page on HTTP is that of the API as it is.
func TestReference(t *testing.T) {
	t.Parallel()
	var document struct {
		Tags  []struct{ Name, Description string }
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openAPI(t), &document); err != nil {
		t.Fatal(err)
	}
	var operations []operation
	for path, methods := range document.Paths {
		for method, text := range methods {
			if !slices.Contains([]string{"get", "post", "put", "delete"}, method) {
				continue
			}
			o := operation{method: strings.ToUpper(method), path: path}
			if err := json.Unmarshal(text, &o); err != nil {
				t.Fatal(err)
			}
			operations = append(operations, o)
		}
	}
	slices.SortFunc(operations, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	var b strings.Builder
	b.WriteString("# HTTP\n\n<!-- generated from the OpenAPI document: make generate -->\n\n" +
		"The operations of the API. A service shows them at `/api` (Swagger UI), and its document at `/openapi.json` and\n" +
		"`/openapi.yaml`; a Postman collection is in [docs/api](../api). What holds for all of them:\n\n" +
		"- JSON answers are `{\"data\", \"meta\", \"links\"}`: `meta` has count, data year, release, basis and units, `links.next` the next\n" +
		"  page, `links.permanent` an address at which the answer stays as it is.\n" +
		"- Lists come as `format=csv`, `ndjson`, `geojson`, `parquet` or `xlsx` too, or by the header `Accept`: complete, with the\n" +
		"  number of rows in the trailer `X-Row-Count`.\n" +
		"- The unmarked release is `\"\"` in JSON, and `none` in parameters. A parameter without a value counts as absent.\n" +
		"- Refusals are `application/problem+json` (RFC 9457) and name what is wrong with the nearest right name: 400 for a\n" +
		"  parameter that cannot be, 404 for what is not there, with what is, 401 and 403 with how credentials are sent.\n" +
		"- Every GET has an `ETag`, and answers `If-None-Match` by 304.\n")
	for _, tag := range document.Tags {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", tag.Name, tag.Description)
		for _, o := range operations {
			if slices.Contains(o.Tags, tag.Name) {
				o.write(&b)
			}
		}
	}
	path := filepath.Join("..", "..", "docs", "reference", "http.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not that of the API; run make generate", path)
	}
}

func (o *operation) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s %s\n\n%s.", o.method, o.path, o.Summary)
	if o.Description != "" {
		fmt.Fprintf(b, " %s", o.Description)
	}
	b.WriteString("\n")
	if len(o.Parameters) == 0 {
		return
	}
	b.WriteString("\n| parameter | meaning |\n|---|---|\n")
	for _, p := range o.Parameters {
		name := "`" + p.Name + "`"
		if p.In != "query" {
			name += " (" + p.In + ")"
		}
		if p.Required && p.In == "query" {
			name += ", required"
		}
		meaning := strings.ReplaceAll(p.Description, "|", `\|`)
		enum := p.Schema.Enum
		if p.Schema.Items != nil {
			enum = p.Schema.Items.Enum
		}
		if len(enum) > 0 {
			meaning += " One of " + strings.Trim(fmt.Sprint(enum), "[]") + "."
		}
		if p.Schema.Default != nil {
			meaning += fmt.Sprintf(" Default %v.", p.Schema.Default)
		}
		fmt.Fprintf(b, "| %s | %s |\n", name, meaning)
	}
}
