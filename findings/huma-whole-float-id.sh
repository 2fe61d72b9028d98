#!/usr/bin/env bash
# huma refuses a plant id that pandas sends, after its own schema check has passed it.
#
# Tools: github.com/danielgtaylor/huma/v2 v2.37.2; the body is made by pandas 3.1.1.
# Guess: {"orispl":3.0} is an integer for JSON Schema, so huma accepts it, or says "expected integer".
# Seen:  {"orispl":3}   -> accepted (204 here)
#        {"orispl":3.5} -> 422, "expected integer", location body.orispl
#        {"orispl":3.0} -> 422, "json: cannot unmarshal number 3.0 into Go struct field ...", location body: the
#        validator lets the value through, decoding fails, and the fault no longer says which field, only "body".
#        pandas makes the 3.0 by itself: one plant without an ORISPL makes the whole column float64.
# Why:   a blank id in one row, or a join that finds no plant for one row, is enough to make people's ids
#        57053.0. Their client is right by the published OpenAPI document and is refused. Accept whole
#        floats in a type with its own UnmarshalJSON, or tell users to send Int64.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1
printf 'orispl\n3\n\n57053\n' >plants.csv
venv/bin/python -c '
import pandas as pd
rows = pd.read_csv("plants.csv", skip_blank_lines=False).dropna().to_dict("records")
import json
print(json.dumps(rows[0]))' >body.json
cat body.json
cat >go.mod <<'EOF'
module finding

go 1.25.0

require github.com/danielgtaylor/huma/v2 v2.37.2
EOF
cat >main.go <<'EOF'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

type input struct {
	Body struct {
		ORISPL int64 `json:"orispl"`
	}
}

func main() {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("plants", "1"))
	huma.Post(api, "/plants", func(context.Context, *input) (*struct{}, error) { return nil, nil })
	fromPandas, err := os.ReadFile("body.json")
	if err != nil {
		panic(err)
	}
	for _, body := range []string{`{"orispl": 3}`, `{"orispl": 3.5}`, strings.TrimSpace(string(fromPandas))} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/plants", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
		var fault huma.ErrorModel
		if w.Body.Len() > 0 {
			if err := json.Unmarshal(w.Body.Bytes(), &fault); err != nil {
				panic(err)
			}
		}
		fmt.Print(body, " -> ", w.Code)
		for _, e := range fault.Errors {
			fmt.Printf(" %s: %s", e.Location, e.Message)
		}
		fmt.Println()
	}
}
EOF
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
expect() {
	grep -qF -- "$1" seen || { echo "CHANGED: no line with \"$1\" any more" >&2; exit 1; }
}
expect '{"orispl": 3} -> 204'
expect '{"orispl": 3.5} -> 422 body.orispl: expected integer'
expect '{"orispl": 3.0} -> 422 body: json: cannot unmarshal number 3.0'
