// Package postman makes a Postman collection of the API's OpenAPI document: a
// folder for each tag, a request for each operation and each representation that
// has an example, and tests of status and content type.
//
//	collection, err := postman.Collection(openapi)
//
// The collection is docs/api/egrid.postman_collection.json; make generate
// writes it.
//
// # Guarantees
//
// The same document makes the same bytes. The requests are the document's
// examples, so that they are answered by 200 over the bundled sample, at the
// address in the variable baseUrl. Parameters without an example are there, and
// switched off. What needs credentials has the key in the variable apiKey.
//
// An operation that writes, or has no example of its answer, has one request,
// whose answer may have any documented status but those of the server's faults:
// what it does depends on what was done before. What the document links to its
// answer is kept in variables for the operations that the links lead to. There is
// no request for a stream of events, for whose end nobody can wait.
//
// # Errors
//
// [Collection] fails on what is no OpenAPI document in JSON.
//
// # See also
//
// Package httpapi, which serves the document; internal/scripts/contract.sh, which
// runs the collection.
package postman

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is what a collection needs of an OpenAPI document.
type document struct {
	Info  struct{ Title, Description string }
	Tags  []struct{ Name, Description string }
	Paths map[string]map[string]operation
}

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []parameter
	RequestBody                       struct{ Content content }
	Responses                         map[string]struct {
		Content content
		Links   map[string]struct {
			OperationID string
			Parameters  map[string]string
		}
	}
	Security []map[string][]string
}

// linked is where the values of an operation's parameters come from, by their
// names: variables.
type linked map[string]string

// content is examples by content type.
type content map[string]struct{ Example json.RawMessage }

type parameter struct {
	Name, In, Description string
	Example               any
}

// The parts of a collection, in Postman's format 2.1.
type collection struct {
	Info struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Schema      string `json:"schema"`
	} `json:"info"`
	Item     []folder `json:"item"`
	Variable []pair   `json:"variable"`
}

type folder struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Item        []item `json:"item"`
}

type item struct {
	Name    string  `json:"name"`
	Event   []event `json:"event"`
	Request request `json:"request"`
}

type event struct {
	Listen string `json:"listen"`
	Script struct {
		Type string   `json:"type"`
		Exec []string `json:"exec"`
	} `json:"script"`
}

type request struct {
	Method      string `json:"method"`
	Header      []pair `json:"header"`
	Body        *body  `json:"body,omitempty"`
	URL         target `json:"url"`
	Description string `json:"description,omitempty"`
}

type body struct {
	Mode string `json:"mode"`
	Raw  string `json:"raw"`
}

type target struct {
	Raw      string   `json:"raw"`
	Host     []string `json:"host"`
	Path     []string `json:"path"`
	Query    []pair   `json:"query,omitempty"`
	Variable []pair   `json:"variable,omitempty"`
}

type pair struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// Collection makes a Postman collection of an OpenAPI document in JSON.
func Collection(openapi []byte) ([]byte, error) {
	var d document
	if err := json.Unmarshal(openapi, &d); err != nil || len(d.Paths) == 0 {
		return nil, errors.Join(errors.New("postman: this is no OpenAPI document with paths"), err)
	}
	c := collection{Variable: []pair{{Key: "baseUrl", Value: "http://127.0.0.1:4000"}, {Key: "apiKey"}}}
	c.Info.Name, c.Info.Description = d.Info.Title, d.Info.Description
	c.Info.Schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
	for _, tag := range d.Tags {
		f := folder{Name: tag.Name, Description: tag.Description, Item: d.items(tag.Name)}
		if len(f.Item) > 0 {
			c.Item = append(c.Item, f)
		}
	}
	b, err := json.MarshalIndent(c, "", "\t")
	return append(b, '\n'), err
}

// items are the requests of a tag.
func (d *document) items(tag string) []item {
	var items []item
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			op := d.Paths[path][method]
			if !slices.Contains(op.Tags, tag) {
				continue
			}
			before, from := len(items), d.linksTo(op.OperationID)
			answers := op.Responses["200"].Content
			for _, contentType := range slices.Sorted(maps.Keys(answers)) {
				if len(answers[contentType].Example) > 0 && contentType != eventStream && method == "get" {
					items = append(items, op.item(method, path, from, contentType, expect(contentType)))
				}
			}
			if _, streams := answers[eventStream]; len(items) == before && (!streams || len(answers) > 1) {
				items = append(items, op.item(method, path, from, "application/json", op.expectAny()))
			}
		}
	}
	return items
}

