#!/bin/sh
# Waits until every service is ready and the API shows data:
# verify.sh GATEWAY URL...
#
# It gives up after $EGRID_DEADLINE seconds (300), and says what is missing.
set -eu

gateway=$1
end=$(($(date +%s) + ${EGRID_DEADLINE:-300}))

# missing names what is not there yet, or nothing.
missing() {
  for url in "$@"; do
    state=$(curl -fsS -m 5 "$url/readyz" 2>/dev/null) || {
      echo "$url is not ready"
      return
    }
    case $state in
    *'"degraded"'*)
      echo "$url does without something that it depends on"
      return
      ;;
    esac
  done
  rows=$(curl -fsS -m 10 "$gateway/plants/top?limit=1" 2>&1 | tr -d ' \n') || true
  case $rows in
  *'"data":[{'*) ;;
  *) echo "the services are ready, but $gateway/plants/top shows no plant yet" ;;
  esac
}

while what=$(missing "$@") && [ -n "$what" ]; do
  [ "$(date +%s)" -lt $end ] || {
    echo "given up: $what" >&2
    exit 1
  }
  sleep 1
done
echo "every service is ready, and the API shows data"
