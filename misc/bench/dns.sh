#!/bin/sh
# Compares the DNS of `waymark directory` with dnsmasq: dns.sh [CASE ...]. See README.md.
exec python3 -B "$(dirname -- "$0")/dns.py" "$@"
