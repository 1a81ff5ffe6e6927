#!/bin/sh
# moto.sh: an EC2 API server of its own for tests: moto, from PyPI.
#
#   moto.sh install   puts it into .cache/moto (or $BATCHCTL_CACHE/moto)
#   moto.sh serve     starts it on a free port of 127.0.0.1, prints its URL, and
#                     ends it when standard input is closed
#   moto.sh version   prints its version
#
# All that it needs is pinned in ec2-requirements.txt. It keeps nothing on the
# disk. Exit status 3 says that it is not installed, or cannot be.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
home=${BATCHCTL_CACHE:-$root/.cache}/moto
pins=$root/scripts/ec2-requirements.txt

say() { printf 'moto: %s\n' "$*" >&2; }

there() { [ -x "$home/bin/moto_server" ] && cmp -s "$pins" "$home/pins"; }

install() {
	there && return
	python=$(command -v python3) || { say 'python3 is needed (3.10 or later)'; exit 3; }
	say 'installing moto'
	rm -rf "$home"
	mkdir -p "$(dirname "$home")"
	"$python" -m venv "$home" || { say 'python3 -m venv does not work: install python3-venv'; exit 3; }
	"$home/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$pins" ||
		{ say 'moto could not be installed'; exit 3; }
	cp "$pins" "$home/pins" # last: it says that all is there
}

serve() {
	there || { say 'moto is not installed: moto.sh install'; exit 3; }
	log=$(mktemp)
	# Without these it launches images, types and keys that are not there.
	MOTO_ENABLE_AMI_VALIDATION=true MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION=true MOTO_ENABLE_KEYPAIR_VALIDATION=true \
		"$home/bin/moto_server" -H 127.0.0.1 -p 0 >"$log" 2>&1 </dev/null &
	pid=$!
	trap 'kill $pid 2>/dev/null; rm -f "$log"' EXIT
	url=
	for _ in $(seq 300); do
		url=$(sed -n 's/.*Running on \(http:[^ ]*\).*/\1/p' "$log" | head -n 1)
		[ -z "$url" ] || break
		kill -0 $pid 2>/dev/null || { cat "$log" >&2; exit 1; }
		sleep 0.1
	done
	[ -n "$url" ] || { say 'it does not start:'; cat "$log" >&2; exit 1; }
	echo "$url"
	cat >/dev/null
}

case ${1:-} in
install) install ;;
serve) serve ;;
version) sed -n 's/^moto==//p' "$pins" ;;
*)
	sed -n '4,7s/^# *//p' "$0" >&2
	exit 2
	;;
esac
