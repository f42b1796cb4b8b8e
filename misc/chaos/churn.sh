#!/bin/sh
# Opens and closes connections for ten minutes; memory and descriptors must not grow: churn.sh --seconds 600. See README.md.
exec "$(dirname -- "$0")/java.sh" dev.waymark.e2e.chaos.Churn "$@"
