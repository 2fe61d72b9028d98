package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// newSchemaCheck returns a check of answers against the OpenAPI document that
// the handler serves.
func newSchemaCheck(t *testing.T, h http.Handler) func(*testing.T, string, *httptest.ResponseRecorder) {
	t.Helper()
	document := documentOf(t, h)
	return func(t *testing.T, target string, w *httptest.ResponseRecorder) {
		t.Helper()
		if path := document.pathOf(target); path != "" {
			document.check(t, "get", path, target, w)
		}
	}
}

// pathOf finds the documented path that a target asks for.
func (d documented) pathOf(target string) string {
	asked, _, _ := strings.Cut(target, "?")
	best := ""
	for path := range d.Paths {
		if fits(path, asked) && (best == "" || !strings.Contains(path, "{")) {
			best = path
		}
	}
	return best
}

func fits(path, asked string) bool {
	parts, given := strings.Split(path, "/"), strings.Split(asked, "/")
	return len(parts) == len(given) && !slices.ContainsFunc(parts, func(part string) bool {
		text := given[0]
		given = given[1:]
		return part != text && (text == "" || !strings.HasPrefix(part, "{"))
	})
}

// check compares an answer with what the document says of it: status, content
// type, and every value in it.
func (d documented) check(t *testing.T, method, path, target string, w *httptest.ResponseRecorder) {
	t.Helper()
	response, ok := d.Paths[path][method].Responses[fmt.Sprint(w.Code)]
	if !ok {
		t.Errorf("%s: status %d is not documented", target, w.Code)
		return
	}
	if len(response.Content) == 0 {
		if w.Body.Len() > 0 {
			t.Errorf("%s: status %d has an undocumented body", target, w.Code)
		}
		return
	}
	contentType, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	media, ok := response.Content[contentType]
	if err != nil || !ok {
		t.Errorf("%s: status %d as %q is not documented: %v", target, w.Code, w.Header().Get("Content-Type"), err)
		return
	}
	for _, document := range documentsIn(contentType, w.Body.String()) {
		var body any = document
		schema := media.Schema
		if strings.HasSuffix(contentType, "json") {
			if err := json.Unmarshal([]byte(document), &body); err != nil {
				t.Errorf("%s: %v", target, err)
				continue
			}
		}
		if contentType == "application/x-ndjson" {
			schema = map[string]any{"type": "object"}
		}
		for _, fault := range validate(d.whole, schema, body, "body") {
			t.Errorf("%s: %s", target, fault)
		}
	}
}

func documentsIn(contentType, body string) []string {
	if contentType == "application/x-ndjson" {
		return strings.FieldsFunc(body, func(r rune) bool { return r == '\n' })
	}
	return []string{body}
}

