#!/bin/sh
# Tests of the scripts that keep and draw figures. Exit code 69: there is no python3.
command -v python3 >/dev/null || { echo "python3 is missing"; exit 69; }
cd "$(dirname -- "$0")" && exec python3 -B -m unittest discover --start-directory test "$@"
