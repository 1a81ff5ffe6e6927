#!/bin/sh
# demo-migrate.sh: 2,000 jobs of an old Jenkins become a tree, and go from
# Java 11 to 21 in steps. Writes to a temporary directory only.
set -eu
cd "$(dirname "$0")/.."
batchctl=${BATCHCTL:-$PWD/bin/batchctl} legacy=${LEGACY:-$PWD/bin/demo/legacy}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"
# Nobody's own settings, and no repository but the one made here.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat NO_COLOR=1
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE JENKINS_URL
began=$(date -u +%Y-%m-%dT%H:%M:%SZ)

say() { printf '\n# %s\n' "$*"; }

# start FILE LINES: the first lines of a file, how many more there are, and the
# last one, which sums them up.
start() {
	left=$(($(wc -l <"$1") - $2 - 1))
	[ "$left" -ge 2 ] || { cat "$1"; return; }
	head -n "$2" "$1"
	printf '… %s more lines\n' "$left"
	tail -n 1 "$1"
}

# quoted ARGUMENTS…: as a person would type them; long ones are cut.
quoted() {
	for word; do
		case $word in
		*'*'*) [ ${#word} -le 40 ] || word=${word%%,*},…; printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
}

# show LINES COMMAND…: a command with the start of what it prints, and all that
# it says at its end. A command that is to fail is no failure here.
show() {
	lines=$1 code=0
	shift
	printf '$ batchctl%s\n' "$(quoted "$@")"
	"$batchctl" "$@" >"$work/stdout" 2>"$work/stderr" || code=$?
	start "$work/stdout" "$lines"
	start "$work/stderr" 6
	[ "$code" = 0 ] || printf '(exit code %s)\n' "$code"
}

# expect CODE: what the last command must have ended with.
expect() { [ "$code" = "$1" ] || { printf 'demo-migrate: this ended with %s, not %s\n' "$code" "$1" >&2; exit 1; }; }

commit() { git add -A && git commit -q -m "$1" && printf '$ git commit -m "%s"\n' "$1"; }

# builds BEFORE AFTER [JOB]: stands for Jenkins. Every job had five builds
# before the demo and one now, of which one in BEFORE and one in AFTER failed; 0
# is no build now. JOB has had twelve, and all failed.
builds() {
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	"$batchctl" list -o json 2>"$work/stderr" | sed -n 's/^ *"job": "\(.*\)",*$/\1/p' |
		awk -v began="$began" -v now="$now" -v before="$1" -v after="$2" -v canary="${3:-}" '
		function build(at, seconds, bad) {
			printf "%s{\"job\": \"%s\", \"started\": \"%s\", \"seconds\": %d, \"result\": \"%s\"}", comma, $0, at, seconds, bad ? "FAILURE" : "SUCCESS"
			comma = ",\n"
		}
		BEGIN { printf "[" }
		{
			usual = 60 + NR * 37 % 900
			for (i = 0; i < 5; i++) build(began, usual + i, ++old % before == 0)
			if ($0 == canary) for (i = 0; i < 12; i++) build(now, usual / 4, 1)
			else if (after) build(now, usual * 0.95, ++new % after == 0)
		}
		END { print "]" }' >"$work/builds.json"
}

say 'A Jenkins as it has grown: 2,000 jobs that start Java, and 50 others; each one a copy of another, more or less.'
"$legacy" -jobs 2000 jenkins
sed -n '/<command>/,/<\/command>/ { s/&#xd;$//; p; }' jenkins/jobs/live-1/jobs/settlement/jobs/daily-settlement/config.xml >script.txt
start script.txt 11

say 'Each job becomes a batch; what cannot be one is kept, with the reason. Nothing is run, and Jenkins stays as it is.'
show 8 import --from jenkins --checksums jenkins/jars.sha256 --timezone Asia/Seoul --out payments
expect 0
git init -q payments
git -C payments config user.name Ada
git -C payments config user.email ada@example.com
git -C payments config gc.auto 0
cd payments
commit 'The jobs of Jenkins, as they are'

say 'What they have in common goes into layers. The odd ones out are named, not changed.'
cd ..
show 30 factor payments
expect 0
cd payments
git add -A
git diff --cached --shortstat
show 5 diff HEAD
expect 0
commit 'Layers instead of copies'

say 'One job says G1HeapRegionSiez. It has never started with that; put it right where it stands.'
show 5 migrate replace-value spec.java.options -- -XX:G1HeapRegionSiez=8m -XX:G1HeapRegionSize=8m
expect 0
git diff -U1 | sed -n '/^@@/,$p'
commit 'settlement: an option was misspelt'

say 'Some jobs came from Java 8, and JVM 11 refuses their options. validate names them, each place once; its warnings are left out here.'
printf '$ batchctl validate\n'
"$batchctl" validate 2>"$work/problems" && exit 1
grep -A 1 'does not start' "$work/problems" | grep -v '^--$' >"$work/errors"
cat "$work/errors" >"$work/shown"
tail -n 1 "$work/problems" >>"$work/shown"
start "$work/shown" 4
odd=$(sed -n 's,^apps/\(.*\)\.yaml:.*,*/\1,p' "$work/errors" | sort -u | paste -s -d , -)

say 'They go to 21 at once, with their copies on other clusters: their options are rewritten. No other job may change.'
show 4 migrate jvm --from 11 --to 21 --select "$odd"
expect 0
show 14 diff HEAD
"$batchctl" validate 2>&1 | tail -n 1
commit 'Java 21 for the jobs that came from Java 8'
tree=$(git rev-parse 'HEAD^{tree}')

# steps NAME…: takes each step after a look at its builds.
steps() {
	for step; do
		builds 150 180
		show 1 rollout advance jvm-21 --builds ../builds.json
		expect 0
		commit "Java 21: $step"
	done
}

say 'All others in steps: dev, staging, then 1 %, 10 % and all of live. The reports come first in live: they can be run again.'
show 14 rollout start jvm-21 --from 11 --to 21 --rings dev,staging,live --steps 1,10,100 --first 'live-1/reporting/**'
expect 0
commit 'Java 21: dev'

say 'No build has run since. Nobody can call that good, and advance does not.'
builds 150 0
show 5 rollout advance jvm-21 --builds ../builds.json
expect 1

say 'Then they run (a file stands for Jenkins here), and no more of them fail than before.'
builds 150 180
show 12 rollout status jvm-21 --builds ../builds.json
expect 0

say 'So on to staging, and from there to 1 % and 10 % of live, each after a look at its builds.'
steps staging 'live 1 %' 'live 10 %'
canary=$(sed -n '/^  - ring: live$/,$ { s,^ *- \(live-1/reporting/.*\),\1,p; }' rollouts/jvm-21.yaml | sed -n 3p)
show 4 explain "$canary" spec.java.version

say 'Now one of the canaries fails, again and again.'
builds 150 180 "$canary"
show 12 rollout status jvm-21 --builds ../builds.json
expect 0

say 'The other 90 % do not get it.'
show 5 rollout advance jvm-21 --builds ../builds.json
expect 1

say 'Back, for all of them.'
show 3 rollout undo jvm-21
expect 0
commit 'Java 21: taken back'

say 'Every byte is as it was before the rollout: git has the same tree for both.'
printf '$ git diff --stat %.12s HEAD\n' "$tree"
git diff --stat "$tree" HEAD
printf 'before  %s\nnow     %s\n' "$tree" "$(git rev-parse 'HEAD^{tree}')"
[ "$tree" = "$(git rev-parse 'HEAD^{tree}')" ]
[ -z "$(git status --porcelain)" ]

say 'The canary reads a file of Java 11. It is left out, and the others go on: 1 %, 10 %, 100 %.'
show 1 rollout start jvm-21 --from 11 --to 21 --rings dev,staging,live --steps 1,10,100 --select "!$canary"
expect 0
commit 'Java 21, without one: dev'
steps staging 'live 1 %' 'live 10 %' 'live 100 %'
builds 150 180
show 12 rollout status jvm-21 --builds ../builds.json
expect 0

say 'All are good. The change goes where the values come from, the canary keeps what it has, and the rollout is gone.'
show 4 rollout finish jvm-21
expect 0
show 2 diff HEAD
git diff -U1 -- global.yaml "apps${canary#live-1}.yaml" | grep -Ev '^(diff|index|---) '
commit 'Java 21'
printf '%s jobs run on Java 21, one on 11; undo gave back every byte on the way.\n' "$("$batchctl" list -o json 2>/dev/null | grep -c '"java": 21,')"
