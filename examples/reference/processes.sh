#!/usr/bin/env bash
# The whole deployment as processes of this machine, which deployment.sh runs
# where there is no Docker: processes.sh up|stop|down|health|logs|exists|put FILE|FOLDER|monitoring FOLDER
#
# PostgreSQL, RabbitMQ and Redis come from Debian's packages and MinIO from its source
# (internal/scripts); our programs are built from this folder. Everything that
# is written is below $EGRID_DEPLOYMENT_DIR, which is /var/lib/egrid-reference
# for root, and otherwise ~/.local/state/egrid-reference. A program of ours that
# dies is started again. stop ends what up began, by its process ids, and keeps
# that folder; down removes it, too. It needs Linux, for /proc.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
scripts=$root/internal/scripts

if [ "$(id -u)" = 0 ]; then
  dir=/var/lib/egrid-reference # the owner of PostgreSQL's files has to reach it
else
  dir=${XDG_STATE_HOME:-$HOME/.local/state}/egrid-reference
fi
dir=${EGRID_DEPLOYMENT_DIR:-$dir}
[[ $dir = /* ]] || dir=$PWD/$dir
export EGRID_DEPLOYMENT_DIR=$dir

exists() { [ -f "$dir/settings" ]; }

# --- settings: the first up writes them down, so that they hold until down, also
# where stop comes between

load_settings() {
  local started_from=
  # shellcheck disable=SC1091
  . "$dir/settings"
  if [ "$started_from" != "$root" ] && [ -d "$started_from" ]; then
    fail "the deployment in $dir was started from $started_from" \
      "Use it from there, or give this one a place and ports of its own:" \
      "EGRID_DEPLOYMENT_DIR=$dir-2 EGRID_PORT_OFFSET=100 make up (and the same for down, health and logs)"
  fi
  export EGRID_SERVICES_DIR=$dir/services EGRID_STARTED=$dir # by which our processes are known
  export EGRID_STORE="postgres://postgres@127.0.0.1:$EGRID_POSTGRES_PORT/egrid?sslmode=disable"
  export EGRID_QUEUE="amqp://guest:guest@127.0.0.1:$EGRID_RABBITMQ_PORT/"
  export EGRID_REDIS=redis://127.0.0.1:$EGRID_REDIS_PORT/0 EGRID_ETL=http://127.0.0.1:$EGRID_ETL_PORT
  export EGRID_S3_ENDPOINT=http://127.0.0.1:$EGRID_MINIO_PORT
  export EGRID_NOTIFY_TOKEN=${EGRID_NOTIFY_TOKEN:-egrid-trial-notifications}
  export EGRID_S3_ACCESS_KEY=egrid-test EGRID_S3_SECRET_KEY=egrid-test-secret # as minio.sh has them
}

write_settings() {
  local name
  (
    umask 077
    printf 'started_from=%q\n' "$root" >"$dir/settings.new"
    for name in $(compgen -e EGRID_ | grep -vx EGRID_DEPLOYMENT_DIR); do
      printf 'export %s=%q\n' "$name" "${!name}"
    done >>"$dir/settings.new"
  )
  mv "$dir/settings.new" "$dir/settings"
}

make_folder() {
  local above=$dir
  mkdir -p "$dir"
  [ -O "$dir" ] || fail "$dir belongs to somebody else: name another folder by EGRID_DEPLOYMENT_DIR"
  [ -z "$(find "$dir" -mindepth 1 -maxdepth 1 ! -name lock ! -name settings.new | head -1)" ] ||
    fail "$dir holds other files: name another folder by EGRID_DEPLOYMENT_DIR"
  while [ "$(id -u)" = 0 ] && [ "$above" != / ]; do
    above=$(dirname "$above")
    (($(stat -c %a "$above") % 2 == 1)) || fail "$above is closed to the owner of PostgreSQL's files: name another folder by EGRID_DEPLOYMENT_DIR"
  done
  chmod 755 "$dir"
}

# --- our programs: each has a keeper, which starts it again when it dies

programs() {
  local i
  echo api web gateway etl
  for ((i = 1; i <= EGRID_CONSUMERS; i++)); do echo "database-$i"; done
  echo notification error
}

port_of() {
  case $1 in
  database-*) echo $((EGRID_DATABASE_PORT + ${1#database-} - 1)) ;;
  *)
    local name=EGRID_${1^^}_PORT
    echo "${!name}"
    ;;
  esac
}

# run becomes a program.
run() {
  local addr
  addr=--addr=127.0.0.1:$(port_of "$1")
  export GOMEMLIMIT=${GOMEMLIMIT:-200MiB} # as in containers
  case $1 in
  api)
    local origins=http://localhost:$EGRID_WEB_PORT,http://127.0.0.1:$EGRID_WEB_PORT
    origins+=,http://localhost:$EGRID_GATEWAY_PORT,http://127.0.0.1:$EGRID_GATEWAY_PORT
    exec "$dir/bin/api" "$addr" --origins="${EGRID_ORIGINS:-$origins}"
    ;;
  web) exec "$dir/bin/web" "$addr" --api="${EGRID_API:-http://localhost:$EGRID_GATEWAY_PORT/}" ;;
  gateway) exec "$dir/bin/gateway" "$addr" --api="http://127.0.0.1:$EGRID_API_PORT" --web="http://127.0.0.1:$EGRID_WEB_PORT" ;;
  etl) exec "$dir/bin/etl" "$addr" --rejects="$dir/rejects" "s3://$EGRID_BUCKET/" ;;
  database-*) exec "$dir/bin/consumer" database "$addr" ;;
  *) exec "$dir/bin/consumer" "$1" "$addr" ;;
  esac
}

# keep runs a program until the keeper is told to stop.
keep() {
  local name=$1 child='' stopping='' pause=1 began
  exec >>"$dir/log/$name.json" 2>&1 </dev/null
  cd /
  trap 'stopping=1; [ -z "$child" ] || kill "$child" 2>/dev/null || true' TERM
  echo $$ >"$dir/run/$name.keeper"
  while [ -z "$stopping" ]; do
    began=$SECONDS
    (run "$name") &
    child=$!
    echo $child >"$dir/run/$name.pid"
    while kill -0 $child 2>/dev/null; do wait $child || true; done
    [ -z "$stopping" ] || break
    printf '{"time":"%s","level":"WARN","msg":"it ended, and is started again","service":"%s","pause_seconds":%d}\n' \
      "$(date -u +%FT%TZ)" "$name" "$pause"
    ((SECONDS - began < 60)) || pause=1
    sleep $pause &
    child=$!
    wait $child || true
    ((pause = pause < 16 ? 2 * pause : 30))
  done
  rm -f "$dir/run/$name.pid" "$dir/run/$name.keeper"
}

# ours tells whether a process is one that up began: ids are used again.
ours() { # pid
  [ -n "$1" ] && { tr '\0' '\n' <"/proc/$1/environ" | grep -qxF "EGRID_STARTED=$dir"; } 2>/dev/null
}

pid_in() { cat "$dir/run/$1" 2>/dev/null || true; }

start_program() {
  local tries=0
  ! ours "$(pid_in "$1.keeper")" || return 0
  end_all "$(pid_in "$1.pid")" # its keeper is gone
  setsid "$here/processes.sh" keep "$1" </dev/null >/dev/null 2>&1 &
  until ours "$(pid_in "$1.keeper")"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "$1 cannot be started"
    sleep 0.1
  done
}

# end_all ends processes: at once, and by force after the time they may take.
end_all() {
  local pid left tries=0
  for pid in "$@"; do ! ours "$pid" || kill "$pid" 2>/dev/null || true; done
  while :; do
    left=
    for pid in "$@"; do
      ours "$pid" || continue
      left=1
      [ $tries -lt 400 ] || kill -9 "$pid" 2>/dev/null || true
    done
    [ -n "$left" ] || return 0
    tries=$((tries + 1))
    sleep 0.1
  done
}

# --- ports

listening() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# runs tells whether a service of ours has its ports already.
runs() {
  case $1 in
  postgres) server "$dir/services/postgres/data/postmaster.pid" ;;
  minio*) server "$dir/services/minio/pid" ;;
  redis) "$scripts/redis.sh" runs ;; # it writes over its environment, too
  rabbitmq | broker*) ours "$(cat "$dir/services/rabbitmq/pid" 2>/dev/null || true)" ;;
  epmd) ours "$(cat "$dir/services/rabbitmq/epmd.pid" 2>/dev/null || true)" ;;
  *) ours "$(pid_in "$1.pid")" || ours "$(pid_in "$1.keeper")" ;;
  esac
}

# server looks for our folder in the arguments: PostgreSQL writes over its
# environment.
server() { # pid file
  local pid
  pid=$(head -1 "$1" 2>/dev/null) && [ -n "$pid" ] && grep -qF "$dir/services/" "/proc/$pid/cmdline" 2>/dev/null
}

check_ports() {
  local name port taken=()
  check_port() { # service, port, variable
    ! listening "$2" || runs "$1" || taken+=("port $2, for $1, is taken ($3)")
  }
  check_port postgres "$EGRID_POSTGRES_PORT" EGRID_POSTGRES_PORT
  check_port minio "$EGRID_MINIO_PORT" EGRID_MINIO_PORT
  check_port minio-console "$EGRID_MINIO_CONSOLE_PORT" EGRID_MINIO_CONSOLE_PORT
  check_port redis "$EGRID_REDIS_PORT" EGRID_REDIS_PORT
  check_port rabbitmq "$EGRID_RABBITMQ_PORT" EGRID_RABBITMQ_PORT
  check_port broker-distribution $((EGRID_RABBITMQ_PORT + 1)) EGRID_RABBITMQ_PORT
  check_port epmd $((EGRID_RABBITMQ_PORT + 2)) EGRID_RABBITMQ_PORT
  for name in $(programs); do
    port=${name^^}
    port=EGRID_${port%-*}_PORT
    check_port "$name" "$(port_of "$name")" "$port"
  done
  [ ${#taken[@]} = 0 ] || {
    printf '%s\n' "${taken[@]}" >&2
    ! exists || fail "End what listens there, or change the ports in $dir/settings"
    fail "End what listens there, or set another port by the variable named; EGRID_PORT_OFFSET=100 make up moves all of them"
  }
}

# --- verbs

build() {
  local program
  for program in $(programs); do ours "$(pid_in "$program.pid")" && return; done # one version at a time
  echo "building our programs"
  (cd "$root" && go build -ldflags='-s -w' -o "$dir/bin/" ./hosts/...)
}

# serve starts a server of others. Its script prints the end of its log.
serve() { # script, log
  "$scripts/$1.sh" start >/dev/null || fail "$1 cannot be started, so none of our programs was; its log is $dir/services/$1/$2" \
    "make up goes on from here, make down removes what was started"
}

# all_run tells whether everything runs: then up has nothing to do.
all_run() {
  local name
  for name in $(programs); do ours "$(pid_in "$name.keeper")" || return; done
  for name in postgres minio redis rabbitmq; do runs "$name" || return; done
  (health) >/dev/null 2>&1
}

up() {
  exists || {
    check_ports # before they are written down
    write_settings
  }
  load_settings
  if all_run; then
    echo "It runs already, with the settings that it was started with; make down first, to change them."
    tell
    return
  fi
  trap 'echo "interrupted; make down removes what was started, make up goes on" >&2; exit 130' INT TERM HUP
  check_ports
  mkdir -p "$dir"/{bin,log,run,rejects}
  chmod 700 "$dir"/{log,run,rejects}
  command -v curl >/dev/null || "$scripts/install.sh" curl
  build
  echo "starting PostgreSQL, MinIO, Redis and RabbitMQ"
  serve postgres log
  EGRID_MINIO_WEBHOOK=http://$EGRID_NOTIFY_TOKEN@127.0.0.1:$EGRID_ETL_PORT/notifications serve minio log
  serve redis log
  serve rabbitmq log/console
  "$here/seed.sh" "$EGRID_SEED" arn:minio:sqs::EGRID:webhook
  "$dir/bin/egrid" migrate
  write_deployment
  local name urls=("http://127.0.0.1:$EGRID_GATEWAY_PORT")
  for name in $(programs); do
    echo "starting $name"
    start_program "$name"
    urls+=("http://127.0.0.1:$(port_of "$name")")
    # The next one depends on it.
    case $name in api | web | gateway) await_program "$name" ;; esac
  done
  "$here/verify.sh" "${urls[@]}" || fail "make health and make logs tell more"
  tell
}

# tell says where everything is, and how the command asks this deployment.
tell() {
  write_environment
  addresses "$EGRID_S3_ACCESS_KEY / $EGRID_S3_SECRET_KEY" ". $dir/environment && $dir/bin/egrid runs"
}

# write_environment writes what the command needs to find this deployment, for a
# shell to source.
write_environment() {
  local name
  (
    umask 077
    for name in EGRID_STORE EGRID_QUEUE EGRID_S3_ENDPOINT EGRID_S3_ACCESS_KEY EGRID_S3_SECRET_KEY; do
      printf 'export %s=%q\n' "$name" "${!name}"
    done >"$dir/environment"
  )
}

await_program() {
  local tries=0
  until curl -fs -o /dev/null -m 5 "http://127.0.0.1:$(port_of "$1")/readyz"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || {
      tail -5 "$dir/log/$1.json" >&2
      fail "$1 does not become ready"
    }
    sleep 0.2
  done
}

# end ends our programs, and then the servers.
end() {
  local file pids=()
  for file in "$dir"/run/*.keeper; do [ ! -f "$file" ] || pids+=("$(cat "$file")"); done
  end_all "${pids[@]}"
  pids=()
  for file in "$dir"/run/*.pid; do [ ! -f "$file" ] || pids+=("$(cat "$file")"); done
  end_all "${pids[@]}" # of keepers that were killed
  "$scripts/rabbitmq.sh" stop
  "$scripts/redis.sh" stop
  "$scripts/minio.sh" halt
  "$scripts/postgres.sh" stop
}

stop() {
  load_settings
  end
  echo "everything is ended; the data stay in $dir, and make up goes on with them"
}

down() {
  load_settings
  end
  rm -rf "${dir:?}"/{bin,log,run,rejects,services,settings,settings.new,environment,lock}
  rmdir "$dir" 2>/dev/null || fail "$dir holds other files, which stay"
  echo "everything is ended, and its data are removed"
}

# write_deployment names everything that runs, for egrid health --deployment.
write_deployment() {
  local name
  {
    for name in $(programs); do echo "$name=http://127.0.0.1:$(port_of "$name")"; done
    echo "postgresql=$EGRID_STORE"
    echo "rabbitmq=$EGRID_QUEUE"
    echo "minio=s3://$EGRID_BUCKET"
    echo "redis=$EGRID_REDIS"
  } >"$dir/run/deployment"
}

health() {
  [ -x "$dir/bin/egrid" ] || fail "nothing is running: make up"
  load_settings
  "$dir/bin/egrid" --log-level error health --deployment "$dir/run/deployment"
}

# monitoring writes a configuration of Prometheus, and its rules, into a folder.
monitoring() {
  exists || fail "nothing is running: make up"
  load_settings
  local name job ports
  mkdir -p "$1"
  sed -E "${EGRID_ALERT_FOR:+s/^( +for: ).*/\\1$EGRID_ALERT_FOR/}" "$here/monitoring/rules.yml" >"$1/rules.yml"
  {
    echo "global:"
    echo "  scrape_interval: ${EGRID_SCRAPE_INTERVAL:-15s}"
    echo "  scrape_timeout: ${EGRID_SCRAPE_INTERVAL:-10s}"
    echo "  evaluation_interval: ${EGRID_SCRAPE_INTERVAL:-15s}"
    echo "rule_files: [rules.yml]"
    echo "scrape_configs:"
    for job in api web gateway etl database notification error; do
      ports=
      for name in $(programs); do
        [ "${name%-*}" != "$job" ] || ports+="${ports:+, }\"127.0.0.1:$(port_of "$name")\""
      done
      echo "  - job_name: $job"
      echo "    static_configs: [{targets: [$ports]}]"
    done
  } >"$1/prometheus.yml"
  echo "$1/prometheus.yml"
}

