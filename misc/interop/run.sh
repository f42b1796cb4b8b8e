#!/bin/sh
# Runs checked traffic through a bridge to upstreams in several languages and behind proxies, while they fail: run.sh [ROW ...]. See
# README.md.
exec python3 -B "$(dirname -- "$0")/run.py" "$@"
