#!/usr/bin/env bash
# A private Redis server for tests: redis.sh start|stop|restart|runs|ping|url
#
# It listens on the loopback interface only, keeps nothing on disk but its log
# below ${EGRID_SERVICES_DIR:-/tmp/egrid-services}/redis, and has a limit of
# memory at which it forgets what was not asked for lately, as a cache should.
# start installs Debian's package when it is missing and prints the URL; stop
# ends what start began, and nothing else; restart is a crash and a start. runs
# and ping tell by their status whether it is there, and whether it answers.
set -euo pipefail

home=${EGRID_SERVICES_DIR:-/tmp/egrid-services}/redis
port=${EGRID_REDIS_PORT:-26379}
[ -s "$home/port" ] && port=${EGRID_REDIS_PORT:-$(cat "$home/port")}
url() { echo "redis://127.0.0.1:$port/0"; }

# Process ids are used again: the working folder tells whose it is.
running() { [ -s "$home/pid" ] && [ "$(readlink "/proc/$(cat "$home/pid")/cwd")" = "$(readlink -f "$home")" ]; }
listening() { (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; }
answers() {
  local answer
  exec 3<>/dev/tcp/127.0.0.1/"$port" || return 1
  printf 'PING\r\n' >&3
  read -r -t 1 answer <&3 || answer=
  exec 3<&- 3>&-
  [[ $answer == +PONG* ]]
}

start() {
  # RUNLEVEL=1 keeps the package from starting a service of its own.
  command -v redis-server >/dev/null || RUNLEVEL=1 "$(dirname "$0")/install.sh" redis-server >&2
  command -v redis-server >/dev/null || exit 1
  if ! running; then
    mkdir -p "$home"
    chmod 700 "$home"
    # Without a port that somebody asked for, the first free one will do.
    while [ -z "${EGRID_REDIS_PORT:-}" ] && listening; do
      port=$((port + 1))
    done
    # In its home from the start: running looks there, and it enters it late by itself.
    cd "$home"
    setsid redis-server --bind 127.0.0.1 --port "$port" --dir "$home" --save '' --appendonly no \
      --maxmemory 256mb --maxmemory-policy allkeys-lru </dev/null >"$home/log" 2>&1 &
    echo $! >"$home/pid"
    echo "$port" >"$home/port"
  fi
  for _ in $(seq 300); do
    (answers) 2>/dev/null && url && return
    sleep 0.1
    kill -0 "$(cat "$home/pid")" 2>/dev/null || break # not running: a busy machine takes its time to become the server
  done
  echo "redis has not started; its log, $home/log, ends:" >&2
  tail -20 "$home/log" >&2
  exit 1
}

stop() { # TERM, or KILL: as if it had crashed
  running || return 0
  local pid
  pid=$(cat "$home/pid")
  kill -s "${1:-TERM}" "$pid"
  for _ in $(seq 100); do
    running || break
    sleep 0.1
  done
  rm -f "$home/pid"
}

case ${1:-} in
start) start ;;
stop) stop ;;
restart)
  stop KILL
  start
  ;;
runs) running ;;
ping) (answers) 2>/dev/null ;;
url) url ;;
*)
  echo "usage: $0 start|stop|restart|runs|ping|url" >&2
  exit 2
  ;;
esac
