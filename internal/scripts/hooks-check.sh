#!/usr/bin/env bash
# Sees the hooks at work: in a clone, with a remote of its own, each step of
# lefthook.yml gets a fault of the kind that it is there for, and has to refuse it;
# a clean commit has to pass. Fails when a step lets its fault through, when another
# one refuses it, and when a step of lefthook.yml has no fault here.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2046
unset $(git rev-parse --local-env-vars) CI LEFTHOOK LEFTHOOK_EXCLUDE
export GOFLAGS="${GOFLAGS:-} -trimpath" # packages of one clone serve the next, wherever it is

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q "$root" "$work/clone"
git init -q --bare "$work/remote"
cd "$work/clone"
ln -s "$root/.bin" .bin
# A copy: through a link npm would empty the folder of this clone.
cp -a "$root/internal/page/node_modules" internal/page/node_modules
touch internal/page/node_modules/.installed
printf '/.bin\n/internal/page/node_modules\n' >>.git/info/exclude
git config user.name "Hooks check"
git config user.email hooks@example.org
git config commit.gpgsign false
git remote set-url origin "$work/remote"
git push -q origin HEAD
git branch -q -u "origin/$(git branch --show-current)"
.bin/lefthook install >/dev/null
make() { command make --no-print-directory "$@"; }

seen=() failures=0
began=$SECONDS
# verdict STEP STATUS wants that the step refused, and no other.
verdict() {
  seen+=("$1")
  if [ "$2" = 0 ]; then
    echo "NOT $1: it let the fault through"
    failures=$((failures + 1))
  elif ! grep -qE "🥊 *$1|✗ *$1|$1.*(exit status|failed)" "$work/out"; then
    echo "NOT $1: something else refused:"
    failures=$((failures + 1))
  else
    printf 'ok  %-16s %3d s\n' "$1" $((SECONDS - at))
    return
  fi
  tail -25 "$work/out"
}

# commit STEP [MESSAGE] commits what is planted, and takes it away again.
commit() {
  local status=0
  at=$SECONDS
  git add -A
  git commit -q -m "${2:-test: a fault for the hooks}" >"$work/out" 2>&1 || status=$?
  verdict "$1" $status
  restore
}

restore() {
  git reset -q --hard origin/HEAD 2>/dev/null || git reset -q --hard '@{upstream}'
  git clean -qfd
}

# push STEP [MESSAGE] pushes what is planted. The other steps are left out: which
# step refuses is the question, and some take minutes.
push() {
  local status=0 others
  at=$SECONDS
  others=$(sed -n '/^pre-push:/,/^#/p' lefthook.yml | sed -nE 's/.*name: ([a-z0-9]+).*/\1/p' | grep -vx "$1" | paste -sd,)
  git add -A
  git commit -q --no-verify -m "${2:-test: a fault for the hooks}" >/dev/null 2>&1
  LEFTHOOK_EXCLUDE=$others git push -q origin HEAD >"$work/out" 2>&1 || status=$?
  verdict "$1" $status
  restore
}

go_file() { # path, text
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1"
}

leaf=internal/testreport # a package that compiles in no time

# --- a clean commit

at=$SECONDS
printf '\n// Checked by the hooks.\n' >>$leaf/report.go
git add -A
if git commit -q -m 'feat: a line that users notice' >"$work/out" 2>&1; then
  printf 'ok  %-16s %3d s\n' "a clean commit" $((SECONDS - at))
  grep -q 'CHANGELOG.md has no line' "$work/out" || { echo "NOT post-commit: it does not remind of the changelog" && failures=$((failures + 1)); }
else
  echo "NOT a clean commit: it was refused" && tail -30 "$work/out"
  failures=$((failures + 1))
fi
git reset -q --hard HEAD~1 2>/dev/null || restore
restore

# --- before a commit

# A key that is made here, so that this file holds none.
printf 'aws_access_key_id = AKIA%s\n' "$(tr -dc 'A-Z2-7' </dev/urandom | head -c 16)" >examples/key.txt
commit secrets

echo 'EGRID_STROE=elsewhere.db' >.env
git add -f .env
commit environment

go_file $leaf/planted.go $'package main\n\nfunc planted( ) int { return 1 }\n\nvar _ = planted'
commit format

