#!/bin/sh
# test.sh: installs what the tests need, runs them all, and says in its last
# lines what real programs they ran against, and which they could not.
set -eu
cd "$(dirname "$0")/.."

scripts/tools.sh
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
# The long walks of the provisioner come after, without the race detector:
# they move one step at a time, and it makes them ten times slower.
walks='TestSimulation|TestExplore|TestAhead'
BATCHCTL_TEST_REPORT=$report SIM_LIVES=100 scripts/openstack/with.sh go test -race -count=1 -timeout 20m -skip 'TestExplore|TestAhead' ./... || status=$?
walked=$(mktemp)
trap 'rm -f "$report" "$walked"' EXIT
SIM_LIVES=10000 go test -count=1 -timeout 20m -run "$walks" -v ./nodes >"$walked" 2>&1 || { status=1; cat "$walked"; }
grep -E 'lives in|states, |online at their time' "$walked" | sed 's/^ *[a-z_]*\.go:[0-9]*: */walked:       /'

# FIRST-COLUMN: the second column of the report's lines, each once.
those() { awk -F '\t' -v what="$1" '$1 == what { print $2 }' "$report" | sort -u | paste -s -d ";" - | sed "s/;/; /g; s/^$/nothing/"; }
echo
echo "ran against:  $(those ran)"
echo "did not run:  $(those 'not run')"
exit $status
