#!/usr/bin/env bash
# Starts the platform in one process on the bundled sample, asks it how it is and
# for a figure, and ends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

dir=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT

go build -o "$dir/egrid" ./hosts/egrid
export XDG_DATA_HOME=$dir EGRID_STORE=$dir/store.db
env -u EGRID_QUEUE "$dir/egrid" --log-level info up --addr 127.0.0.1:0 examples/data >"$dir/out" 2>"$dir/log" </dev/null &
server=$!
url=
for _ in $(seq 600); do
  url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$dir/out" | head -1 || true)
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
[ -n "$url" ] || { tail -20 "$dir/out" "$dir/log" >&2 && echo "the platform does not start" >&2 && exit 1; }
"$dir/egrid" health "$url"
plants=$("$dir/egrid" top --limit 3 --format csv | wc -l)
[ "$plants" = 4 ] || { echo "the store has no plants" >&2 && exit 1; }
kill "$server"
wait "$server" || { tail -5 "$dir/log" >&2 && echo "the platform did not end cleanly" >&2 && exit 1; }
server=
