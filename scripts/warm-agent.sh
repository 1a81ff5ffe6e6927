#!/bin/sh
# warm-agent.sh DIR URL NODE SECRET_FILE [JAVA [OPTION...]]: fills DIR, the
# directory that bootstrap.cache names, for an image of machines.
#
# It is an agent for one run: that of a Pipeline which asks for NODE, does what
# batches do, and has  sh 'touch "$WARM_DONE"'  as its last step. Then the agent
# ends, and what it has fetched and loaded is kept. JAVA and its options are
# those of the provisioner's bootstrap; docs/agent-start.md says more.
set -eu

[ $# -ge 4 ] || { sed -n 's/^# \{0,1\}//; 2,9p' "$0" >&2; exit 2; }
dir=$1 url=${2%/} node=$3 secret=$4
shift 4
java=${1:-java}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
LC_ALL=C.UTF-8
export LC_ALL

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
rm -rf "$dir/agent.jar" "$dir/agent.cds" "$dir/java.options" "$dir/jarCache"
work=$(mktemp -d)
agent=
trap '[ -z "$agent" ] || kill -s KILL "$agent"; rm -rf "$work"' EXIT
trap 'exit 1' TERM INT HUP

curl -qfsS -o "$dir/agent.jar" "$url/jnlpJars/agent.jar"
# Java 25 keeps more than classes, so less is left to do when the agent starts.
if "$java" -XX:+PrintFlagsFinal -version 2>/dev/null | grep -q AOTCacheOutput; then
	learn=-XX:AOTCacheOutput use=-XX:AOTCache
else
	learn=-XX:ArchiveClassesAtExit use=-XX:SharedArchiveFile
fi
WARM_DONE=$work/done
export WARM_DONE
"$java" "$@" "$learn=$dir/agent.cds" -jar "$dir/agent.jar" -url "$url" -name "$node" -secret "@$secret" \
	-webSocket -workDir "$work" -jar-cache "$dir/jarCache" -noReconnectAfter 1m </dev/null >"$work/log" 2>&1 &
agent=$!
echo "start the run that asks for the node $node; waiting for it" >&2
until [ -e "$WARM_DONE" ]; do
	kill -s 0 "$agent" 2>/dev/null || { agent= && cat "$work/log" >&2 && exit 1; }
	sleep 1
done
sleep 5 # what Jenkins does behind the last step loads classes too
kill -s TERM "$agent"
wait "$agent" || : # 143, as it was told to end
agent=
# A JVM that has no archive of its own makes none for others.
if [ -e "$dir/agent.cds" ]; then
	printf -- '-XX:+IgnoreUnrecognizedVMOptions\n"%s=%s"\n' "$use" "$dir/agent.cds" >"$dir/java.options"
fi
chmod -R a+rX,go-w "$dir"
du -sh "$dir"/* >&2
