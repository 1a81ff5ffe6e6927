#!/bin/sh
# test.sh: installs what the tests need, runs them all, and says in its last
# lines what real programs they ran against, and which they could not.
set -eu
cd "$(dirname "$0")/.."

scripts/tools.sh
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
BATCHCTL_TEST_REPORT=$report go test -race -count=1 ./... || status=$?

# FIRST-COLUMN: the second column of the report's lines, each once.
those() { awk -F '\t' -v what="$1" '$1 == what { print $2 }' "$report" | sort -u | paste -s -d ";" - | sed "s/;/; /g; s/^$/nothing/"; }
echo
echo "ran against:  $(those ran)"
echo "did not run:  $(those 'not run')"
exit $status
