#!/bin/sh
# Installs the packages if necessary and calls a service through xDS: run.sh xds:///SERVICE. `run.sh --check` does everything but call,
# and exits with 0, or with 69 after printing what is missing.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)

missing() {
  echo "xDS client on node: $*" >&2
  exit 69
}

# The packages may be incomplete, or installed for another version of node.
works() { (cd "$here" && node -e 'require("@grpc/grpc-js-xds").register()') >/dev/null 2>&1; }

command -v node >/dev/null || missing "no node: apt-get install nodejs npm, or https://nodejs.org"
version=$(node -p 'process.versions.node' 2>/dev/null) || missing "node does not run: $(command -v node)"
[ "${version%%.*}" -ge 18 ] || missing "node $version is too old; 18 or later is needed"
if [ -z "$(find "$here/node_modules/.package-lock.json" -newer "$here/package-lock.json" 2>/dev/null)" ] || ! works; then
  command -v npm >/dev/null || missing "no npm: apt-get install npm"
  # Without a network, npm would retry for minutes.
  (cd "$here" && npm ci --silent --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=15000 >&2) ||
    missing "npm ci failed: is its registry reachable, and is $here writable?"
  touch "$here/node_modules/.package-lock.json"
  works || missing "the packages do not work with node $version"
fi
[ "${1:-}" != --check ] || exit 0

exec node "$here/client.js" "$@"
