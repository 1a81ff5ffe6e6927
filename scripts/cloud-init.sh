#!/bin/sh
# cloud-init.sh: puts Debian's cloud-init into .cache (or $BATCHCTL_CACHE), for
# its `schema` command. Nothing is installed: cloud-init on a machine of people
# would act when that boots.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${BATCHCTL_CACHE:-$root/.cache}
home=$cache/cloud-init

[ -x "$home/cloud-init" ] && exit
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo 'tools: cloud-init comes from Debian packages, and this is no Debian' >&2; exit 0; }
echo 'tools: cloud-init' >&2
mkdir -p "$cache"
tmp=$(mktemp -d "$cache/cloud-init.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" # apt-get downloads as a user of its own
cd "$tmp"
if ! apt-get -qq download cloud-init >/dev/null 2>&1; then
	[ "$(id -u)" = 0 ] && apt-get -qq update
	apt-get -qq download cloud-init >/dev/null
fi
dpkg-deb -x ./*.deb x
# tools.sh makes this environment.
"$cache/venv/bin/pip" install --quiet --disable-pip-version-check --target x/lib \
	pyyaml==6.0.3 jsonschema==4.26.0 jinja2==3.1.6 configobj==5.0.9 oauthlib==3.3.1 requests==2.34.2 jsonpatch==1.33
cat >x/cloud-init <<'END'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here/lib:$here/usr/lib/python3/dist-packages exec python3 -c 'import sys; sys.argv[0] = "cloud-init"; from cloudinit.cmd.main import main; sys.exit(main())' "$@"
END
chmod +x x/cloud-init
./x/cloud-init --version >/dev/null
rm -rf "$home"
mv x "$home"
