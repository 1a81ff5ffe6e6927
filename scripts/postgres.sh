#!/bin/sh
# postgres.sh: a PostgreSQL server of its own for tests.
#
#   postgres.sh start DIR         makes a cluster in DIR, or takes the one that is
#                                 there, starts it and prints its URL
#   postgres.sh stop DIR [MODE]   stops it (fast; immediate is like a power cut)
#   postgres.sh remove DIR        stops it and deletes DIR
#   postgres.sh psql ARG...       runs PostgreSQL's own client
#
# The server listens on 127.0.0.1 and on a socket only, wants a random
# password, and writes through to the disk as it would in earnest. It does not
# run as root: then it belongs to the user postgres, or nobody. Exit status 3
# says that PostgreSQL is missing and could not be installed.
set -eu

say() { printf 'postgres: %s\n' "$*" >&2; }
usage() { sed -n '4,8s/^# *//p' "$0" >&2; exit 2; }

# newest prints the directory of the newest server's programs.
newest() { for d in /usr/lib/postgresql/*/bin; do [ -x "$d/postgres" ] && echo "$d"; done | sort -V | tail -n 1; }

install() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say 'PostgreSQL is needed: install it (Debian: apt-get install postgresql-15)'
		exit 3
	fi
	say 'installing PostgreSQL'
	# Debian would make a cluster and start it: this machine needs none.
	conf=/etc/postgresql-common/createcluster.conf
	mkdir -p /etc/postgresql-common
	[ -e $conf ] || echo 'create_main_cluster = false' >$conf
	export DEBIAN_FRONTEND=noninteractive
	get() { apt-get -qq install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$1" >&2; }
	{ apt-get -qq update >&2 && { get postgresql-15 || get postgresql; }; } || { say 'PostgreSQL could not be installed'; exit 3; }
}

bin=$(newest)
[ -n "$bin" ] || { install; bin=$(newest); }
[ -n "$bin" ] || { say 'PostgreSQL was installed, but /usr/lib/postgresql has no server'; exit 3; }

if [ "${1:-}" = psql ]; then
	shift
	exec "$bin/psql" "$@"
fi
[ $# -ge 2 ] || usage
verb=$1 dir=$2 mode=${3:-fast}

# as COMMAND: runs it as the user that the cluster belongs to.
user=$(id -un postgres 2>/dev/null || echo nobody)
as() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u "$user" -- "$@"); else "$@"; fi; }

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

make() {
	mkdir -p "$dir"
	[ "$(id -u)" != 0 ] || chown "$user" "$dir"
	as test -w "$dir" || { say "user $user cannot write in $dir: name a directory that it can reach"; exit 1; }
	as sh -c "umask 077; echo $(random 16) >'$dir/password'"
	# A locale whose order is not that of the bytes, as most servers have.
	as "$bin/initdb" --pgdata="$dir/data" --username=batchctl --pwfile="$dir/password" --auth=scram-sha-256 \
		--encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en >"$dir/initdb.log" 2>&1 ||
		{ cat "$dir/initdb.log" >&2; exit 1; }
}

# up PORT: starts the server. The path of a socket may be 107 bytes long.
up() {
	socket=/tmp/.pg-$(printf %s "$dir" | cksum | cut -d ' ' -f 1)
	as mkdir -p "$socket"
	as "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/log" --wait --silent \
		--options="-c port=$1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$socket -c unix_socket_permissions=0700" \
		start >/dev/null 2>&1 </dev/null
}

start() {
	[ -e "$dir/data/PG_VERSION" ] || make
	if as "$bin/pg_ctl" --pgdata="$dir/data" status >/dev/null 2>&1; then
		: # it runs already
	elif [ -e "$dir/port" ]; then # clients know it
		up "$(cat "$dir/port")" || { cat "$dir/log" >&2; exit 1; }
	else
		for _ in 1 2 3 4 5 6 7 8; do # a port may be taken
			port=$((20000 + 0x$(random 2) % 12000))
			if up $port; then
				echo $port >"$dir/port"
				break
			fi
		done
		[ -e "$dir/port" ] || { cat "$dir/log" >&2; exit 1; }
	fi
	echo "postgres://batchctl:$(cat "$dir/password")@127.0.0.1:$(cat "$dir/port")/postgres?sslmode=disable"
}

# stop ends the server that the postmaster.pid of DIR names, and no other.
stop() {
	[ -e "$dir/data/postmaster.pid" ] || return 0
	as "$bin/pg_ctl" --pgdata="$dir/data" --wait --silent --mode="$mode" stop >&2
	rm -rf "/tmp/.pg-$(printf %s "$dir" | cksum | cut -d ' ' -f 1)"
}

case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
case $verb in
start) start ;;
stop) stop ;;
remove) stop && rm -rf "$dir" ;;
*) usage ;;
esac
