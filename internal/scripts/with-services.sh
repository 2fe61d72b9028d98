#!/usr/bin/env bash
# Runs a command beside real services: with-services.sh make unit
#
# Starts what is not named by the environment already (EGRID_TEST_POSTGRES,
# EGRID_TEST_AMQP, EGRID_TEST_S3, EGRID_TEST_REDIS, EGRID_TEST_XLRD), in a folder
# and on ports of its own, so that several runs go on side by side, and ends what
# it started.
# Where a service cannot be had it says so and goes on: the tests that need it
# skip, or fail where CI=true.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

export EGRID_SERVICES_DIR
EGRID_SERVICES_DIR=$(mktemp -d /tmp/egrid-services.XXXXXX)
started=()
cleanup() {
  for script in "${started[@]}"; do "$here/$script.sh" stop || true; done
  rm -rf "$EGRID_SERVICES_DIR"
}
trap cleanup EXIT

free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# ports finds ten in a row, below those that the system gives out by itself.
ports() {
  local base port
  while :; do
    base=$((20000 + RANDOM % 1000 * 10))
    for port in $(seq $base $((base + 9))); do
      free "$port" || continue 2
    done
    echo "$base"
    return
  done
}
base=$(ports)
export EGRID_POSTGRES_PORT=$base EGRID_MINIO_PORT=$((base + 1)) EGRID_RABBITMQ_PORT=$((base + 2)) # and the two behind it
export EGRID_REDIS_PORT=$((base + 5))
# What the commands below need, also where a test has cleared the settings.
own="env EGRID_SERVICES_DIR=$EGRID_SERVICES_DIR EGRID_POSTGRES_PORT=$EGRID_POSTGRES_PORT EGRID_RABBITMQ_PORT=$EGRID_RABBITMQ_PORT $here"

# start SCRIPT VARIABLE: one after the other, because apt allows one at a time.
start() {
  [ -z "$(printenv "$2" || true)" ] || return 0
  started+=("$1")
  local url
  url=$("$here/$1.sh" start | tail -1) || { echo "$1 could not be started" >&2 && return 0; }
  export "$2=$url"
}
if [ -z "${EGRID_TEST_POSTGRES:-}" ]; then
  start postgres EGRID_TEST_POSTGRES
  export EGRID_TEST_POSTGRES_RESTART="$own/postgres.sh restart"
fi
if [ -z "${EGRID_TEST_S3:-}" ]; then # a test listens where the buckets notify
  export EGRID_TEST_S3_WEBHOOK=http://a-token-of-the-tests@127.0.0.1:$((base + 6))/notifications
  EGRID_MINIO_WEBHOOK=$EGRID_TEST_S3_WEBHOOK start minio EGRID_TEST_S3
fi
start redis EGRID_TEST_REDIS
start xlrd EGRID_TEST_XLRD
if [ -z "${EGRID_TEST_AMQP:-}" ]; then
  start rabbitmq EGRID_TEST_AMQP
  export EGRID_TEST_AMQP_RESTART="$own/rabbitmq.sh restart" EGRID_TEST_AMQP_KILL="$own/rabbitmq.sh kill"
  export EGRID_TEST_AMQP_BLOCK="$own/rabbitmq.sh block" EGRID_TEST_AMQP_UNBLOCK="$own/rabbitmq.sh unblock"
  export EGRID_TEST_AMQP_BLOCK_DISK="$own/rabbitmq.sh block-disk" EGRID_TEST_AMQP_UNBLOCK_DISK="$own/rabbitmq.sh unblock-disk"
fi
"$@"
