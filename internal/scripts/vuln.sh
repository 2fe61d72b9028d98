#!/usr/bin/env bash
# Known vulnerabilities in what we call: vuln.sh PATH-OF-GOVULNCHECK [--may-be-away]
#
# Fails when there are some. Where the database cannot be reached nothing was
# checked: that fails too or, with --may-be-away, is said so that nobody takes it
# for a pass. EGRID_VULNDB names another database than vuln.go.dev, which may be a
# copy of it in a folder: file:///srv/vulndb. EGRID_VULN_PACKAGES are those that it
# looks at; all unless it is set.
set -uo pipefail

database=()
[ -z "${EGRID_VULNDB:-}" ] || database=(-db "$EGRID_VULNDB")
out=$(timeout 300 "$1" "${database[@]}" "${EGRID_VULN_PACKAGES:-./...}" 2>&1)
status=$?
printf '%s\n' "$out"
if [ $status = 0 ]; then # a report that breaks off is no pass
  case $out in
  *"No vulnerabilities found"* | *"affected by 0 vulnerabilities"*) exit 0 ;;
  esac
  echo "govulncheck did not come to its end" >&2
  exit 1
fi
case $out in
*"fetching vulnerabilities"*) ;;
*) exit $status ;;
esac
echo
echo "############################################################################"
echo "# NOT CHECKED: the vulnerability database cannot be reached from here.     #"
echo "# This is no pass. Run make vuln where vuln.go.dev can be reached.         #"
echo "############################################################################"
[ "${2:-}" = --may-be-away ] || exit 1
