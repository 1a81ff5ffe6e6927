#!/usr/bin/env bash
#
# up.sh - run a real OpenStack control plane on loopback, for tests.
#
# Installs (from Debian 12's own packages) and starts Keystone, Glance,
# Placement, Neutron and Nova, with MariaDB and RabbitMQ beneath them. The APIs,
# schedulers, quotas, policies and databases are the real ones. Only two things
# are pretended:
#
#   * the hypervisors: nova-compute runs Nova's own fake virt driver, which
#     "boots" a server in no time and keeps it in memory;
#   * the network agents: Neutron is told that each host has a live Open vSwitch
#     agent, so that it binds ports, but nothing wires them (a port's status
#     stays DOWN; the server still becomes ACTIVE and has its addresses).
#
# Needs Debian 12 and root. Needs neither systemd nor Docker. Touches nothing
# outside $OPENSTACK_STATE apart from the packages it installs: the daemons read
# their configuration from there, never from /etc. Running it again is harmless:
# what is installed, initialised or running already is left alone.
#
# Usage:   up.sh            install + start + seed, then print how to connect
#          up.sh install    only install the packages
#          down.sh          stop everything      (down.sh --purge: and forget it)
#
# Settings (environment variables, with their defaults):
#   OPENSTACK_STATE    /var/tmp/openstack-fixture   configuration, data, logs
#   OPENSTACK_HOSTS    "fake-1:az-1 fake-2:az-2"
#       Hypervisors, as HOST:AZ[:DRIVER]. DRIVER is a class of nova.virt.fake;
#       the default, FakeDriver, has 1000 vCPUs and 800 GB of memory.
#       FakeBuildAbortDriver fails every build; SmallFakeDriver has 2 vCPUs.
#       A request that names no zone may go to any of them, such a one included.
#       Nova's cost per build grows with the servers on the host: for hundreds of
#       servers have more hosts (140 MB of memory each).
#   OPENSTACK_WORKERS  2                            processes of each busy API

set -euo pipefail

STATE=${OPENSTACK_STATE:-/var/tmp/openstack-fixture}
HOSTS=${OPENSTACK_HOSTS:-"fake-1:az-1 fake-2:az-2"}
WORKERS=${OPENSTACK_WORKERS:-2}

PASSWORD=secret
REGION=RegionOne
KEYSTONE=http://127.0.0.1:5000/v3
NOVA=http://127.0.0.1:8774/v2.1
PLACEMENT=http://127.0.0.1:8778
GLANCE=http://127.0.0.1:9292
NEUTRON=http://127.0.0.1:9696
RABBIT_PORT=5672
EPMD_PORT=4369

# Debian's OpenStack runs on Debian's Python: keep pyenv and the like out.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset PYTHONPATH PYTHONHOME "${!OS_@}"

say() { echo "[$(printf %3d $SECONDS) s] $*" >&2; }
die() { echo "up.sh: $*" >&2; exit 1; }

# ---------------------------------------------------------------- packages ---

# nova-compute depends on one of nova-compute-{kvm,qemu,lxc,ironic}; the fake
# driver needs none of them and -ironic is the one that drags in no hypervisor.
PACKAGES=(
    mariadb-server-core mariadb-client-core rabbitmq-server
    keystone glance-api placement-api neutron-server
    nova-api nova-scheduler nova-conductor nova-compute nova-compute-ironic
    python3-openstackclient curl procps
    python3-sqlalchemy-ext # only recommended, but SQLAlchemy is slow without
)