put() {
  exists || fail "nothing is running: make up"
  load_settings
  "$here/seed.sh" "$1"
}

logs() {
  exists || fail "nothing is running: make up"
  load_settings
  exec tail -n 20 -F "$dir"/log/*.json "$dir"/services/{postgres/log,minio/log,redis/log,rabbitmq/log/console}
}

# locked runs a verb that no other may meet. This process has the lock, and what
# it starts does not inherit it.
locked() {
  local status=0
  if ! exists; then
    if [ "$1" != up ]; then
      echo "nothing is running"
      return
    fi
    make_folder
  fi
  exec 9>"$dir/lock"
  flock -n 9 || fail "another make up, stop or down is at work on $dir"
  trap : INT TERM HUP # the verb says what becomes of it
  "$here/processes.sh" "$1-locked" 9>&- || status=$?
  if ! exists; then # nothing was begun
    rm -f "$dir/lock"
    rmdir "$dir" 2>/dev/null || true
  fi
  exit $status
}

case ${1:-} in
exists) exists ;;
up | stop | down) locked "$1" ;;
up-locked) up ;;
stop-locked) stop ;;
down-locked) down ;;
health) health ;;
monitoring) monitoring "${2:?a folder}" ;;
put) put "${2:?a file or a folder}" ;;
logs) logs ;;
keep)
  load_settings
  keep "$2"
  ;;
*)
  echo "usage: $0 up|stop|down|health|logs|exists|put FILE|FOLDER|monitoring FOLDER" >&2
  exit 2
  ;;
esac
