#!/bin/sh
# Shows where the bridge's time and memory go: profile.sh [OPTIONS OF waymark bench], such as `profile.sh --connections 100 --size 16KiB`.
# Starts a bridge and a stub on loopback, loads them, and prints system calls and context switches of both per request (perf stat; as
# root), the bridge's CPU by part and by function (perf), and its allocations by class and by site (JFR; a thread's first sample has the
# weight of everything before it, so ignore the topmost). Requirements: Linux, perf (apt-get install linux-perf), a JDK 25.
# PORT: the first of four ports, default 20700. UPSTREAMS: how many the stub serves, on as many further ports; default 1.
# TLS=1: clients speak TLS; the certificate is made by openssl.
# WARM_UP_SECONDS: default 10; 0 shows a JVM that has just started.
set -eu
# For perf and awk: a decimal point, and no thousands separators.
export LC_ALL=C
cd "$(dirname -- "$0")/../.."
port=${PORT:-20700}
upstreams=${UPSTREAMS:-1}
warm_up_seconds=${WARM_UP_SECONDS:-10}
seconds=5
folder=$(mktemp -d "${TMPDIR:-/tmp}/waymark-profile-XXXXXX")
command -v perf >/dev/null || {
  echo "profile.sh: no perf on the path; apt-get install linux-perf" >&2
  exit 2
}
perf stat -- true >"$folder/perf" 2>&1 || {
  echo "profile.sh: perf is not allowed to count here (it needs root, or kernel.perf_event_paranoid=1): $(head -n 1 "$folder/perf")" >&2
  exit 2
}
[ $# -gt 0 ] || set -- --connections 1000 --size 64

stop() { kill "${stub:-}" "${bridge:-}" 2>/dev/null || :; }
trap stop EXIT

load() {
  load_seconds=$1
  shift
  # shellcheck disable=SC2086 # no flag, or one
  ./waymark bench $client_tls "127.0.0.1:$port" --quiet --warmup 1 --seconds "$load_seconds" "$@" >"$folder/load" 2>&1 || {
    cat "$folder/load" >&2
    exit 1
  }
}

client_tls=
bridge_tls=
if [ -n "${TLS:-}" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
    -out "$folder/tls.crt" -keyout "$folder/tls.key" 2>"$folder/openssl" || {
    cat "$folder/openssl" >&2
    exit 2
  }
  chmod 600 "$folder/tls.key"
  client_tls=--tls
  bridge_tls="--tls-certificate $folder/tls.crt --tls-key $folder/tls.key"
fi

addresses=127.0.0.1:$((port + 1))
i=1
while [ "$i" -lt "$upstreams" ]; do
  addresses=$addresses,127.0.0.1:$((port + 3 + i))
  i=$((i + 1))
done
./waymark stub --listen "$addresses" --admin "127.0.0.1:$((port + 3))" >"$folder/stub" 2>&1 &
stub=$!
# At exit the JVM writes the map from addresses to Java methods that perf reads.
# shellcheck disable=SC2086 # no flag, or two with their values; mktemp's folder has no blanks unless TMPDIR has
WAYMARK_JAVA_OPTS="${WAYMARK_JAVA_OPTS:-} -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit" \
  ./waymark bridge --listen "127.0.0.1:$port" --upstream "static:///$addresses" --admin "127.0.0.1:$((port + 2))" \
  --log-access false $bridge_tls >"$folder/bridge" 2>&1 &
bridge=$!
tries=0
until ./waymark health "http://127.0.0.1:$((port + 2))/readyz" >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 50 ] || {
    echo "profile.sh: the bridge did not start:" >&2
    cat "$folder/stub" "$folder/bridge" >&2
    exit 1
  }
done
java_bin=$(dirname -- "$(readlink -f "/proc/$bridge/exe")")

# Runs the load under `perf stat` and prints the counts per request. They include JVM threads that serve no requests: a few a second.
events=context-switches,raw_syscalls:sys_enter
count_per_request() {
  perf stat -x ' ' -e "$events" -p "$bridge" -o "$folder/stat.bridge" -- \
    perf stat -x ' ' -e "$events" -p "$stub" -o "$folder/stat.stub" -- \
    ./waymark bench $client_tls "127.0.0.1:$port" --quiet --warmup 0 --seconds "$seconds" --json "$folder/counted.json" "$@" >"$folder/load" 2>&1 || {
    cat "$folder/load" >&2
    exit 1
  }
  requests=$(sed -n 's/.*"requests": *\([0-9]*\).*/\1/p' "$folder/counted.json")
  for part in bridge stub; do
    awk -v part="$part" -v requests="$requests" '
      $1 ~ /^[0-9]+$/ { printf "%-8s %-28s %.2f\n", part, $0 ~ /sys_enter/ ? "system calls" : "context switches", $1 / requests }' \
      "$folder/stat.$part"
  done
}

if [ "$warm_up_seconds" -gt 0 ]; then
  load "$warm_up_seconds" "$@"
  echo "## Per request"
  count_per_request "$@"
fi
load $((seconds + 3)) "$@" &
sleep 2
perf record -q -F 2000 -p "$bridge" -o "$folder/perf.data" -- sleep "$seconds" 2>/dev/null
wait $!
"$java_bin/jcmd" "$bridge" JFR.start name=profile settings=profile >/dev/null
load "$seconds" "$@"
"$java_bin/jcmd" "$bridge" JFR.stop name=profile filename="$folder/profile.jfr" >/dev/null
kill "$bridge"
wait "$bridge" || :

echo "## CPU by part"
perf report -i "$folder/perf.data" --stdio --no-children -s comm,dso 2>/dev/null | grep -v '^#' | sed 's/ *$//' | grep . | head -n 8
echo "## CPU by function"
perf report -i "$folder/perf.data" --stdio --no-children -s symbol 2>/dev/null | grep -v '^#' | sed 's/ *- *- *$//; s/ *$//' | grep . | head -n 40
for view in allocation-by-class allocation-by-site; do
  "$java_bin/jfr" view --width 140 "$view" "$folder/profile.jfr" | head -n 20
done
echo "all data: $folder"
