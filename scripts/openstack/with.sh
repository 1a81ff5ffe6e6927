#!/usr/bin/env bash
# with.sh COMMAND... runs a command while OpenStack runs (up.sh), and stops it
# afterwards if it was not running before and nobody else uses it. Where it
# cannot be had (no root, no Debian 12) the command runs without: what the
# command needs of it, it must miss by itself.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
state=${OPENSTACK_STATE:-/var/tmp/openstack-fixture}

if [[ $EUID != 0 ]] || ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    exec "$@"
fi

# Users hold the lock together; who starts or stops it holds it alone. Only
# this shell has it: daemons and the command get a closed descriptor.
exec 9>>"$state.lock"
flock 9
mine=$state/started-by-with
if ! pid=$(cat "$state/run/nova-api.pid" 2>/dev/null) || ! kill -0 "$pid" 2>/dev/null; then
    mkdir -p "$state"
    touch "$mine"
fi
"$here/up.sh" >/dev/null 9>&- || echo "with.sh: OpenStack cannot be started; see above" >&2
flock -s 9

status=0
"$@" 9>&- || status=$?

if [[ -e $mine ]] && flock -n 9; then
    rm -f "$mine"
    "$here/down.sh" 9>&-
fi
exit $status
