package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// kind is a type of JSON Schema.
type kind string

const (
	text    kind = "string"
	integer kind = "integer"
	number  kind = "number"
	boolean kind = "boolean"
	list    kind = "array" // of texts
	objects kind = "objects"
)

// argument declares an argument of a tool. It has the name of the API's parameter
// that it becomes.
type argument struct {
	name, doc string
	kind      kind
	enum      []string
	fallback  string // when it is not given
	required  bool
	local     bool       // it is for the tool, and no parameter
	fields    []argument // of objects
	most      int        // elements of a list
}

// schema is that of JSON Schema.
func (a *argument) schema() map[string]any {
	s := map[string]any{"type": a.kind, "description": a.doc}
	switch a.kind {
	case list:
		s["items"] = map[string]any{"type": text}
	case objects:
		s["type"], s["items"] = list, object(a.fields)
	}
	if a.enum != nil {
		s["enum"] = a.enum
	}
	if a.most > 0 {
		s["maxItems"] = a.most
	}
	return s
}

func object(fields []argument) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range fields {
		properties[fields[i].name] = fields[i].schema()
		if fields[i].required {
			required = append(required, fields[i].name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// given are the arguments of a call.
type given struct {
	values url.Values          // texts, as the API takes them
	sites  []map[string]string // of an inventory
}

// read reads arguments. What a value may be is for the API to tell, which knows
// the nearest right one.
func (t *tool) read(arguments json.RawMessage) (g given, err error) {
	raw := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(arguments)) > 0 {
		if err := json.Unmarshal(arguments, &raw); err != nil {
			return g, errors.New("the arguments are one JSON object, by name")
		}
	}
	g.values = url.Values{}
	for i := range t.args {
		if t.args[i].fallback != "" {
			g.values.Set(t.args[i].name, t.args[i].fallback)
		}
	}
	err = walk("", raw, t.args, func(a *argument, value json.RawMessage) (err error) {
		if a.kind == objects {
			g.sites, err = readObjects(a, value)
			return err
		}
		texts, err := texts(value)
		if len(texts) > 0 {
			g.values[a.name] = texts
		}
		return err
	})
	return g, err
}

// walk calls take for each argument that is given, in the order of their
// declaration, and refuses what is unknown or lacking.
func walk(of string, raw map[string]json.RawMessage, args []argument, take func(*argument, json.RawMessage) error) error {
	names := make([]string, len(args))
	for i := range args {
		a := &args[i]
		names[i] = a.name
		value := raw[a.name]
		if value == nil || string(value) == "null" {
			if a.required {
				return fmt.Errorf("%sthe argument %s is required: %s", of, a.name, a.doc)
			}
			continue
		}
		if err := take(a, value); err != nil {
			return fmt.Errorf("%s%s: %w", of, a.name, err)
		}
	}
	for name := range raw {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%sthere is no argument %q; there are %s", of, name, strings.Join(names, ", "))
		}
	}
	return nil
}

func readObjects(a *argument, value json.RawMessage) ([]map[string]string, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, errors.New("is a list of objects")
	}
	if len(list) == 0 || len(list) > a.most {
		return nil, fmt.Errorf("has %d entries; 1 to %d are taken at once", len(list), a.most)
	}
	read := make([]map[string]string, len(list))
	for i, raw := range list {
		read[i] = map[string]string{}
		err := walk(fmt.Sprintf("entry %d: ", i+1), raw, a.fields, func(f *argument, value json.RawMessage) error {
			one, err := scalar(value)
			read[i][f.name] = one
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return read, nil
}

// texts reads a text, number, boolean, or a list of them.
func texts(value json.RawMessage) ([]string, error) {
	elements := []json.RawMessage{value}
	if value[0] == '[' {
		if err := json.Unmarshal(value, &elements); err != nil {
			return nil, err
		}
	}
	all := make([]string, len(elements))
	for i, element := range elements {
		var err error
		if all[i], err = scalar(element); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func scalar(value json.RawMessage) (string, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		whole, _ := strings.CutSuffix(v.String(), ".0") // as some write 2023
		return whole, nil
	}
	return "", errors.New("expected a text or a number")
}

// joined is the value of a parameter that takes a list: texts that are given as a
// list, in quotes where they hold commas; a text alone is as it is.
func joined(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	return egrid.JoinList(texts)
}
