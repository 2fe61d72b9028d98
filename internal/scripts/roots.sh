#!/usr/bin/env bash
# Folders with a Debian system each, made once and kept in the user's cache:
# roots.sh engine|trixie|sid prints the folder.
#
# engine has Docker; trixie and sid have the PostgreSQL, RabbitMQ and Redis of
# these releases. Nothing is installed on this machine: debootstrap is unpacked
# beside them. It needs root, and Debian's packages.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/egrid/roots
mirror=${EGRID_DEBIAN_MIRROR:-http://deb.debian.org/debian}

debootstrap() {
  if [ ! -x "$cache/tool/usr/sbin/debootstrap" ]; then
    (
      unpacked=$(mktemp -d "$cache/tool.XXXXXX")
      chmod 755 "$unpacked" # apt fetches as a user of its own
      ! id _apt >/dev/null 2>&1 || chown _apt "$unpacked"
      cd "$unpacked"
      [ -n "$(apt-cache show debootstrap 2>/dev/null)" ] || apt-get update -qq
      apt-get download -qq debootstrap
      dpkg-deb -x debootstrap_*.deb .
      mv -T "$unpacked" "$cache/tool"
    ) >&2
  fi
  DEBOOTSTRAP_DIR=$cache/tool/usr/share/debootstrap "$cache/tool/usr/sbin/debootstrap" "$@"
}

# inside runs a command in a folder's system.
inside() { # folder, command
  local folder=$1
  shift
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child bash -c \
    'mount -t proc proc "$1/proc" && exec chroot "$@"' inside "$folder" "$@"
}

make_root() { # name, suite, packages
  local name=$1 suite=$2 new=$cache/$1.new
  shift 2
  echo "making $name of Debian's $suite: some minutes, once" >&2
  rm -rf "$new"
  debootstrap --variant=minbase "$suite" "$new" "$mirror" >"$cache/$name.log" 2>&1 || { tail -5 "$cache/$name.log" >&2 && exit 1; }
  cp /etc/resolv.conf "$new/etc/resolv.conf"
  # No package starts a server, and none makes a database.
  printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
  chmod +x "$new/usr/sbin/policy-rc.d"
  mkdir -p "$new/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$new/etc/postgresql-common/createcluster.conf"
  printf 'path-exclude /usr/share/%s/*\n' doc man locale >"$new/etc/dpkg/dpkg.cfg.d/small"
  inside "$new" env DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get update -qq
    apt-get -o Dpkg::Options::=--force-unsafe-io install -qq -y --no-install-recommends "$@"
    apt-get clean
    rm -rf /var/lib/apt/lists/*' sh "$@" >>"$cache/$name.log" 2>&1 || { tail -5 "$cache/$name.log" >&2 && exit 1; }
  mv -T "$new" "$cache/$name"
}

servers=(postgresql rabbitmq-server redis-server busybox curl ca-certificates gosu procps)
name=${1:-}
case $name in
engine) suite=trixie packages=(docker.io docker-cli docker-compose docker-buildx iptables iproute2 make) ;;
trixie | sid) suite=$name packages=("${servers[@]}") ;;
*)
  echo "usage: roots.sh engine|trixie|sid" >&2
  exit 2
  ;;
esac
[ "$(id -u)" = 0 ] || { echo "roots.sh needs root, for debootstrap" >&2 && exit 1; }
mkdir -p "$cache"
exec 9>"$cache/$name.lock"
flock 9
[ -d "$cache/$name" ] || make_root "$name" "$suite" "${packages[@]}" 9>&-
echo "$cache/$name"
