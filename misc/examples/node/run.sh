#!/bin/sh
# Installs the two packages when they are not here yet and starts the upstream: run.sh [HOST:PORT]. `run.sh --check` only says
# whether what is needed is here or can be had (code 0), or what is not (code 69); it installs the packages.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)

missing() {
  echo "node example: $*" >&2
  exit 69
}

command -v node >/dev/null || missing "no node: apt-get install nodejs npm, or https://nodejs.org"
if [ -z "$(find "$here/node_modules/.package-lock.json" -newer "$here/package-lock.json" 2>/dev/null)" ]; then
  command -v npm >/dev/null || missing "no npm: apt-get install npm"
  (cd "$here" && npm ci --silent --no-audit --no-fund >&2) || missing "npm ci failed: is its registry within reach?"
  touch "$here/node_modules/.package-lock.json"
fi
[ "${1:-}" != --check ] || exit 0

exec node "$here/upstream.js" "$@"
