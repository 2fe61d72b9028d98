#!/usr/bin/env bash
# The whole deployment: deployment.sh up|stop|down|health|logs|put FILE|FOLDER|check|monitoring FOLDER
#
# Where Docker runs, the services are containers (compose.yaml); elsewhere they
# are processes of this machine (processes.sh); EGRID_FORM=docker|processes
# decides otherwise. Settings come from the environment and from the file .env
# at the root; README.md beside this file lists them. Everything listens on
# loopback only. up may be repeated; stop ends what up began, and keeps its data
# for the next up; down ends it, and removes its data. put sends files into the
# bucket, of which MinIO tells etl. check reads compose.yaml,
# where a client is there to do it. monitoring writes Prometheus' configuration for
# the processes into a folder.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# settings reads .env, behind the environment, and fills in the rest.
settings() {
  local line name value
  [ ! -f "$root/.env" ] || while IFS= read -r line || [ -n "$line" ]; do
    [[ $line =~ ^(EGRID_[A-Z0-9_]+)=(.*)$ ]] || continue
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]%$'\r'}
    [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]] && value=${BASH_REMATCH[1]}
    [ -n "${!name+set}" ] || export "$name=$value"
  done <"$root/.env"

  [[ ${EGRID_PORT_OFFSET:-0} =~ ^[0-9]+$ ]] || fail "EGRID_PORT_OFFSET is \"$EGRID_PORT_OFFSET\", and has to be a number"

  local given
  for given in GATEWAY=8000 WEB=4000 API=3000 MINIO=9000 MINIO_CONSOLE=9001 \
    ETL=3001 NOTIFICATION=3002 ERROR=3003 DATABASE=3011 POSTGRES=15432 RABBITMQ=15680 REDIS=16379; do
    name=EGRID_${given%=*}_PORT
    export "$name=${!name:-$((${given#*=} + ${EGRID_PORT_OFFSET:-0}))}"
  done
  export EGRID_CONSUMERS=${EGRID_CONSUMERS:-2} EGRID_BUCKET=${EGRID_BUCKET:-egrid}
  # Generated figures are never shown as somebody's.
  if [ -z "${EGRID_SEED:-}" ]; then
    export EGRID_SEED=$root/examples/data
    export EGRID_TITLE=${EGRID_TITLE-eGRID sample} EGRID_SOURCE=${EGRID_SOURCE-a generator: no plant here exists}
  else
    export EGRID_TITLE=${EGRID_TITLE-} EGRID_SOURCE=${EGRID_SOURCE-}
  fi
}

# check_settings finds mistakes before anything is started.
check_settings() {
  local name
  for name in $(compgen -e | grep -E '^EGRID_[A-Z_]+_PORT$') EGRID_CONSUMERS; do
    [[ ${!name} =~ ^[1-9][0-9]{0,4}$ ]] || fail "$name is \"${!name}\", and has to be a number"
  done
  [ -d "$EGRID_SEED" ] || fail "EGRID_SEED names $EGRID_SEED, which is no folder"
  EGRID_SEED=$(cd "$EGRID_SEED" && pwd)
}

# --- containers

compose() { docker compose -f "$here/compose.yaml" "$@"; }
project() { echo "${EGRID_PROJECT:-egrid}"; }

# foreign finds out whether another folder's deployment has this name.
foreign() {
  docker ps -a --filter "label=com.docker.compose.project=$(project)" \
    --format '{{.Label "com.docker.compose.project.config_files"}}' | sort -u | grep -vxF "$here/compose.yaml" | head -1
}

own_project() {
  local other
  other=$(foreign || true)
  [ -z "$other" ] || fail "the containers named $(project) belong to $other" \
    "For a second deployment: EGRID_PROJECT=egrid2 EGRID_PORT_OFFSET=100 make up (and the same for down, health and logs)"
}

