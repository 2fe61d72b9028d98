#!/usr/bin/env bash
# The suites of broker and database, and faults, on the servers of other releases of
# Debian: matrix.sh [trixie|sid|here...]
#
# Tests and servers run in a system of their own (roots.sh), with its own view of
# processes, network and mounts; nothing is left of them. "here" is this machine's
# packages. A table of versions and results is printed in the end. SUITES are the suites
# that run, and FAULTS is a pattern of the tests of hosts/internal/faults. It needs root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export SUITES=${SUITES:-queue egrid restart faults}
export FAULTS=${FAULTS:-TestFault(Comparison|None|ConnectionsCut|BrokerRestarted|DatabaseCrashed|ConsumerKilled|ETLKilled|Poison|DeadLetters|Shutdown)}

versions() {
  local postgres rabbit
  postgres=$(find /usr/lib/postgresql -path '*/bin/postgres' | sort -V | tail -1)
  rabbit=$(find /usr/lib/rabbitmq/lib -maxdepth 1 -name 'rabbitmq_server-*' | sort -V | tail -1)
  printf '%s\t%s\n' "$("$postgres" --version | awk '{print $3}')" "${rabbit##*-}"
}

# suites runs in the system whose servers are meant.
suites() {
  local suite result=0 began report=$EGRID_MATRIX/report
  for suite in $SUITES; do
    began=$SECONDS
    case $suite in
    queue) set -- -skip '^TestRestart$' ./queue/rabbitqueue ;;
    egrid) set -- -skip '^TestRestart$' ./egrid/pgstore ;;
    restart) set -- -p 1 -run '^TestRestart$' ./queue/rabbitqueue ./egrid/pgstore ;;
    faults) set -- -run "^$FAULTS\$" ./hosts/internal/faults ;;
    esac
    result=passed
    EGRID_TEST_XLRD=- "$root/internal/scripts/with-services.sh" go run ./internal/testreport -count=1 -timeout 40m "$@" >"$report.$suite" 2>&1 || result=FAILED
    tail -25 "$report.$suite"
    printf '%s\t%s\t%s\t%d s\t%s\n' "$(versions)" "$suite" "$result" $((SECONDS - began)) \
      "$(grep -E '^[0-9]+ passed' "$report.$suite" | tail -1)" >>"$EGRID_MATRIX/table"
  done
}

within() { # system work
  local system=$1 work=$2 to=$2/root folder
  mount --make-rprivate /
  ip link set lo up
  mount -t overlay overlay -o "lowerdir=$system,upperdir=$work/upper,workdir=$work/overlay" "$to"
  mount -t proc proc "$to/proc"
  mount -t sysfs sysfs "$to/sys"
  mount --rbind /dev "$to/dev"
  for folder in "$root" "$(go env GOROOT)" "$(go env GOMODCACHE)" "$(go env GOCACHE)" "$EGRID_MINIO" "$EGRID_MATRIX" ${EGRID_DATA:+"$EGRID_DATA"}; do
    mkdir -p "$to$folder"
    mount --bind "$folder" "$to$folder"
  done
  mkdir -p "$to/old"
  cd "$to"
  pivot_root . old
  umount -l /old
  exec chroot . bash "$root/internal/scripts/matrix.sh" suites
}

case ${1:-} in
suites)
  cd "$root"
  suites
  exit
  ;;
within)
  shift
  within "$@"
  ;;
esac

[ "$(id -u)" = 0 ] || { echo "make matrix needs root, for systems of its own" >&2 && exit 1; }
EGRID_MINIO=$(dirname "$("$here/minio.sh" build)")
EGRID_MATRIX=$(mktemp -d /tmp/egrid-matrix.XXXXXX)
export EGRID_MINIO EGRID_MATRIX
trap 'rm -rf "$EGRID_MATRIX"' EXIT
cd "$root"
[ $# -gt 0 ] || set -- here trixie sid
for row in "$@"; do
  echo "== $row"
  if [ "$row" = here ]; then
    suites
    continue
  fi
  system=$("$here/roots.sh" "$row")
  work=$EGRID_MATRIX/$row
  mkdir -p "$work"/{upper,overlay,root}
  # When this ends by force, so does everything within.
  GOPROXY=off CGO_ENABLED=0 unshare --mount --net --pid --fork --kill-child bash "${BASH_SOURCE[0]}" within "$system" "$work" &
  within=$!
  trap 'kill -KILL $within; exit 130' INT TERM HUP
  wait $within
  rm -rf "$work"
done
echo
printf 'PostgreSQL\tRabbitMQ\tsuite\tresult\ttime\ttests\n' | cat - "$EGRID_MATRIX/table" | tr '\t' '|'
! grep -q FAILED "$EGRID_MATRIX/table"
