#!/bin/sh
# demo.sh: the main job, on the example company. Writes to a temporary
# directory only.
set -eu
cd "$(dirname "$0")/.."
batchctl=$PWD/bin/batchctl provisioner=$PWD/bin/demo/provisioner
tree=examples/payments
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n# %s\n' "$*"; }
# Shows a command and runs it; a command that is to fail is no failure here.
show() { printf '$ batchctl %s\n' "$*"; "$batchctl" -C "$tree" "$@" 2>&1 || printf '(exit code %s)\n' $?; }

say 'A settlement company: its batches, on all its clusters, are valid.'
show validate
show list --group settlement --cluster live-1

say 'Every value can say where it comes from.'
show explain live-1/settlement/daily-settlement spec.java

say 'One letter wrong in one layer, and it is caught before it reaches Jenkins.'
cp -r "$tree" "$work/tree"
file=$(grep -rl 'G1HeapRegionSize=8m' "$work/tree/app-groups")
sed 's/G1HeapRegionSize=8m/G1HeapRegionSiez=8m/' "$file" >"$work/file" && mv "$work/file" "$file"
(tree=$work/tree; show validate)

say 'The API servers go through the same layers.'
show config ledger-api --cluster live-1 -o properties

say 'The Job DSL that a Jenkins seed job applies.'
show render --out "$work/out"
ls -l "$work/out" | awk 'NR > 1 { print "  " $5 "\t" $9 }'
grep -h -A 12 "^pipelineJob('.*live-1/settlement/daily-settlement')" "$work"/out/jobs_*.groovy
echo '  …'
grep -h '"path":"live-1/settlement/daily-settlement"' "$work/out/catalog.json"
show render --out "$work/out"

say 'Every run gets a machine of its own: the same jobs in a simulated Jenkins, with a provisioner.'
printf '$ provisioner dev --catalog catalog.json\n'
"$provisioner" dev --catalog "$work/out/catalog.json"