containers_up() {
  own_project
  docker compose version >/dev/null 2>&1 || fail "docker compose is missing: install Docker's compose plugin, or set EGRID_FORM=processes"
  compose build migrate
  # Returns when everything but the last check is healthy.
  compose up -d --no-build --remove-orphans || { compose ps -a && fail "not everything has started: make logs tells why; a port that is taken can be set (examples/reference/README.md)"; }
  local status
  status=$(docker wait "$(compose ps -a -q verify)")
  compose logs --no-log-prefix verify | tail -1
  [ "$status" = 0 ] || fail "make health and make logs tell more"
  addresses "${EGRID_S3_ACCESS_KEY:-egrid-trial} / ${EGRID_S3_SECRET_KEY:-egrid-trial-secret}" "docker compose -f ${here#"$PWD"/}/compose.yaml run --rm egrid runs"
}

containers_put() {
  own_project
  local folder=$1 file=
  [ -d "$1" ] || folder=$(dirname "$1") file=$(basename "$1")
  compose run --rm --no-deps -T -v "$(cd "$folder" && pwd):/put:ro" --entrypoint sh seed /seed.sh "/put/$file"
}

containers_stop() {
  own_project
  compose stop
  echo "everything is ended; the data stay in the volumes of $(project), and make up goes on with them"
}

containers_down() {
  own_project
  compose --profile tools down --volumes --remove-orphans
  docker image rm -f "${EGRID_IMAGE:-egrid-reference:local}" >/dev/null 2>&1 || true
}

containers_health() {
  own_project
  local status=0 n=0 name service state health code
  while IFS='|' read -r name service state health code; do
    n=$((n + 1))
    printf '%-32s %s %s\n' "$name" "$state" "$health"
    case $service:$state:$health:$code in
    *:running:healthy:*) ;;
    seed:exited::0 | migrate:exited::0 | verify:exited::0) ;; # which run once
    *) status=1 ;;
    esac
  done < <(compose ps -a --format '{{.Name}}|{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}')
  [ $n -gt 0 ] || fail "nothing is running: make up"
  echo
  compose run --rm --no-deps -T egrid health gateway=http://gateway:8000 web=http://web:4000 api=http://api:3000 etl=http://etl:3001 \
    database=http://consumer-database:3001 notification=http://consumer-notification:3001 error=http://consumer-error:3001 || status=1
  return $status
}

# --- the check of compose.yaml

check() {
  local client
  if docker compose version >/dev/null 2>&1; then
    client=(docker compose)
  elif command -v docker-compose >/dev/null && [[ $(docker-compose version --short 2>/dev/null) != 1.* ]]; then
    client=(docker-compose)
  else
    echo "skipped: compose.yaml was not checked, because docker compose is not installed"
    return
  fi
  "${client[@]}" -f "$here/compose.yaml" config -q
  echo "compose.yaml is well-formed"
}

# --- which form

form() {
  if [ -n "${EGRID_FORM:-}" ]; then
    echo "$EGRID_FORM"
  elif "$here/processes.sh" exists; then
    echo processes
  elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    echo docker
  else
    echo processes
  fi
}

settings
verb=${1:-}
case $verb in
check) check ;;
monitoring) exec "$here/processes.sh" monitoring "${2:?a folder}" ;;
up | stop | down | health | logs | put)
  [ "$verb" != put ] || [ -e "${2:?a file or a folder}" ] || fail "there is no file and no folder $2"
  [ "$verb" != up ] || check_settings
  case $(form) in
  docker)
    case $verb in
    logs) compose logs -f --tail 20 ;;
    *) "containers_$verb" "${@:2}" ;;
    esac
    ;;
  processes) exec "$here/processes.sh" "$@" ;;
  *) fail "EGRID_FORM is \"$EGRID_FORM\", and has to be docker or processes" ;;
  esac
  ;;
*)
  echo "usage: $0 up|stop|down|health|logs|put FILE|FOLDER|check|monitoring FOLDER" >&2
  exit 2
  ;;
esac
