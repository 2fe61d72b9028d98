#!/usr/bin/env bash
# libfaketime changes no Go program's clock, and not one that is linked against the C library either.
#
# Tool:  libfaketime 0.9.10 (Debian 12), Go 1.26.
# Guess: a program built with CGO_ENABLED=1, which the dynamic linker starts, takes its time from the library that
#        LD_PRELOAD names, as `date` does.
# Seen:  FAKETIME=+1d: date says tomorrow; the Go program says today, static or linked dynamically. No warning, status 0.
# Why:   Go calls clock_gettime in the kernel's vDSO itself, with cgo too. Who tries a schedule, a token's expiry
#        or a signature "on another day" by faketime tries it on this day, and the test passes. A time namespace
#        (unshare --time) shifts the monotonic clock and the time since boot, not this one. What works is a machine of its own, or
#        replacing the function in the process before its first instruction (hosts/internal/faults/clock_test.go).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
for tool in apt-get dpkg go gcc; do command -v $tool >/dev/null || { echo "needs $tool" >&2; exit 1; }; done
apt-get download -qq libfaketime=0.9.10-2.1 2>/dev/null || { echo "needs the package libfaketime 0.9.10-2.1 of Debian 12" >&2; exit 1; }
dpkg -x libfaketime_*.deb x
library=$dir/$(find x -name libfaketime.so.1)
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"time"
)

func main() { fmt.Println(time.Now().UTC().Format("2006-01-02")) }
EOF
go version
CGO_ENABLED=0 go build -o static main.go
printf 'package main\n\nimport "C"\n' >cgo.go
CGO_ENABLED=1 go build -o dynamic main.go cgo.go
ldd dynamic | grep -q libc.so || { echo "the program is not linked against the C library" >&2; exit 1; }
day=86400
expect() { # program, seconds ahead
	local got want
	got=$(TZ=UTC FAKETIME=+1d LD_PRELOAD=$library "$@" | tail -1)
	echo "$*: $got"
	case $1 in date) want=$(date -u -d @$(($(date +%s) + day)) +%F) ;; *) want=$(date -u +%F) ;; esac
	[ "$got" = "$want" ] || { echo "CHANGED: $1 says $got, was $want" >&2; exit 1; }
}
expect date +%F
expect ./static
expect ./dynamic
