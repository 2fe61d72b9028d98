#!/usr/bin/env bash
# Opens what egrid exports in pandas, polars and DuckDB, by the lines of
# docs/exports.md. The tools are installed in the user's cache once.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
pins=$root/internal/exportcheck/requirements.txt
python=${XDG_CACHE_HOME:-$HOME/.cache}/egrid/exports-$(sha256sum "$pins" | cut -c1-12)

if ! cmp -s "$pins" "$python/pins"; then
  mkdir -p "${python%/*}"
  exec 9>"$python.lock" && flock 9
fi
if ! cmp -s "$pins" "$python/pins"; then # another one may have been quicker
  echo "installing pandas, polars and DuckDB"
  python3 -c 'import ensurepip' 2>/dev/null || "$root/internal/scripts/install.sh" python3-venv
  rm -rf "$python"
  python3 -m venv "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pins"
  cp "$pins" "$python/pins"
fi
exec 9>&-

work=$(mktemp -d /tmp/egrid-exports.XXXXXX)
trap 'rm -rf "$work"' EXIT
(cd "$root" && go build -o "$work/egrid" ./hosts/egrid)
cd "$work"
store=(--store "sqlite:$work/egrid.db")
./egrid "${store[@]}" load "$root/internal/exportcheck/GEN23.csv" >report || { cat report >&2 && exit 1; }
for format in parquet xlsx csv; do ./egrid "${store[@]}" rows GEN --year 2023 --output "GEN_2023.$format"; done
"$python/bin/python" "$root/internal/exportcheck/check.py" "$root/docs/exports.md"
