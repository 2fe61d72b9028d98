#!/usr/bin/env bash
# Holds the API to its document: contract.sh smoke|full
#
# Serves the bundled sample from SQLite and, when full, from PostgreSQL too; asks
# what the OpenAPI document allows, and what it does not, with schemathesis, and
# runs the Postman collection with newman. It finds PostgreSQL by
# EGRID_TEST_POSTGRES, or starts a server of its own. The tools are installed
# in the user's cache once.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/internal/scripts
pins=$root/internal/contract
cache=${XDG_CACHE_HOME:-$HOME/.cache}/egrid
python=$cache/schemathesis-$(sha256sum "$pins/requirements.txt" | cut -c1-12)
node=$cache/newman-$(sha256sum "$pins/package-lock.json" | cut -c1-12)

# per store: tests of each operation, and requests that there must be at least
case ${1:-} in
smoke) stores=(sqlite) examples=15 phases=examples,fuzzing least=200 ;;
full) stores=(sqlite postgres) examples=475 phases=examples,coverage,fuzzing least=20000 ;;
*)
  echo "usage: contract.sh smoke|full" >&2
  exit 2
  ;;
esac

work=$(mktemp -d /tmp/egrid-contract.XXXXXX)
chmod 755 "$work"
key=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n') # for what not everybody may do
services=() # process ids of what was started
own_postgres=
database=
cleanup() {
  for pid in "${services[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  [ -z "$database" ] || psql -qd "$EGRID_TEST_POSTGRES" -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" || true
  [ -z "$own_postgres" ] || EGRID_SERVICES_DIR=$work "$here/postgres.sh" stop || true
  rm -rf "$work"
}
trap cleanup EXIT

# install_tools leaves alone what was installed of the same pins.
install_tools() {
  mkdir -p "$cache"
  exec 9>"$cache/contract.lock" && flock 9 # another one may be at it
  if ! cmp -s "$pins/requirements.txt" "$python/pins"; then
    echo "installing schemathesis"
    python3 -c 'import ensurepip' 2>/dev/null || "$here/install.sh" python3-venv
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pins/requirements.txt"
    cp "$pins/requirements.txt" "$python/pins"
  fi
  if ! cmp -s "$pins/package-lock.json" "$node/pins"; then
    echo "installing newman"
    "$here/install.sh" npm
    rm -rf "$node"
    mkdir -p "$node"
    cp "$pins/package.json" "$pins/package-lock.json" "$node"
    (cd "$node" && npm ci --silent --no-audit --no-fund)
    cp "$pins/package-lock.json" "$node/pins"
  fi
  exec 9>&-
}

# store_url STORE: an empty store.
store_url() {
  if [ "$1" = sqlite ]; then
    echo "sqlite:$work/contract.db"
  elif [ -n "$database" ]; then
    echo "${EGRID_TEST_POSTGRES/\/egrid?/\/$database?}"
  else
    EGRID_SERVICES_DIR=$work "$here/postgres.sh" url
  fi
}

prepare_postgres() {
  if [ -n "${EGRID_TEST_POSTGRES:-}" ]; then
    database=egrid_contract_$$
    psql -qd "$EGRID_TEST_POSTGRES" -c "CREATE DATABASE $database"
    return
  fi
  own_postgres=yes
  EGRID_SERVICES_DIR=$work "$here/postgres.sh" start >"$work/postgres.log"
}

# serve STORE: loads the sample and waits until it is served; $url is where.
serve() {
  local store
  store=$(store_url "$1")
  : >"$work/$1.out"
  [ "$1" = sqlite ] || "$work/egrid" --store "$store" migrate >"$work/$1.out"
  EGRID_API_KEYS="contract admin $(printf %s "$key" | sha256sum | cut -d' ' -f1)" \
    "$work/egrid" --store "$store" up "$root/examples/data" --addr 127.0.0.1:0 >"$work/$1.out" 2>"$work/$1.err" &
  services+=($!)
  for _ in $(seq 300); do
    url=$(sed -n 's/^dashboard and API: //p' "$work/$1.out")
    [ -z "$url" ] || return 0
    kill -0 "${services[-1]}" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$work/$1.out" "$work/$1.err" >&2
  return 1
}

# ask STORE URL: everything that the document allows, and more. The tool keeps
# what it found below its folder.
ask() (
  cd "$work" && cp "$pins/hooks.py" . # which are looked for here
  "$python/bin/schemathesis" --config-file "$pins/schemathesis.toml" --no-color run "$2/openapi.json" --url "$2" \
    --header "X-API-Key: $key" --phases $phases --max-examples $examples --seed 1 --continue-on-failure \
    --no-shrink --suppress-health-check all --warnings off --generation-database none >"$work/$1.log" 2>&1
)

asked() { sed -n 's/^ *\([0-9][0-9,]*\) generated.*/\1/p' "$work/$1.log" | tr -d ,; }

install_tools
(cd "$root" && go build -o "$work/egrid" ./hosts/egrid)
begin=$SECONDS
[ "${#stores[@]}" = 1 ] || prepare_postgres
declare -A urls jobs
for store in "${stores[@]}"; do
  serve "$store"
  urls[$store]=$url
  ask "$store" "$url" & # the tool takes one processor, whatever it is given
  jobs[$store]=$!
done
failed=0 total=0
for store in "${stores[@]}"; do
  if ! wait "${jobs[$store]}"; then
    failed=1
    cut -c1-600 "$work/$store.log"
  fi
  count=$(asked "$store")
  echo "schemathesis, $store: ${count:-0} requests"
  total=$((total + ${count:-0}))
done
if [ "$total" -lt "$least" ]; then
  echo "only $total requests, of at least $least" >&2
  failed=1
fi
# A run that sees only refusals would prove little.
answers() { curl -fsS "$1/metrics" | sed -n 's/^egrid_http_requests_total{.*status="\([0-9]*\)".*} \([0-9.e+]*\)$/\1 \2/p' | awk '{n[$1] += $2} END {for (s in n) printf " %s: %d", s, n[s]}'; }
for store in "${stores[@]}"; do echo "answers, $store, by status:$(answers "${urls[$store]}")"; done
for store in "${stores[@]}"; do
  if ! "$node/node_modules/.bin/newman" run "$root/docs/api/egrid.postman_collection.json" --env-var "baseUrl=${urls[$store]}" \
    --env-var "apiKey=$key" --color off --reporter-cli-no-banner >"$work/newman.log" 2>&1; then
    failed=1
    cut -c1-200 "$work/newman.log"
  fi
  echo "newman, $store: $(sed -n 's/.*requests │ *\([0-9]*\) │.*/\1 requests/p' "$work/newman.log")"
done
echo "contract: $total requests in $((SECONDS - begin)) s"
exit $failed
