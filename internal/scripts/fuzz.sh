#!/usr/bin/env bash
# Fuzzes every Fuzz function of the module for a while: fuzz.sh 5s
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT

targets=$(grep -rEo --include='*_test.go' --exclude-dir='.*' --exclude-dir=testdata \
  '^func Fuzz[A-Z0-9_][A-Za-z0-9_]*' egrid etl queue cache httpapi hosts examples internal 2>/dev/null |
  sed -E 's|^(.*)/[^/]*:func (.*)$|\1 \2|' | sort -u || true)
if [ -z "$targets" ]; then
  echo "no Fuzz function found" >&2
  exit 1
fi

failed=0
while read -r folder target; do
  start=$SECONDS
  if go test -run='^$' -fuzz="^$target\$" -fuzztime="$1" "./$folder" >"$log" 2>&1; then
    echo "ok  $folder $target $((SECONDS - start))s $(grep -Eo 'execs: [0-9]+' "$log" | tail -1)"
  elif grep -q 'context deadline exceeded' "$log" &&
    ! grep -Eq 'Failing input|panic:|_test\.go:|build failed' "$log"; then
    # Go before 1.27 may report the end of its own -fuzztime as a failure
    # (go.dev/issue/75804). A real finding writes its input to testdata.
    echo "ok  $folder $target $((SECONDS - start))s (stopped by its time limit)"
  else
    cat "$log"
    failed=1
  fi
done <<<"$targets"
exit $failed