// validate checks a value against the part of JSON Schema that the document
// uses, and complains about any other part.
func validate(doc, schema map[string]any, v any, at string) []string {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		return validate(doc, doc["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any), v, at)
	}
	faults := validateType(schema, v, at)
	switch v := v.(type) {
	case []any:
		faults = append(faults, validateItems(doc, schema, v, at)...)
	case map[string]any:
		faults = append(faults, validateProperties(doc, schema, v, at)...)
	case string:
		faults = append(faults, validateText(schema, v, at)...)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		faults = append(faults, fmt.Sprintf("%s is %v, not one of %v", at, v, enum))
	}
	for keyword := range schema {
		switch keyword {
		case "type", "items", "minItems", "maxItems", "properties", "additionalProperties", "required", "enum", "description", "format", "examples", "default":
		default:
			if !strings.HasPrefix(keyword, "x-") {
				faults = append(faults, fmt.Sprintf("%s: the check does not know the keyword %s", at, keyword))
			}
		}
	}
	return faults
}

func validateType(schema map[string]any, v any, at string) []string {
	if schema["type"] == nil {
		return nil
	}
	types := []any{schema["type"]}
	if list, ok := schema["type"].([]any); ok {
		types = list
	}
	actual := "null"
	switch v := v.(type) {
	case string:
		actual = "string"
	case bool:
		actual = "boolean"
	case float64:
		actual = "number"
		if v == float64(int64(v)) && slices.Contains(types, any("integer")) {
			actual = "integer"
		}
	case []any:
		actual = "array"
	case map[string]any:
		actual = "object"
	}
	if !slices.Contains(types, any(actual)) {
		return []string{fmt.Sprintf("%s is %s, not %v", at, actual, schema["type"])}
	}
	return nil
}

func validateItems(doc, schema map[string]any, v []any, at string) []string {
	var faults []string
	if least, ok := schema["minItems"].(float64); ok && len(v) < int(least) {
		faults = append(faults, fmt.Sprintf("%s has %d items, not %v", at, len(v), least))
	}
	if most, ok := schema["maxItems"].(float64); ok && len(v) > int(most) {
		faults = append(faults, fmt.Sprintf("%s has %d items, not %v", at, len(v), most))
	}
	if items, ok := schema["items"].(map[string]any); ok {
		for i, item := range v {
			faults = append(faults, validate(doc, items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return faults
}

func validateProperties(doc, schema, v map[string]any, at string) []string {
	var faults []string
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range v {
		if p, ok := properties[name].(map[string]any); ok {
			faults = append(faults, validate(doc, p, value, at+"."+name)...)
			continue
		}
		switch extra := schema["additionalProperties"].(type) {
		case map[string]any:
			faults = append(faults, validate(doc, extra, value, at+"."+name)...)
		case bool:
			if !extra {
				faults = append(faults, at+" has an undocumented "+name)
			}
		}
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			faults = append(faults, at+" lacks "+name.(string))
		}
	}
	return faults
}

func validateText(schema map[string]any, v, at string) []string {
	var err error
	switch schema["format"] {
	case "date-time":
		_, err = time.Parse(time.RFC3339, v)
	case "uri-reference":
		_, err = url.Parse(v)
	case nil:
	default:
		err = fmt.Errorf("the check does not know the format %v", schema["format"])
	}
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", at, err)}
	}
	return nil
}

// parameterSets are requests of an operation: its example, without what is
// optional, and with each parameter at values that can be and at some that
// cannot.
func (d documented) parameterSets(method, path string) []string {
	op := d.Paths[path][method]
	example := d.target(method, path)
	bare, _, _ := strings.Cut(example, "?")
	sets := []string{example, bare, bare + "?nonsense=1", bare + "?x=%zz"}
	for _, p := range op.Parameters {
		schema := p.Schema
		if items, ok := schema["items"].(map[string]any); ok {
			schema = items
		}
		values := []any{"", "?", "-1", "99999999999999999999", "%00", strings.Repeat("z", 400)}
		for _, known := range []string{"enum", "examples"} {
			if list, ok := schema[known].([]any); ok {
				values = append(values, list...)
			}
		}
		for _, v := range append(values, sensible[p.Name]...) {
			text := fmt.Sprint(v)
			if text != "%00" {
				text = url.QueryEscape(text)
			}
			if p.In == "path" {
				sets = append(sets, strings.Replace(strings.ReplaceAll(bare, "/"+fmt.Sprint(p.Example), "/{here}"), "{here}", strings.ReplaceAll(text, "+", "%20"), 1))
				continue
			}
			sets = append(sets, bare+"?"+p.Name+"="+text)
		}
	}
	return sets
}

// sensible are values that schemas do not tell.
var sensible = map[string][]any{
	"id": {"900001", "900133", "CA~Nobody"}, "name": {"NAMEPCAP", "state"}, "code": {"CAMX", "CA", "US", "CISO", "WECC"},
	"year": {2023, 2019, "all"}, "release": {"none", "v1"}, "state": {"CA", "CA,TX", "ca", "ZZ"}, "subregion": {"CAMX"}, "balancing_authority": {"CISO"},
	"nerc_region": {"WECC"}, "fuel": {"SUN", "NG,WAT"}, "limit": {1, 7, 1000, 1001}, "q": {"solar", `"`}, "sort": {"-net_generation_mwh", "nonsense"},
	"columns": {"plant_name", "state,net_generation_mwh", "nonsense"}, "filter": {"net_generation_mwh>=100", "state missing", "="},
	"having": {"count>1"}, "by": {"state", "state,data_year", "nonsense"}, "measures": {"count", "max(net_generation_mwh) as most", "sum(state)"},
	"facet": {"state", "fuel,state", "nonsense"}, "cursor": {"nonsense"}, "snapshot": {strings.Repeat("0", 24)},
}

// Every answer is as documented, whatever is asked and in whichever
// representation; and every operation shows its statuses.
func TestAnswersAreAsDocumented(t *testing.T) {
	t.Parallel()
	h := bundledAPI(t)
	document := documentOf(t, h)
	requests := 0
	for path, method := range document.operations() {
		op := document.Paths[path][method]
		seen := map[int]bool{}
		ask := func(target string, header ...string) {
			if strings.Contains(target, "\x00") {
				return
			}
			w := ask(t, h, method, target, document.body(method, path), header...)
			document.check(t, method, path, target, w)
			seen[w.Code] = true
			requests++
		}
		done := http.StatusOK
		if hasStatus(op.Responses, "202") {
			done = http.StatusAccepted
		}
		contentTypes := slices.Sorted(maps.Keys(op.Responses[strconv.Itoa(done)].Content))
		for i, target := range document.parameterSets(method, path) {
			if document.pathOf(target) != path {
				continue // an empty part of a path, or another operation
			}
			ask(target)
			ask(target, "Accept", contentTypes[i%len(contentTypes)])
			if i > 1 {
				continue
			}
			for _, contentType := range append(contentTypes, "application/geo+json") {
				ask(target, "Accept", contentType)
			}
			ask(target, "If-None-Match", "*")
		}
		for status, want := range map[int]bool{done: true, 304: op.Responses["304"].Content == nil && hasStatus(op.Responses, "304"), 400: len(op.Parameters) > 0} {
			if want && !seen[status] {
				t.Errorf("%s %s never answered %d", method, path, status)
			}
		}
	}
	t.Logf("%d requests", requests)
}

func hasStatus[T any](responses map[string]T, status string) bool {
	_, ok := responses[status]
	return ok
}