const eventStream = "text/event-stream"

// linksTo finds what links lead to an operation.
func (d *document) linksTo(id string) linked {
	from := linked{}
	for _, methods := range d.Paths {
		for _, op := range methods {
			for _, response := range op.Responses {
				for _, link := range response.Links {
					for name := range link.Parameters {
						if link.OperationID == id {
							from[name] = op.OperationID + "." + name
						}
					}
				}
			}
		}
	}
	return from
}

// keep is the lines of a script that keep what links lead on with.
func (op *operation) keep() []string {
	kept := map[string]bool{}
	for _, response := range op.Responses {
		for _, link := range response.Links {
			for name, expression := range link.Parameters {
				pointer := strings.Split(strings.TrimPrefix(expression, "$response.body#/"), "/")
				kept[fmt.Sprintf("if (pm.response.code < 300) pm.collectionVariables.set(%q, pm.response.json().%s);", op.OperationID+"."+name, strings.Join(pointer, "."))] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(kept))
}

func (op *operation) item(method, path string, from linked, contentType string, test event) item {
	it := item{Name: op.Summary, Event: []event{test}}
	if contentType != "application/json" {
		it.Name += " as " + contentType
	}
	it.Request = request{Method: strings.ToUpper(method), Header: []pair{{Key: "Accept", Value: contentType}}, URL: op.target(path, from), Description: op.Description}
	if op.closed() {
		it.Request.Header = append(it.Request.Header, pair{Key: "X-API-Key", Value: "{{apiKey}}"})
	}
	if given, ok := op.RequestBody.Content["application/json"]; ok {
		it.Request.Header = append(it.Request.Header, pair{Key: "Content-Type", Value: "application/json"})
		it.Request.Body = &body{Mode: "raw", Raw: string(given.Example)}
	}
	return it
}

// closed reports whether an operation needs credentials.
func (op *operation) closed() bool {
	return len(op.Security) > 0 && !slices.ContainsFunc(op.Security, func(needs map[string][]string) bool { return len(needs) == 0 })
}

// target is an address with the examples of an operation's parameters, or with
// what links lead to it with.
func (op *operation) target(path string, from linked) target {
	t := target{Host: []string{"{{baseUrl}}"}}
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			part = ":" + strings.TrimSuffix(name, "}")
		}
		t.Path = append(t.Path, part)
	}
	var enabled []string
	for _, p := range op.Parameters {
		given := pair{Key: p.Name, Value: textOf(p.Example), Description: p.Description}
		if variable := from[p.Name]; variable != "" {
			given.Value = "{{" + variable + "}}"
		}
		if p.In == "path" {
			t.Variable = append(t.Variable, given)
			continue
		}
		if given.Disabled = p.Example == nil; !given.Disabled {
			enabled = append(enabled, p.Name+"="+given.Value)
		}
		t.Query = append(t.Query, given)
	}
	t.Raw = "{{baseUrl}}/" + strings.Join(t.Path, "/")
	if len(enabled) > 0 {
		t.Raw += "?" + strings.Join(enabled, "&")
	}
	return t
}

// textOf writes an example as it stands in an address.
func textOf(example any) string {
	list, ok := example.([]any)
	switch {
	case example == nil:
		return ""
	case !ok:
		return fmt.Sprint(example)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ",")
}

// script is a test of these lines.
func script(lines ...string) event {
	e := event{Listen: "test"}
	e.Script.Type, e.Script.Exec = "text/javascript", lines
	return e
}

// expectAny tests that the status is a documented one, and no fault of the
// server.
func (op *operation) expectAny() event {
	var statuses []string
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status < "5" {
			statuses = append(statuses, status)
		}
	}
	test := fmt.Sprintf(`pm.test("status is documented", () => pm.expect(pm.response.code).to.be.oneOf([%s]));`, strings.Join(statuses, ", "))
	return script(append([]string{test}, op.keep()...)...)
}

// expect tests status and content type.
func expect(contentType string) event {
	return script(
		`pm.test("status is 200", () => pm.response.to.have.status(200));`,
		fmt.Sprintf(`pm.test("content type is %s", () => pm.expect(pm.response.headers.get("Content-Type")).to.satisfy((type) => type.split(";")[0] === %q));`, contentType, contentType),
	)
}
