#!/usr/bin/env bash
# A private MinIO server for tests: minio.sh start|halt|stop|url|build
#
# It is built from source once (some minutes) and kept in the user's cache. It
# listens on loopback only, and keeps everything else it writes below
# ${EGRID_SERVICES_DIR:-/tmp/egrid-services}/minio. It has a console if
# EGRID_MINIO_CONSOLE_PORT says where. halt ends it; stop also removes its data.
# If EGRID_MINIO_WEBHOOK is an address with a
# token in it, http://TOKEN@HOST:PORT/PATH, buckets may notify it, as the target
# arn:minio:sqs::EGRID:webhook.
set -euo pipefail

version=v0.0.0-20260212201848-7aac2a2c5b7c
dir=${EGRID_SERVICES_DIR:-/tmp/egrid-services}/minio
bin=${XDG_CACHE_HOME:-$HOME/.cache}/egrid/minio-$version
port=${EGRID_MINIO_PORT:-19000}
export MINIO_ROOT_USER=egrid-test MINIO_ROOT_PASSWORD=egrid-test-secret

url() { echo "http://$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD@127.0.0.1:$port"; }
# Process ids are used again: the arguments tell whose it is.
running() { [ -s "$dir/pid" ] && ps -o args= -p "$(cat "$dir/pid")" 2>/dev/null | grep -qF -- "$dir/data"; }
ready() { curl -fs -o /dev/null "http://127.0.0.1:$port/minio/health/ready"; }

# build lets one of those that need it build, outside of any module, so that ours has
# no part in it.
build() {
  [ -x "$bin/minio" ] && return
  mkdir -p "$bin"
  (
    flock 9
    [ -x "$bin/minio" ] && exit
    echo "building minio" >&2
    cd "$bin" && GOFLAGS= GOBIN="$bin" go install "github.com/minio/minio@$version" >&2
  ) 9>"$bin/lock"
}

start() {
  if ! running; then
    build
    mkdir -p "$dir/data"
    local console=(--console-address "127.0.0.1:${EGRID_MINIO_CONSOLE_PORT:-0}")
    [ -n "${EGRID_MINIO_CONSOLE_PORT:-}" ] || export MINIO_BROWSER=off
    if [ -n "${EGRID_MINIO_WEBHOOK:-}" ]; then
      local rest=${EGRID_MINIO_WEBHOOK#http://}
      export MINIO_NOTIFY_WEBHOOK_ENABLE_EGRID=on MINIO_NOTIFY_WEBHOOK_ENDPOINT_EGRID="http://${rest#*@}"
      export MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_EGRID=${rest%%@*} MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_EGRID=$dir/events
    fi
    MINIO_UPDATE=off setsid "$bin/minio" server --quiet --address "127.0.0.1:$port" "${console[@]}" "$dir/data" >"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
  fi
  for _ in $(seq 300); do
    ready && url && return
    sleep 0.1
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break # not running: a busy machine takes its time to become the server
  done
  echo "minio has not started; its log, $dir/log, ends:" >&2
  tail -20 "$dir/log" >&2
  exit 1
}

halt() {
  running || return 0
  local pid
  pid=$(cat "$dir/pid")
  kill "$pid"
  for _ in $(seq 100); do
    running || break
    sleep 0.1
  done
}

stop() {
  running || return 0
  halt
  rm -rf "$dir"
}

case ${1:-} in
start) start ;;
build)
  build
  echo "$bin/minio"
  ;;
halt) halt ;;
stop) stop ;;
url) url ;;
*)
  echo "usage: minio.sh start|halt|stop|url|build" >&2
  exit 2
  ;;
esac
