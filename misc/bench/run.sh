#!/bin/sh
# Builds, starts everything on loopback, measures and prints a table: run.sh [CASE ...]. See README.md.
exec python3 -B "$(dirname -- "$0")/run.py" "$@"
