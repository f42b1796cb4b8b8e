#!/bin/sh
# Runs checked clients through a bridge while faults hit its upstreams: run.sh --seconds 600 --seed 7 --clients 300. See README.md.
exec "$(dirname -- "$0")/java.sh" dev.waymark.e2e.chaos.Chaos "$@"
