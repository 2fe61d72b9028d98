#!/usr/bin/env bash
# Writes anew every file that is made from the source:
#
#   generate.sh           writes them
#   generate.sh --check   writes them, and fails when that changed one
#   generate.sh --list    prints the packages and tests that do it
#
# Each step may read what the steps before it wrote.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

update() { # package, the tests that write its files
  go test -count=1 -run "^($2)\$" "$1" -update >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }
}

# steps prints the packages whose tests write files, and these tests, in order.
steps() {
  sed 's/ *#.*//' <<'END'
./egrid TestDataDoc       # the dictionary -> docs/data.md
./examples/data TestFresh # the sample generator -> examples/data/*.csv
./httpapi TestAnswers|TestErrors|TestRuns|TestZIP|TestReconciliationForms|TestExamples # the API -> its golden files, examples.json
./hosts/egrid TestReports|TestReference # what commands print -> hosts/egrid/testdata, docs/reference/command.md, settings.md, .env.example
./internal/postman TestFresh|TestReference # the API's document, with those examples -> docs/api, docs/reference/http.md
./hosts/internal/telemetry TestMetrics # a scrape -> docs/reference/metrics.md
./internal/weights TestFresh # what packages compile -> docs/packages.md
END
}
if [ "${1:-}" = --list ]; then
  steps
  exit
fi

sums() {
  find docs/data.md docs/api docs/reference docs/packages.md .env.example hosts/egrid/settings.txt examples/data/*.csv httpapi/examples.json httpapi/testdata hosts/egrid/testdata -type f -exec sha256sum {} + | sort -k 2
}

log=$(mktemp)
before=$(mktemp)
trap 'rm -f "$log" "$before"' EXIT
sums >"$before"

rm -f httpapi/testdata/*.golden hosts/egrid/testdata/*.golden # those of tests that are no more
(cd internal/licences && go test -count=1 -run '^TestLicences$' . -update >"$log" 2>&1) || { cat "$log" >&2 && exit 1; } # modules -> docs/reference/licences.md
while read -r package tests; do update "$package" "$tests"; done < <(steps)

changed=$( (diff "$before" <(sums) || true) | sed -nE 's/^[<>] [0-9a-f]+ +/  /p' | sort -u)
[ -n "$changed" ] || exit 0
echo "$changed"
if [ "${1:-}" = --check ]; then
  echo "These files were not what the source makes of them. They are now: look at the changes and commit them (make generate)." >&2
  exit 1
fi
