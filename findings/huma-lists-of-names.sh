#!/usr/bin/env bash
# huma cuts a plant name at its comma and drops the second of two repeated parameters.
#
# Tool:  github.com/danielgtaylor/huma/v2 v2.37.2, a parameter `Names []string` tagged query:"name".
# Guess: ?name=Bowline%2C+LLC is one name, since the comma is escaped, and ?name=a&name=b is two.
# Seen:  the escaped comma splits the name, and of a repeated parameter only the first is kept; both succeed:
#          name=Bowline%2C+LLC    -> ["Bowline" " LLC"]
#          name=CAMX&name=NYCW    -> ["CAMX"]
#        With the tag query:"name,explode" both are as guessed; name=CAMX,NYCW is then one value.
# Why:   1,456 of the 26,601 rows of GEN23 have a comma in the plant name. A browser form, requests.get(params=...)
#        and url.Values all repeat a parameter for a list, so a caller who asks for CAMX and NYCW gets
#        the rows of CAMX alone, with a success status and no warning. Use explode for names; reject what repeats.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module finding

go 1.25.0

require github.com/danielgtaylor/huma/v2 v2.37.2
EOF
cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

type plain struct {
	Names []string `query:"name"`
}

type exploded struct {
	Names []string `query:"name,explode"`
}

func main() {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("plants", "1"))
	var got []string
	huma.Get(api, "/plain", func(_ context.Context, in *plain) (*struct{}, error) {
		got = in.Names
		return nil, nil
	})
	huma.Get(api, "/explode", func(_ context.Context, in *exploded) (*struct{}, error) {
		got = in.Names
		return nil, nil
	})
	for _, path := range []string{"/plain", "/explode"} {
		for _, query := range []string{"name=Bowline%2C+LLC", "name=CAMX&name=NYCW", "name=CAMX,NYCW"} {
			got = nil
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", path+"?"+query, nil))
			fmt.Printf("%s?%s -> %d %q\n", path, query, w.Code, got)
		}
	}
}
EOF
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
expect() {
	grep -qxF -- "$1" seen || { echo "CHANGED: no line \"$1\" any more" >&2; exit 1; }
}
expect '/plain?name=Bowline%2C+LLC -> 204 ["Bowline" " LLC"]'
expect '/plain?name=CAMX&name=NYCW -> 204 ["CAMX"]'
expect '/explode?name=Bowline%2C+LLC -> 204 ["Bowline, LLC"]'
expect '/explode?name=CAMX&name=NYCW -> 204 ["CAMX" "NYCW"]'
expect '/explode?name=CAMX,NYCW -> 204 ["CAMX,NYCW"]'
