#!/bin/sh
# bench.sh: measures the figures of the design, and the peer in the same run.
set -eu
cd "$(dirname "$0")/.."

scripts/tools.sh
cache=${BATCHCTL_CACHE:-$PWD/.cache}
jjb=$cache/jjb/bin/jenkins-jobs
if [ ! -x "$jjb" ]; then
	echo 'bench: Jenkins Job Builder 6.5.0' >&2
	python3 -m venv "$cache/jjb"
	"$cache/jjb/bin/pip" install --quiet --disable-pip-version-check jenkins-job-builder==6.5.0
fi
go run ./internal/bench -jjb "$jjb" -python "$cache/jjb/bin/python"

echo
go run ./internal/bench/change

echo
go run ./internal/bench/provisioner
echo
OPENSTACK_HOSTS="fake-1:az-1 fake-2:az-2 fake-3:az-1 fake-4:az-2" scripts/openstack/with.sh go run ./internal/bench/openstack
echo
CGO_ENABLED=0 go build -o bin/ ./cmd/provisioner
go run ./internal/bench/clouds burst
echo
OPENSTACK_HOSTS="fake-1:az-1 fake-2:az-2 fake-3:az-1 fake-4:az-2" scripts/openstack/with.sh go run ./internal/bench/clouds chaos
echo
go test -count=1 -run TestAhead -v ./nodes | sed -n 's/^ *ahead_test.go:[0-9]*: /machines made ahead: /p'
