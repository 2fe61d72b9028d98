#!/usr/bin/env bash
# One step of the hooks and of CI: check.sh STEP [FILE...]
#
# With files a step looks at their packages, without any at everything. It fails
# with what is wrong and how it is mended. What cannot be checked here is said in
# a box, so that nobody takes it for a pass. lefthook.yml and the Makefile name the
# steps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts=internal/scripts bin=.bin
# In a hook git names its folder and index to everything below, other repositories
# of tests too.
case ${1:-} in secrets) ;; *) unset $(git rev-parse --local-env-vars) ;; esac

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

not_checked() { # reason, remedy
  printf '################ NOT CHECKED: %s\n################ This is no pass. %s\n' "$1" "$2"
}

# tool builds a pinned tool where it is missing.
tool() {
  [ -x "$bin/$1" ] || make --no-print-directory "$PWD/$bin/$1" >&2
  echo "$PWD/$bin/$1"
}

# packages prints the packages of this module that files are of; ./... for none.
packages() {
  if [ $# = 0 ]; then
    echo ./...
    return
  fi
  local dir
  for dir in $(printf '%s\n' "$@" | xargs -n1 dirname | sort -u); do
    while [ "$dir" != . ] && [[ /$dir/ == */testdata/* ]]; do dir=$(dirname "$dir"); done
    nested "$dir" || ! compgen -G "$dir/*.go" >/dev/null || echo "./$dir"
  done | sort -u
}

# nested tells whether a folder is of another module than this.
nested() {
  local dir=$1
  while [ "$dir" != . ]; do
    [ ! -f "$dir/go.mod" ] || return 0
    dir=$(dirname "$dir")
  done
  return 1
}

# of_packages runs a command with the packages of files behind it.
of_packages() { # words of the command -- files
  local command=()
  while [ "$1" != -- ]; do command+=("$1") && shift; done
  shift
  local list
  mapfile -t list < <(packages "$@")
  [ ${#list[@]} -gt 0 ] || return 0
  "${command[@]}" "${list[@]}"
}

# base is the commit that a push is compared with: what the last tag named, or
# what EGRID_BASE says.
base() { echo "${EGRID_BASE:-$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)}"; }

# announced tells whether a commit since the base says that it breaks something.
announced() {
  git log --format='%s%n%b' "$1..HEAD" | grep -qE '^[a-z]+(\([^)]*\))?!: |^BREAKING CHANGE: '
}

# broken ends a comparison with what users have.
broken() { # base, what was found
  printf '%s\n' "$2"
  if announced "$1"; then
    echo "These break what $1 has. A commit since then announces it (a ! before the colon, or BREAKING CHANGE), so this is no fault."
    return
  fi
  fail "These break what users of $1 have. Keep what was there, or announce it: a commit with ! before the colon (feat!: ...) and a line in CHANGELOG.md."
}

# --- before a commit

format() {
  local wrong
  if [ $# = 0 ]; then mapfile -t files < <(git ls-files '*.go'); else files=("$@"); fi
  wrong=$(gofmt -l "${files[@]}")
  [ -z "$wrong" ] || fail "not formatted (make fmt does it):" "$wrong"
}

vet() { of_packages go vet -- "$@"; }

lint() { of_packages "$(tool golangci-lint)" run --allow-parallel-runners -- "$@"; }

unit() { of_packages go test -- "$@"; }

page() { make --no-print-directory page; }

secrets() {
  local how=(dir --config "$PWD/.gitleaks.toml" --no-banner --redact --verbose --log-level error)
  [ "${1:-}" != --staged ] || how=(git --staged --config "$PWD/.gitleaks.toml" --no-banner --redact --verbose --log-level error)
  local gitleaks
  gitleaks=$(tool gitleaks)
  if [ "${1:-}" = --staged ]; then
    "$gitleaks" "${how[@]}" . || fail "A secret is about to be committed. Take it out of the file and out of the index; if it ever left this machine, revoke it. What is none gets a line in .gitleaks.toml, with the reason."
    return
  fi
  local tree
  tree=$(mktemp -d)
  git archive HEAD | tar -x -C "$tree" # what is committed, and nothing beside it
  (cd "$tree" && "$gitleaks" "${how[@]}" .) || { rm -rf "$tree" && fail "A secret is committed: revoke it, and take it out. What is none gets a line in .gitleaks.toml, with the reason."; }
  rm -rf "$tree"
}

environment() {
  local want have name faults=()
  want=$(sed -n 's/^go //p' go.mod)
  have=$(go env GOVERSION)
  [ "$(printf '%s\n' "$want" "${have#go}" | sort -V | head -1)" = "$want" ] || faults+=("Go is $have, and go.mod wants $want: install that")
  [ -z "$(git ls-files .env)" ] || faults+=(".env is committed: git rm --cached .env, and change the secrets that are in it")
  # Settings of this folder have to be settings that there are.
  if [ -f .env ]; then
    for name in $(sed -nE 's/^(EGRID_[A-Z0-9_]+)=.*/\1/p' .env); do
      grep -qE "^#?$name=" .env.example || faults+=(".env sets $name, which is no setting; .env.example lists them")
    done
  fi
  [ -z "$(git ls-files -- '*.sh' '.ci/run' | xargs -r ls -l | grep -v '^-rwx' | grep -v common.sh)" ] || faults+=("a script has no run bit: chmod +x")
  [ ${#faults[@]} = 0 ] || fail "${faults[@]}"
}

compose() {
  make --no-print-directory compose-check
  go test ./internal/repocheck -run Compose
}

# fresh compares what is made from the source with the source, without writing
# anything. The tests that do it are those that make generate runs.
fresh() {
  local steps
  mapfile -t steps < <($scripts/generate.sh --list)
  local step package tests
  for step in "${steps[@]}"; do
    read -r package tests <<<"$step"
    concerns "$package" "$@" || continue
    go test -run "^($tests)\$" "$package" || fail "make generate writes what is not as the source has it"
  done
}

# concerns tells whether files are of a package, or of what it makes or is made of.
concerns() { # package, files
  local package=${1#./} file
  shift
  [ $# -gt 0 ] || return 0
  for file in "$@"; do
    case $package:$file in
    "$package:$package/"* | egrid:docs/data.md | examples/data:egrid/egridtest/* | *:egrid/columns.csv) return 0 ;;
    internal/postman:docs/api/* | internal/postman:httpapi/*.go | httpapi:httpapi/*) return 0 ;;
    hosts/egrid:docs/reference/* | hosts/egrid:hosts/*.go | hosts/egrid:.env.example | internal/weights:docs/packages.md) return 0 ;;
    esac
  done
  return 1
}

# --- the message of a commit

pattern='^(feat|fix|test|docs|build|perf|refactor|style|chore|ci|revert)(\([a-z0-9/-]+\))?!?: [^ ].*[^. ]$'

# conventional tells what is wrong with the first line of a message.
conventional() {
  case $1 in
  'Merge '* | 'merge'* | 'Revert "'* | 'fixup! '* | 'squash! '* | 'amend! '*) return 0 ;;
  esac
  [[ $1 =~ $pattern ]] || {
    echo "\"$1\" is no conventional commit. Write \"feat: what users get\" (or fix, test, docs, build, perf, refactor, chore, ci), one thought, without a full stop."
    return 1
  }
}

message() { # file
  local first
  first=$(grep -v '^#' "$1" | sed -n '/./{p;q}')
  conventional "$first" >&2
}

# messages looks at what is not yet on a branch of the other side; in CI at the last
# twenty.
messages() {
  local subject faults=0 range=(-20 HEAD)
  ! git rev-parse -q --verify '@{upstream}' >/dev/null 2>&1 || range=('@{upstream}..HEAD')
  while IFS= read -r subject; do conventional "$subject" >&2 || faults=1; done < <(git log --no-merges --format=%s "${range[@]}")
  return $faults
}

# --- before a push

pipeline() {
  bash -n .ci/run
  local script
  for script in $(git ls-files '*.sh'); do bash -n "$script"; done
  make help >/dev/null # which reads the Makefile; a dry run would run what calls make again
  go test ./internal/repocheck -run 'Hooks|Pipeline'
}

api() {
  local tag old status=0 found
  tag=$(base)
  if [ -z "$tag" ]; then
    not_checked "there is no tag yet that the Go API could be compared with" "It is compared from the first release on; EGRID_BASE=COMMIT compares with a commit."
    return
  fi
  local dirs=() dir
  for dir in $(git diff --name-only "$tag" -- '*.go' | grep -v _test.go | xargs -rn1 dirname | sort -u); do
    case /$dir/ in */internal/* | /hosts/* | /examples/* | */testdata/*) continue ;; esac
    dirs+=("$dir")
  done
  [ ${#dirs[@]} -gt 0 ] || return 0
  local apidiff
  apidiff=$(tool apidiff)
  old=$(mktemp -d)
  trap 'rm -rf "$old"' RETURN EXIT
  git archive "$tag" | tar -x -C "$old"
  found=''
  for dir in "${dirs[@]}"; do
    compgen -G "$old/$dir/*.go" >/dev/null || continue # it is new
    if ! compgen -G "$dir/*.go" >/dev/null; then
      found+="$dir: the package was removed"$'\n'
      continue
    fi
    (cd "$old" && "$apidiff" -w "$old/export" "./$dir") || status=1
    "$apidiff" -incompatible "$old/export" "./$dir" >"$old/found" || status=1
    [ ! -s "$old/found" ] || found+="$dir:"$'\n'"$(cat "$old/found")"$'\n'
  done
  [ $status = 0 ] || fail "the Go API could not be compared with $tag"
  [ -z "$found" ] || broken "$tag" "$found"
}

openapi() {
  local tag old oasdiff found status=0
  tag=$(base)
  if [ -z "$tag" ]; then
    not_checked "there is no tag yet that the HTTP API could be compared with" "It is compared from the first release on; EGRID_BASE=COMMIT compares with a commit."
    return
  fi
  old=$(mktemp)
  trap 'rm -f "$old"' RETURN EXIT
  if ! git show "$tag:docs/api/openapi.json" >"$old" 2>/dev/null; then
    not_checked "$tag has no docs/api/openapi.json" "It is compared from the release on that has it."
    return
  fi
  oasdiff=$(tool oasdiff)
  found=$("$oasdiff" breaking --fail-on ERR "$old" docs/api/openapi.json 2>&1) || status=$?
  [ $status = 0 ] || broken "$tag" "$found"
}

race() { of_packages go test -race -shuffle=on -- "$@"; }

# health starts the platform on the sample, asks it how it is, and ends it.
health() { $scripts/health.sh; }

integration() {
  # shellcheck disable=SC2086 # a list of packages
  $scripts/with-services.sh go test -race ${INTEGRATION:-./egrid/pgstore ./queue/rabbitqueue ./cache/rediscache ./etl/s3source}
}

e2e() { (cd internal/e2e && go test -run "${E2E:-.}" ./...); }

vulnerabilities() { $scripts/vuln.sh "$(tool govulncheck)" --may-be-away; }

# --- behind a commit or a merge

# note reminds of the changelog where users notice something.
note() { # since
  local since=$1 subjects changed
  git rev-parse -q --verify "$since" >/dev/null || return 0
  subjects=$(git log --no-merges --format=%s "$since..HEAD" 2>/dev/null | grep -E '^(feat|fix|perf)(\(.*\))?!?:' || true)
  changed=$(git diff --name-only "$since" HEAD)
  [ -n "$subjects" ] && ! grep -qx CHANGELOG.md <<<"$changed" || return 0
  printf 'CHANGELOG.md has no line of this yet; what users notice gets one, in their words:\n%s\n' "$subjects"
}

step=${1:-}
case $step in
format | vet | lint | unit | page | secrets | environment | compose | fresh | message | messages | \
  pipeline | api | openapi | race | health | integration | e2e | vulnerabilities | note)
  shift
  "$step" "$@"
  ;;
*)
  echo "usage: check.sh STEP [FILE...]; lefthook.yml lists the steps" >&2
  exit 2
  ;;
esac
