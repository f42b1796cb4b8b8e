#!/bin/sh
# Records a release's figures and draws the chart: history.sh [FIGURES ...]. See README.md.
exec python3 -B "$(dirname -- "$0")/history.py" "$@"
