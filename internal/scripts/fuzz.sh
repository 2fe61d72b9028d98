#!/usr/bin/env bash
# Fuzzes every Fuzz function of the module for a while: fuzz.sh 5s
set -euo pipefail
fuzztime=$1

log=$(mktemp)
trap 'rm -f "$log"' EXIT

targets=$(grep -rEo --include='*_test.go' --exclude-dir='.*' --exclude-dir=testdata \
  '^func Fuzz[A-Z0-9_][A-Za-z0-9_]*' egrid etl queue cache httpapi hosts examples internal 2>/dev/null |
  sed -E 's|^(.*)/[^/]*:func (.*)$|\1 \2|' | sort -u || true)
if [ -z "$targets" ]; then
  echo "no Fuzz function found" >&2
  exit 1
fi

fuzz() { # folder, target
  go test -run='^$' -fuzz="^$2\$" -fuzztime="$fuzztime" -fuzzminimizetime=10x "./$1" >"$log" 2>&1
}

# Go before 1.27 now and then reports the end of its own -fuzztime as a failure
# (go.dev/issue/75804), and a machine without memory to spare ends its worker.
# Such a run is repeated once: an input that hangs would show again, and a real
# finding says which input failed.
ended() {
  grep -Eq 'context deadline exceeded|terminated without fuzzing' "$log" && ! grep -Eq 'Failing input|panic:|build failed' "$log"
}

failed=0
while read -r folder target; do
  start=$SECONDS
  if fuzz "$folder" "$target" || { ended && fuzz "$folder" "$target"; }; then
    echo "ok  $folder $target $((SECONDS - start))s $(grep -Eo 'execs: [0-9]+' "$log" | tail -1)"
  else
    cat "$log"
    failed=1
  fi
done <<<"$targets"
exit $failed
