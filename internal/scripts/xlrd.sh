#!/usr/bin/env bash
# A Python that has xlrd, which our reader of .xls is compared with, and xlwt:
# xlrd.sh start|stop. It is installed below .bin once; start prints its path.
set -euo pipefail
[ "${1:-}" = start ] || exit 0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$here/../../.bin/xlrd
pins="xlrd==2.0.2 xlwt==1.3.0"
if [ "$(cat "$venv/pins" 2>/dev/null)" != "$pins" ]; then
  {
    python3 -c 'import ensurepip' || "$here/install.sh" python3-venv
    rm -rf "$venv"
    python3 -m venv "$venv"
    # shellcheck disable=SC2086 # two words
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps $pins
    echo "$pins" >"$venv/pins"
  } >&2
fi
echo "$(cd "$venv" && pwd)/bin/python"