go_file $leaf/planted_test.go $'package main\n\nimport (\n\t"fmt"\n\t"testing"\n)\n\nfunc TestPlanted(*testing.T) { fmt.Printf("%d\\n", "text") }'
commit vet

go_file $leaf/planted.go $'package main\n\nfunc planted() int { return 1 }'
commit lint

go_file $leaf/planted_test.go $'package main\n\nimport "testing"\n\nfunc TestPlanted(t *testing.T) { t.Error("planted") }'
commit unit

printf '/** @type {number} */\nexport const planted = "text";\n' >httpapi/dashboard/page/assets/planted.js
commit page

sed -i 's/EGRID_STORE:/EGRID_STROE:/' examples/reference/compose.yaml
commit compose

echo 'A line by hand.' >>docs/data.md
commit fresh

printf '\nChecked by the hooks.\n' >>CONTRIBUTING.md
commit message 'did things'

# --- before a push

printf '\nChecked by the hooks.\n' >>CONTRIBUTING.md
push messages 'did things'

echo 'if' >>.ci/run
push pipeline

# What is compared with a tag needs one; here the state before the fault.
git tag v0.0.1
sed -i 's/^func Permanent(/func Lasting(/' queue/errors.go
push api

sed -i 's|^  "/plants/top": {|  "/plants/most": {|' docs/api/openapi.json
push openapi
git tag -d v0.0.1 >/dev/null

go_file $leaf/planted_test.go $'package main\n\nimport "testing"\n\nfunc TestPlanted(*testing.T) {\n\tn, done := 0, make(chan struct{})\n\tgo func() { n++; close(done) }()\n\tn++\n\t<-done\n\t_ = n\n}'
push race

for file in examples/data/*.csv; do echo '<!doctype html>' >"$file"; done
push health

# One test, and its server alone: what Redis answers for a key that it has not.
sed -i '/redis.Nil/,/}/s/return nil, nil/return nil, err/' cache/rediscache/rediscache.go
INTEGRATION='-run ^TestShared$ ./cache/rediscache' EGRID_TEST_POSTGRES=- EGRID_TEST_S3=- EGRID_TEST_XLRD=- EGRID_TEST_AMQP=- push integration

sed -i "s/dom_id: '#swagger-ui'/dom_id: '#nowhere'/" httpapi/swaggerui/page/start.js
E2E=TestSwagger push e2e

# A database of one vulnerability, in a package that auth calls.
mkdir -p "$work/vulndb"/{ID,index}
sum=2026-01-02T03:04:05Z
echo "{\"modified\":\"$sum\"}" >"$work/vulndb/index/db.json"
echo "[{\"path\":\"github.com/golang-jwt/jwt/v5\",\"vulns\":[{\"id\":\"GO-2026-0001\",\"modified\":\"$sum\"}]}]" >"$work/vulndb/index/modules.json"
echo "[{\"id\":\"GO-2026-0001\",\"modified\":\"$sum\"}]" >"$work/vulndb/index/vulns.json"
cat >"$work/vulndb/ID/GO-2026-0001.json" <<END
{"schema_version":"1.3.1","id":"GO-2026-0001","modified":"$sum","published":"$sum","summary":"planted","details":"planted",
 "affected":[{"package":{"name":"github.com/golang-jwt/jwt/v5","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
 "ecosystem_specific":{"imports":[{"path":"github.com/golang-jwt/jwt/v5","symbols":["NewParser","Parser.ParseWithClaims","Parser.Parse"]}]}}],"database_specific":{"url":"https://pkg.go.dev/vuln/GO-2026-0001","review_status":"REVIEWED"}}
END
printf '\n// Checked by the hooks.\n' >>$leaf/report.go
EGRID_VULNDB=file://$work/vulndb EGRID_VULN_PACKAGES=./httpapi/auth push vulnerabilities

# --- nothing is left out

for step in $(sed -n '/^pre-commit:/,/^# Notes/p' lefthook.yml | sed -nE 's/.*name: ([a-z0-9]+).*/\1/p'); do
  printf '%s\n' "${seen[@]}" | grep -qx "$step" || { echo "NOT $step: no fault is planted for it" && failures=$((failures + 1)); }
done
echo "${#seen[@]} faults in $((SECONDS - began)) s; processor time of what was run: $(times | tail -1)"
[ $failures = 0 ]
