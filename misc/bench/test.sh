#!/bin/sh
# Tests the scripts that record and draw figures. Exit code 69: no suitable python3.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { echo "python3 is missing, or older than 3.9"; exit 69; }
cd "$(dirname -- "$0")" && exec python3 -B -m unittest discover --start-directory test "$@"
