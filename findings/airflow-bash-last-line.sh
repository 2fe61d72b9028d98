#!/usr/bin/env bash
# Airflow's BashOperator takes the last line of standard error for the answer of a command, where that came last.
#
# Tool:  apache-airflow 3.3.2 with apache-airflow-providers-standard 1.21.0 (Python 3.11).
# Guess: what a task passes on to the next (XCom) is what its command prints on standard output.
# Seen:  a command sums two plants. It prints {"net_generation_mwh": 10541518.0} on standard output, and on standard
#        error that one of them is negative. The task returns
#          the answer alone         -> {"net_generation_mwh": 10541518.0}
#          the warning behind it    -> 1 plant has negative net generation
#          the answer, indented     -> }
#        Both streams go into one pipe, of which the last line counts. The task succeeds.
# Why:   a warning, which valid eGRID figures give rise to, takes the place of the figure for the tasks behind. Run the command
#        from a Python task that reads standard output alone, and have it print JSON on one line.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
pins=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/internal/airflowcheck/requirements.txt
cd "$dir"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes --only-binary :all: -r "$pins"
AIRFLOW_HOME=$dir/home AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False AIRFLOW__LOGGING__LOGGING_LEVEL=CRITICAL venv/bin/python - 2>/dev/null <<'PY'
import sys

from airflow.providers.standard.operators.bash import BashOperator

TOTAL = """awk -F, '{ s += $2 } END { printf "{\\"net_generation_mwh\\": %.1f}\\n", s }' <<'END'
Barry,10543961.0
Rocky Mountain,-2443.0
END
"""
for name, command, want in (
    ("the answer alone", TOTAL, '{"net_generation_mwh": 10541518.0}'),
    ("the warning behind it", TOTAL + "echo '1 plant has negative net generation' >&2", "1 plant has negative net generation"),
    ("the answer, indented", "printf '{\\n  \"net_generation_mwh\": 10541518.0\\n}\\n'", "}"),
):
    seen = BashOperator(task_id="total", bash_command=command).execute({})
    print(f"result: {name} -> {seen}")
    if seen != want:
        sys.exit(f"CHANGED: it was {want}")
PY
