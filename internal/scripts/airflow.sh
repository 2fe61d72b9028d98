#!/usr/bin/env bash
# Runs the DAG of examples/airflow on a real Airflow, beside real servers. Airflow is
# installed in the user's cache once, in an environment of its own, as
# internal/airflowcheck/requirements.txt pins it. It needs Python 3.11.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
pins=$root/internal/airflowcheck/requirements.txt
venv=${XDG_CACHE_HOME:-$HOME/.cache}/egrid/airflow-$(sha256sum "$pins" | cut -c1-12)

if [ "${1:-}" != beside-services ]; then
  if ! cmp -s "$pins" "$venv/pins"; then
    python=$(command -v python3.11 || command -v python3 || true)
    [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
      echo "missing: python3.11, for which Airflow is pinned. Install it by hand to run what needs it." >&2
      exit 1
    }
    mkdir -p "${venv%/*}"
    exec 9>"$venv.lock" && flock 9
  fi
  if ! cmp -s "$pins" "$venv/pins"; then # another one may have been quicker
    began=$SECONDS
    "$python" -c 'import ensurepip' 2>/dev/null || "$root/internal/scripts/install.sh" python3-venv
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r "$pins"
    cp "$pins" "$venv/pins"
    echo "Airflow is installed: $((SECONDS - began)) s"
  fi
  exec 9>&-
  exec env -u EGRID_TEST_POSTGRES -u EGRID_TEST_AMQP -u EGRID_TEST_S3 "$root/internal/scripts/with-services.sh" "$0" beside-services
fi

work=$(mktemp -d /tmp/egrid-airflow.XXXXXX)
trap 'rm -rf "$work"' EXIT
(cd "$root" && go build -o "$work/bin/" ./hosts/egrid ./hosts/consumer)
"$venv/bin/python" "$root/internal/airflowcheck/check.py" "$root" "$work"
