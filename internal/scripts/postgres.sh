#!/usr/bin/env bash
# A private PostgreSQL server for tests: postgres.sh start|stop|crash|restart|follow PORT|promote|url
#
# It listens on the loopback interface and on a socket of its own, and keeps
# everything below ${EGRID_SERVICES_DIR:-/tmp/egrid-services}/postgres. start
# installs Debian's package when it is missing and prints the URL; stop ends
# what start began, and nothing else; crash ends it without a shutdown; restart is
# a crash and a start. follow starts a replica of the server on another port of
# this machine, and promote makes it one that is written to. The server syncs to
# disk as in production.
set -euo pipefail

home=${EGRID_SERVICES_DIR:-/tmp/egrid-services}/postgres
data=$home/data
port=${EGRID_POSTGRES_PORT:-25432}
[ -s "$home/port" ] && port=${EGRID_POSTGRES_PORT:-$(cat "$home/port")}
url() { echo "postgres://postgres@127.0.0.1:$port/egrid?sslmode=disable"; }

# The server refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# find_bin finds the newest installed server, which Debian keeps off the PATH.
find_bin() {
  local found
  found=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -1)
  [ -n "$found" ] || found=$(command -v initdb || true)
  [ -z "$found" ] || dirname "$(readlink -f "$found")"
}

install_server() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: postgresql. Install it by hand to run what needs it." >&2
    exit 1
  fi
  # The package must not start a server of its own.
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt-get update -qq >&2
  apt-get install -qq -y --no-install-recommends postgresql >/dev/null
}

# gave_up says that the server has not started, and what it wrote.
gave_up() { # logs
  echo "postgres has not started; its logs, $*, end:" >&2
  tail -n 20 "$@" >&2 || true # not every log is there
  exit 1
}

listening() { (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; }

# The file outlives a server that is killed, and process ids are used again.
running() { [ -s "$data/postmaster.pid" ] && ps -o args= -p "$(head -1 "$data/postmaster.pid")" | grep -qF -- "-D $data "; }

start() {
  local bin
  bin=$(find_bin)
  if [ -z "$bin" ]; then
    install_server
    bin=$(find_bin)
  fi
  if ! running; then
    mkdir -p "$home"
    chmod 755 "$(dirname "$home")"
    [ "$(id -u)" != 0 ] || chown postgres "$home"
    chmod 700 "$home"
    if [ ! -s "$data/PG_VERSION" ]; then
      as_owner "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$home/initdb.log" 2>&1 ||
        gave_up "$home/initdb.log"
    fi
    # Without a port that somebody asked for, the first free one will do.
    while [ -z "${EGRID_POSTGRES_PORT:-}" ] && listening; do
      port=$((port + 1))
    done
    as_owner "$bin/pg_ctl" -D "$data" -l "$home/log" -w -t 60 \
      -o "-p $port -k $home -c listen_addresses=127.0.0.1 -c shared_buffers=256MB -c max_wal_size=2GB" \
      start >"$home/start.log" 2>&1 || gave_up "$home/start.log" "$home/log"
    echo "$port" >"$home/port"
  fi
  local tries=0
  until "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || gave_up "$home/log"
    sleep 0.1
  done
  "$bin/psql" -qtA -h 127.0.0.1 -p "$port" -U postgres -d postgres \
    -c "SELECT 1 FROM pg_database WHERE datname = 'egrid'" | grep -q 1 ||
    "$bin/createdb" -h 127.0.0.1 -p "$port" -U postgres egrid
  url
}

stop() { # fast, or immediate: as if it had crashed
  running || return 0
  as_owner "$(find_bin)/pg_ctl" -D "$data" -m "${1:-fast}" -w -t 60 stop >/dev/null
}

# follow copies another server, and streams what changes there from then on.
follow() { # port
  mkdir -p "$home"
  chmod 755 "$(dirname "$home")"
  [ "$(id -u)" != 0 ] || chown postgres "$home"
  chmod 700 "$home"
  as_owner "$(find_bin)/pg_basebackup" -h 127.0.0.1 -p "$1" -U postgres -D "$data" -R -X stream --checkpoint=fast
  start
}

case ${1:-} in
start) start ;;
stop) stop ;;
crash) stop immediate ;;
follow) follow "$2" ;;
promote) as_owner "$(find_bin)/pg_ctl" -D "$data" -w -t 60 promote >/dev/null ;;
restart)
  stop immediate
  start
  ;;
url) url ;;
*)
  echo "usage: $0 start|stop|crash|restart|follow PORT|promote|url" >&2
  exit 2
  ;;
esac
