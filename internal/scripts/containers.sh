#!/usr/bin/env bash
# The containers of make up, really run: containers.sh [FLAG...]
#
# Docker runs in a system of its own (roots.sh), with its own view of processes,
# network and mounts: when that ends, no container, bridge, rule of iptables or
# mount can be left. What Docker keeps is in a temporary folder, which is
# removed; EGRID_CONTAINERS_DIR names a folder that stays instead. The images of
# compose.yaml are stand-ins from Debian's packages, under the same names.
#
# The tests of internal/containers do the rest; the flags are theirs, as
# -test.run=TestWalk. It needs root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

# --- within: its arguments come from below

within() { # engine system work
  local engine=$1 system=$2 work=$3 to=$3/root
  shift 3
  mount --make-rprivate /
  mount -t overlay overlay -o "lowerdir=$engine,upperdir=$work/upper,workdir=$work/overlay" "$to"
  mount -t proc proc "$to/proc"
  mount -t sysfs sysfs "$to/sys"
  mount --rbind /sys/fs/cgroup "$to/sys/fs/cgroup"
  mount --rbind /dev "$to/dev"
  mount -t tmpfs tmpfs "$to/run"
  mkdir -p "$to"/{var/lib/docker,src,system,go,modules,minio,work,old}
  mount --bind "$work/docker" "$to/var/lib/docker"
  mount --bind "$root" "$to/src"
  mount --bind "$system" "$to/system"
  mount --bind "$EGRID_GOROOT" "$to/go"
  mount --bind "$work/modules/cache/download" "$to/modules"
  mount --bind "$EGRID_MINIO" "$to/minio"
  mount --bind "$work/work" "$to/work"
  cd "$to"
  pivot_root . old
  umount -l /old
  ip link set lo up
  exec chroot . /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    EGRID_CGROUP="$EGRID_CGROUP" /work/containers -test.v -test.timeout 2h "$@"
}

if [ "${1:-}" = within ]; then
  shift
  within "$@"
fi

# --- without

[ "$(id -u)" = 0 ] || { echo "make containers needs root, for a Docker of its own" >&2 && exit 1; }
engine=$("$here/roots.sh" engine)
system=$("$here/roots.sh" trixie)
EGRID_MINIO=$(dirname "$("$here/minio.sh" build)")
EGRID_GOROOT=$(go env GOROOT)
EGRID_CGROUP=egrid-containers-$$
export EGRID_MINIO EGRID_GOROOT EGRID_CGROUP

work=${EGRID_CONTAINERS_DIR:-$(mktemp -d /tmp/egrid-containers.XXXXXX)}
cleanup() {
  # A group can be removed when the kernel has ended the last process in it.
  for _ in $(seq 100); do
    find /sys/fs/cgroup -depth -type d -path "*/$EGRID_CGROUP*" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -maxdepth 2 -name "$EGRID_CGROUP" -print -quit)" ] || break
    sleep 0.1
  done
  if [ -n "${EGRID_CONTAINERS_DIR:-}" ]; then
    rm -rf "$work"/{upper,overlay,root,work}
  else
    chmod -R u+w "$work/modules" 2>/dev/null || true # Go writes modules without that right
    rm -rf "$work"
  fi
}
trap cleanup EXIT
mkdir -p "$work"/{upper,overlay,root,docker,modules,work}
(cd "$root" && GOMODCACHE=$work/modules GOPROXY=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY) go mod download)
(cd "$root" && CGO_ENABLED=0 go test -c -tags containers -o "$work/work/containers" ./internal/containers)

# When this ends by force, so does everything within.
unshare --mount --net --pid --fork --kill-child bash "${BASH_SOURCE[0]}" within "$engine" "$system" "$work" "$@" &
within=$!
trap 'kill -KILL $within; exit 130' INT TERM HUP
wait $within
