#!/bin/sh
# demo-openstack.sh: the demo of the service with real clouds: a real OpenStack
# (Keystone, Nova, Placement, Glance, Neutron; its hypervisor is fake) that has
# room for four machines, and an EC2 API server that gets the rest. A local
# process does on each machine's behalf what its user data says. Needs Debian
# 12 and root. What was not running before is stopped at the end.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
say() { printf '\n# %s\n' "$*"; }
if [ "${1-}" != here ]; then
	[ "$(id -u)" = 0 ] && grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || { echo 'demo-openstack: it needs Debian 12 and root, for OpenStack from Debian packages' >&2; exit 1; }
	say 'A real OpenStack, and an EC2 API server (this takes two minutes the first time).'
	exec scripts/openstack/with.sh scripts/demo-openstack.sh here
fi
state=${OPENSTACK_STATE:-/var/tmp/openstack-fixture}
export OPENSTACK_STATE="$state"
work=$(mktemp -d)

end() {
	exec 3>&- # ends moto
	rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM HUP

scripts/moto.sh install
mkfifo "$work/in" "$work/out"
scripts/moto.sh serve <"$work/in" >"$work/out" &
exec 3>"$work/in"
read -r ec2 <"$work/out"

# Asks EC2 one thing and prints the values of one element.
ec2() { # ELEMENT ACTION [PARAMETER...]
	element=$1 data="Action=$2&Version=2016-11-15"
	shift 2
	for p; do data="$data&$p"; done
	curl -qsS -H 'Authorization: AWS4-HMAC-SHA256 Credential=demo/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0' \
		-d "$data" "$ec2" | tr '<' '\n' | sed -n "s/^$element>//p"
}
stack() { PATH=/usr/bin:/bin OS_CLIENT_CONFIG_FILE=$state/clouds.yaml openstack --os-cloud admin "$@"; }

subnet=$(ec2 subnetId DescribeSubnets | head -n 1)
stack flavor show batch.xlarge >/dev/null 2>&1 || stack flavor create --vcpus 4 --ram 16384 --disk 100 batch.xlarge >/dev/null
stack quota set --instances 4 --cores 100 --ram 400000 small
(umask 077 && printf %s secret >"$work/password")
cat >"$work/clouds.yaml" <<END
owner: demo
clouds:
  idc:
    driver: openstack
    auth_url: http://127.0.0.1:5000/v3
    user: small
    password_file: password
    project: small
    places:
      idc-seoul: {image: cirros, networks: [private], prices: {m1.small: 0.02, m1.large: 0.05, batch.xlarge: 0.09}}
  aws:
    driver: ec2
    region: us-east-1
    endpoint: $ec2
    places:
      aws-use1: {subnets: [$subnet], images: {amd64: {id: ami-12c6146b}}}
places: [{name: idc-seoul, cloud: idc}, {name: aws-use1, cloud: aws}]
END

say 'The company'"'"'s own data centre first, which has room for four machines; AWS when it is full.'
sed 's/^/  /' "$work/clouds.yaml"
bin/batchctl -C examples/payments render --out "$work/dsl" >/dev/null 2>&1
printf '\n$ provisioner dev --catalog catalog.json --clouds clouds.yaml\n'
status=0
AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo "$root/bin/provisioner" dev --catalog "$work/dsl/catalog.json" --clouds "$work/clouds.yaml" || status=$?

say 'What the two clouds themselves say.'
project=$(stack project show small -f value -c id)
servers=$(stack server list --all-projects --project small -f value -c ID | wc -l)
ports=$(stack port list --project "$project" -f value -c ID | wc -l)
machines=$(ec2 instanceId DescribeInstances Filter.1.Name=instance-state-name Filter.1.Value.1=pending Filter.1.Value.2=running \
	Filter.1.Value.3=shutting-down Filter.1.Value.4=stopping Filter.1.Value.5=stopped | wc -l)
made=$(ec2 instanceId DescribeInstances | wc -l)
volumes=$(ec2 volumeId DescribeVolumes Filter.1.Name=tag-key Filter.1.Value.1=batchctl:owner | sort -u | wc -l)
echo "OpenStack: $servers servers and $ports ports left. EC2: $machines machines and $volumes volumes left of $made machines."
[ "$status" = 0 ] && [ "$servers$ports$machines$volumes" = 0000 ]