install_packages() {
    dpkg-query -W -f '${db:Status-Abbrev}\n' "${PACKAGES[@]}" 2>/dev/null |
        awk '$1 != "ii" { bad = 1 } END { exit bad || NR < '${#PACKAGES[@]}' }' &&
        return
    say "installing packages"
    # Every debconf question of these packages ("set up a database?", "register
    # an endpoint?") defaults to no, so noninteractive is all they need.
    # policy-rc.d keeps the packages from starting daemons.
    local policy=/usr/sbin/policy-rc.d made_policy='' failed=''
    if [[ ! -e $policy ]]; then
        made_policy=yes
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
    fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "${PACKAGES[@]}"
    } >"$STATE/log/apt.log" 2>&1 || failed=yes
    [[ -z $made_policy ]] || rm $policy
    [[ -z $failed ]] || { tail -20 "$STATE/log/apt.log" >&2; die "apt-get failed"; }
}

# ----------------------------------------------------------------- daemons ---

# Each daemon is the leader of a session of its own (which down.sh stops as a
# whole), with its pid in run/NAME.pid and its output in log/NAME.log. One is ours,
# and alive, if the recorded pid has its working directory under $STATE.
running() { # NAME
    local pid
    pid=$(cat "$STATE/run/$1.pid" 2>/dev/null) &&
        [[ $(readlink "/proc/$pid/cwd") == "$STATE"* ]]
}

start() { # NAME COMMAND...
    local name=$1
    shift
    running "$name" && return
    setsid "$@" >>"$STATE/log/$name.log" 2>&1 </dev/null &
    echo $! >"$STATE/run/$name.pid"
}

