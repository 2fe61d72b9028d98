#!/usr/bin/env bash
# Makes two lists of targets at a time: together.sh "TARGET..." "TARGET..."
#
# The second takes what the first leaves of the processor, and its output comes when
# both are done. It fails when either does.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # lists of targets
nice -n 19 make --no-print-directory $2 >"$log" 2>&1 </dev/null &
other=$!
failed=0
# shellcheck disable=SC2086
make --no-print-directory $1 || failed=1
wait "$other" || failed=1
cat "$log"
exit $failed
