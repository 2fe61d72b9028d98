#!/usr/bin/env bash
# Installs the Debian packages named as arguments whose commands are missing.
# Where it cannot (not root, or no apt-get) it says what is missing and goes on:
# the tests that need it skip, and say so.
set -euo pipefail

missing=()
for package in "$@"; do
  command -v "$package" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]}. Install them by hand to run what needs them." >&2
  exit 0
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
