#!/bin/sh
# Tests of the scripts that keep and draw figures. Exit code 69: there is no python3 that they run with.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { echo "python3 is missing, or older than 3.9"; exit 69; }
cd "$(dirname -- "$0")" && exec python3 -B -m unittest discover --start-directory test "$@"
