#!/bin/sh
# Measures how long clients wait when their upstream is killed: pause.sh --connections 1000. See README.md.
exec "$(dirname -- "$0")/java.sh" dev.waymark.e2e.chaos.Pause "$@"
