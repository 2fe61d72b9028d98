#!/usr/bin/env bash
# Runs a command beside real services: with-services.sh make unit
#
# Starts what is not named by the environment already (EGRID_TEST_POSTGRES,
# EGRID_TEST_AMQP, EGRID_TEST_S3), and stops what it started. Where a service
# cannot be had it says so and goes on: the tests that need it skip, or fail
# where CI=true.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

tmp=$(mktemp -d)
started=()
cleanup() {
  for script in "${started[@]}"; do "$here/$script.sh" stop || true; done
  rm -rf "$tmp"
}
trap cleanup EXIT

declare -A variable=([postgres]=EGRID_TEST_POSTGRES [rabbitmq]=EGRID_TEST_AMQP [minio]=EGRID_TEST_S3)
for script in "${!variable[@]}"; do
  [ -x "$here/$script.sh" ] && [ -z "$(printenv "${variable[$script]}" || true)" ] || continue
  started+=("$script")
done

# Packages are installed one after the other: apt allows one at a time.
for script in "${started[@]}"; do
  "$here/$script.sh" start >"$tmp/$script" || echo "$script could not be started" >&2
  [ "$script" != rabbitmq ] || export EGRID_TEST_AMQP_RESTART="$here/rabbitmq.sh restart"
  [ ! -s "$tmp/$script" ] || export "${variable[$script]}=$(tail -1 "$tmp/$script")"
done
"$@"