start_wsgi() { # NAME URL WSGI-FILE
    local address=${2#http://}
    # uWSGI closes each connection after one reply but does not say so unless
    # told to; without the header, clients that pool connections (Go's do)
    # would now and then send a POST down a dead one. The backlog is for tests
    # with more callers at once than the 100 it holds by default. (A request body
    # must have a Content-Length: uWSGI hands the services no chunked ones.)
    start "$1" uwsgi --plugins python3 --http-socket "${address%%/*}" \
        --wsgi-file "$3" --master --processes "$WORKERS" --threads 1 \
        --enable-threads --lazy-apps --need-app --die-on-term --no-orphans \
        --buffer-size 65535 --listen 1024 --disable-logging \
        --add-header 'Connection: close'
}

wait_for() { # NAME COMMAND...
    local name=$1 deadline=$((SECONDS + 300))
    shift
    until "$@" >/dev/null 2>&1; do
        running "$name" || { tail -20 "$STATE/log/$name.log" >&2; die "$name died"; }
        ((SECONDS < deadline)) || die "$name is not ready after 300 s"
        sleep 0.2
    done
}

answers() { curl --silent --output /dev/null --max-time 5 "$1"; } # any status will do

# ----------------------------------------------------------- configuration ---

database() { # the settings of a service's database
    # The pool's default, 5 + 50 connections, is too small for hundreds of requests
    # at once: those kept waiting for 30 s fail.
    cat <<END
connection = mysql+pymysql://root@localhost/$1?charset=utf8&unix_socket=$STATE/run/mariadb.sock
max_overflow = 200
END
}

credentials() { # how a service logs in to Keystone
    cat <<END
auth_url = $KEYSTONE
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = $1
password = $PASSWORD
region_name = $REGION
END
}

token_validation() { # USER SERVICE-TYPE: the section of each API that has callers' tokens checked
    cat <<END
[keystone_authtoken]
www_authenticate_uri = $KEYSTONE
service_token_roles_required = true
# Without it no application credential that has access rules is let in.
service_type = $2
$(credentials "$1")
END
}

# shellcheck disable=SC2086 # HOSTS is a list
each_host() { printf '%s\n' $HOSTS; }

write_configuration() {
    local etc=$STATE/etc rabbit=rabbit://openstack:$PASSWORD@127.0.0.1:$RABBIT_PORT/
    mkdir -p "$etc"/{keystone,glance,placement,neutron,nova}

    cat >"$etc/rabbitmq.conf" <<END
listeners.tcp.default = 127.0.0.1:$RABBIT_PORT
default_user = openstack
default_pass = $PASSWORD
log.console = true
log.console.level = warning
log.file = false
END

    cat >"$etc/keystone/keystone.conf" <<END
[database]
$(database keystone)
[token]
provider = fernet
[fernet_tokens]
key_repository = $STATE/keystone/fernet-keys
[credential]
key_repository = $STATE/keystone/credential-keys
[identity]
# The cheapest bcrypt: here passwords protect nothing.
password_hash_rounds = 4
# All that bcrypt takes; Keystone warns at each login if it may be more.
max_password_length = 72
END

    cat >"$etc/glance/glance-api.conf" <<END
[DEFAULT]
bind_host = 127.0.0.1
bind_port = ${GLANCE##*:}
# 0: serve from this one process.
workers = 0
[database]
$(database glance)
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = $STATE/glance/images
[paste_deploy]
flavor = keystone
config_file = /usr/share/glance-common/glance-api-paste.ini
$(token_validation glance image)
END

    cat >"$etc/placement/placement.conf" <<END
[placement_database]
$(database placement)
$(token_validation placement placement)
END

    cat >"$etc/neutron/neutron.conf" <<END
[DEFAULT]
bind_host = 127.0.0.1
bind_port = ${NEUTRON##*:}
api_workers = $WORKERS
rpc_workers = 1
rpc_state_report_workers = 0
api_paste_config = /usr/share/neutron-common/api-paste.ini
state_path = $STATE/neutron
transport_url = $rabbit
core_plugin = ml2
service_plugins = router
# No agent plugs anything, so there is nothing to tell Nova of.
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
[database]
$(database neutron)
[oslo_concurrency]
lock_path = $STATE/neutron/lock
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
# openvswitch binds a port to any host whose agent, according to the database,
# is alive (see pretend_network_agents): it need not be there.
mechanism_drivers = openvswitch
extension_drivers = port_security
[ml2_type_vxlan]
vni_ranges = 1:1000
[quotas]
quota_port = -1
quota_floatingip = -1
[nova]
$(credentials nova)
$(token_validation neutron network)
END

    cat >"$etc/nova/nova.conf" <<END
[DEFAULT]
my_ip = 127.0.0.1
state_path = $STATE/nova
transport_url = $rabbit
# Periodic tasks, the next one above all, begin at once, not within a minute.
periodic_fuzzy_delay = 0
[scheduler]
# Looks for new hypervisors every so many seconds.
discover_hosts_in_cells_interval = 2
workers = 1
[filter_scheduler]
# Any host that fits will do. To insist on the best one would, when many servers
# are made at once, pile them on the host that is the slowest to report its own.
host_subset_size = 1000
[conductor]
workers = $WORKERS
[vnc]
enabled = false
[oslo_concurrency]
lock_path = $STATE/nova/lock
[glance]
$(credentials nova)
[placement]
$(credentials nova)
[neutron]
$(credentials nova)
[service_user]
send_service_user_token = true
$(credentials nova)
$(token_validation nova compute)
END
    # Apart, because nova-compute must not have it: it asks nova-conductor instead.
    cat >"$etc/nova/nova-db.conf" <<END
[api_database]
$(database nova_api)
[database]
$(database nova)
END
    cp /usr/share/nova-common/api-paste.ini "$etc/nova/"

    local host driver
    while IFS=: read -r host _ driver; do
        cat >"$etc/nova/compute-$host.conf" <<END
[DEFAULT]
host = $host
compute_driver = fake.${driver:-FakeDriver}
END
    done < <(each_host)

    # shellcheck disable=SC2034 # who is used in the inner text
    cat >"$STATE/clouds.yaml" <<END
clouds:
$(for who in admin demo small; do cat <<CLOUD
  $who:
    region_name: $REGION
    auth:
      auth_url: $KEYSTONE
      username: $who
      password: $PASSWORD
      project_name: $who
      user_domain_name: Default
      project_domain_name: Default
CLOUD
done)
END

    cat >"$STATE/openrc" <<END
export OS_AUTH_URL=$KEYSTONE
export OS_IDENTITY_API_VERSION=3
export OS_REGION_NAME=$REGION
export OS_USERNAME=demo
export OS_PASSWORD=$PASSWORD
export OS_PROJECT_NAME=demo
export OS_USER_DOMAIN_NAME=Default
export OS_PROJECT_DOMAIN_NAME=Default
END
}

# ------------------------------------------------- database and message bus ---

sql() { mariadb --socket "$STATE/run/mariadb.sock" --user root "$@"; }

start_mariadb() {
    if [[ ! -d $STATE/mariadb/mysql ]]; then
        mariadb-install-db --no-defaults --user=root --datadir="$STATE/mariadb" \
            --auth-root-authentication-method=normal --skip-test-db \
            >"$STATE/log/mariadb-install.log" 2>&1
    fi
    # Durability is given up for speed. Reached by its socket only.
    start mariadb mariadbd --no-defaults --user=root --datadir="$STATE/mariadb" \
        --socket="$STATE/run/mariadb.sock" --pid-file="$STATE/mariadb/mariadbd.pid" \
        --skip-networking --skip-name-resolve --max-connections=4000 \
        --innodb-buffer-pool-size=256M --innodb-flush-log-at-trx-commit=0 \
        --skip-innodb-doublewrite --innodb-flush-method=nosync
}

start_rabbitmq() ( # in a subshell, to keep these variables from the others
    export HOME="$STATE/rabbitmq" # where Erlang keeps its cookie
    export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$EPMD_PORT
    export RABBITMQ_NODENAME=openstack@localhost
    export RABBITMQ_CONFIG_FILE="$STATE/etc/rabbitmq.conf"
    export RABBITMQ_MNESIA_BASE="$STATE/rabbitmq" RABBITMQ_LOG_BASE="$STATE/log"
    export RABBITMQ_ENABLED_PLUGINS_FILE="$STATE/rabbitmq/enabled_plugins"
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
    # Left to itself Erlang starts this name server in the background for good.
    start epmd epmd -address 127.0.0.1 -port $EPMD_PORT
    start rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server
)

rabbitmq_ready() { (exec 3<>"/dev/tcp/127.0.0.1/$RABBIT_PORT"); }

# --------------------------------------------------------------- first time ---

initialise_keystone() {
    keystone-manage --config-dir "$STATE/etc/keystone" db_sync
    keystone-manage --config-dir "$STATE/etc/keystone" fernet_setup --keystone-user root --keystone-group root
    keystone-manage --config-dir "$STATE/etc/keystone" credential_setup --keystone-user root --keystone-group root
    keystone-manage --config-dir "$STATE/etc/keystone" bootstrap --bootstrap-password "$PASSWORD" \
        --bootstrap-region-id "$REGION" \
        --bootstrap-public-url "$KEYSTONE" --bootstrap-internal-url "$KEYSTONE"
}

initialise_nova() {
    local manage=(nova-manage "${NOVA_CONF[@]}")
    "${manage[@]}" api_db sync
    "${manage[@]}" cell_v2 map_cell0
    "${manage[@]}" cell_v2 create_cell --name cell1
    "${manage[@]}" db sync
}

initialise_others() {
    glance-manage --config-file "$STATE/etc/glance/glance-api.conf" db_sync
    OS_PLACEMENT_CONFIG_DIR="$STATE/etc/placement" \
        placement-manage --config-dir "$STATE/etc/placement" db sync
    neutron-db-manage --config-file "$STATE/etc/neutron/neutron.conf" upgrade heads
}

initialise() {
    [[ -e $STATE/initialised ]] && return
    say "creating the databases"
    local database job
    for database in keystone glance placement neutron nova_api nova nova_cell0; do
        sql -e "CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8"
    done
    local -A jobs
    for job in keystone nova others; do
        (set -e; "initialise_$job") >"$STATE/log/initialise-$job.log" 2>&1 &
        jobs[$job]=$!
    done
    for job in "${!jobs[@]}"; do
        wait "${jobs[$job]}" || {
            tail -20 "$STATE/log/initialise-$job.log" >&2
            die "initialising $job failed"
        }
    done
    touch "$STATE/initialised"
}

# Nova asks Neutron to bind each port to the server's host, and gives a server up
# if that fails. Neutron's openvswitch driver binds it if that host's agent sent a
# heartbeat lately; these send their next one in 2099.
pretend_network_agents() {
    local host
    while IFS=: read -r host _; do
        sql neutron <<END
INSERT IGNORE INTO agents
   SET id = UUID(), host = '$host', agent_type = 'Open vSwitch agent',
       \`binary\` = 'neutron-openvswitch-agent', topic = 'N/A', admin_state_up = 1,
       created_at = NOW(), started_at = NOW(), heartbeat_timestamp = '2099-01-01',
       configurations = '{"integration_bridge": "br-int", "tunnel_types": ["vxlan"], "tunneling_ip": "127.0.0.1", "bridge_mappings": {"physnet1": "br-ex"}}';
END
    done < <(each_host)
}

# ----------------------------------------------------------------- seeding ---

# Keystone first (the other services log in to it), the rest once they are up. The
# latter every time: it also waits for the hypervisors, and tells of new ones.
seed() { # identity | cloud
    OS_CLIENT_CONFIG_FILE="$STATE/clouds.yaml" REGION=$REGION PASSWORD=$PASSWORD \
        HOSTS=$HOSTS NOVA=$NOVA GLANCE=$GLANCE PLACEMENT=$PLACEMENT NEUTRON=$NEUTRON \
        /usr/bin/python3 - "$1" <<'END'
import os, sys, time
import openstack

cloud = openstack.connect(cloud="admin")
env = os.environ


def ensure(proxy, kind, name, **attributes):
    """Returns the KIND called NAME, made now if there is none."""
    for thing in getattr(proxy, f"{kind}s")():
        if thing.name == name:
            return thing
    return getattr(proxy, f"create_{kind}")(name=name, **attributes)


def identity():
    keystone = cloud.identity
    domain = "default"
    role = {name: ensure(keystone, "role", name) for name in ("admin", "member", "service")}

    def account(user, project, *roles):
        project = ensure(keystone, "project", project, domain_id=domain)
        user = ensure(keystone, "user", user, domain_id=domain, password=env["PASSWORD"],
                      default_project_id=project.id)
        for name in roles:
            keystone.assign_project_role_to_user(project, user, role[name])

    for user in ("glance", "placement", "neutron", "nova"):
        account(user, "service", "admin", "service")
    account("demo", "demo", "member")
    account("small", "small", "member")

    for name, kind in (("nova", "compute"), ("glance", "image"),
                       ("placement", "placement"), ("neutron", "network")):
        service = ensure(keystone, "service", name, type=kind)
        if not list(keystone.endpoints(service_id=service.id)):
            for interface in ("public", "internal"):
                keystone.create_endpoint(service_id=service.id, interface=interface,
                                         region_id=env["REGION"], url=env[name.upper()])


def seed_cloud():
    for name, vcpus, ram, disk in (("m1.tiny", 1, 512, 1), ("m1.small", 1, 2048, 20),
                                   ("m1.large", 4, 8192, 80),
                                   # More than any hypervisor has: "No valid host".
                                   ("m1.impossible", 4000, 512, 1)):
        ensure(cloud.compute, "flavor", name, vcpus=vcpus, ram=ram, disk=disk)

    if not list(cloud.image.images(name="cirros")):
        # The fake driver never reads the image; a few bytes will do.
        cloud.image.create_image("cirros", data=b"not really a disk", disk_format="raw",
                                 container_format="bare", visibility="public")

    network = ensure(cloud.network, "network", "private", is_shared=True)
    subnet = ensure(cloud.network, "subnet", "private-subnet", network_id=network.id,
                    ip_version=4, cidr="10.0.0.0/16", enable_dhcp=False)

    # Floating IPs: an address outside, and a router from there to the private network.
    outside = ensure(cloud.network, "network", "public", is_router_external=True)
    ensure(cloud.network, "subnet", "public-subnet", network_id=outside.id,
           ip_version=4, cidr="198.18.0.0/16", enable_dhcp=False)
    router = ensure(cloud.network, "router", "router",
                    external_gateway_info={"network_id": outside.id})
    if not list(cloud.network.ports(device_id=router.id, network_id=network.id)):
        cloud.network.add_interface_to_router(router, subnet_id=subnet.id)

    cloud.set_compute_quotas("demo", instances=100000, cores=100000, ram=10**9)
    cloud.set_compute_quotas("small", instances=2, cores=4, ram=4096)

    hosts = dict(entry.split(":")[:2] for entry in env["HOSTS"].split())
    for _ in range(300):
        if set(hosts) <= {h.name for h in cloud.compute.hypervisors() if h.state == "up"}:
            break
        time.sleep(0.2)
    else:
        sys.exit("not all hypervisors came up")
    for host, zone in hosts.items():
        aggregate = ensure(cloud.compute, "aggregate", zone, availability_zone=zone)
        if host not in (aggregate.hosts or ()):
            cloud.compute.add_host_to_aggregate(aggregate, host)


identity() if sys.argv[1] == "identity" else seed_cloud()
END
}

# -------------------------------------------------------------------- main ---

[[ $EUID == 0 ]] || die "must be root"
mkdir -p "$STATE"/{etc,log,run,mariadb,rabbitmq,keystone,glance/images,neutron/lock,nova/{lock,instances}}
STATE=$(realpath "$STATE")
NOVA_CONF=(--config-file "$STATE/etc/nova/nova.conf" --config-file "$STATE/etc/nova/nova-db.conf")

install_packages
[[ ${1:-} == install ]] && exit

cd "$STATE/run" # which the daemons inherit; see running
write_configuration
say "starting MariaDB and RabbitMQ"
start_rabbitmq
start_mariadb
wait_for mariadb sql -e 'SELECT 1'
initialise
pretend_network_agents

say "starting the services"
export OS_KEYSTONE_CONFIG_DIR=$STATE/etc/keystone
export OS_PLACEMENT_CONFIG_DIR=$STATE/etc/placement
export OS_NOVA_CONFIG_DIR=$STATE/etc/nova OS_NOVA_CONFIG_FILES='api-paste.ini;nova.conf;nova-db.conf'
start_wsgi keystone $KEYSTONE /usr/bin/keystone-wsgi-public
wait_for keystone answers $KEYSTONE
if [[ ! -e $STATE/seeded ]]; then
    seed identity
    touch "$STATE/seeded"
fi

wait_for rabbitmq rabbitmq_ready
start_wsgi placement $PLACEMENT /usr/bin/placement-api
start_wsgi nova-api $NOVA /usr/bin/nova-api-wsgi
start glance-api glance-api --config-file "$STATE/etc/glance/glance-api.conf"
start neutron-server neutron-server --config-file "$STATE/etc/neutron/neutron.conf"
start nova-conductor nova-conductor "${NOVA_CONF[@]}"
start nova-scheduler nova-scheduler "${NOVA_CONF[@]}"
wait_for placement answers $PLACEMENT
for entry in $HOSTS; do
    host=${entry%%:*}
    start "nova-compute-$host" nova-compute --config-file "$STATE/etc/nova/nova.conf" \
        --config-file "$STATE/etc/nova/compute-$host.conf"
done
wait_for nova-api answers $NOVA
wait_for glance-api answers $GLANCE
wait_for neutron-server answers $NEUTRON

seed cloud
say "ready"

cat <<END
# clouds.yaml (admin, demo, and small, which has a quota of 2 servers):
export OS_CLIENT_CONFIG_FILE=$STATE/clouds.yaml
# or, for the user demo, $STATE/openrc:
$(cat "$STATE/openrc")
END
