#!/bin/sh
# Generates the Python code from the .proto and starts the upstream: run.sh [HOST:PORT]. `run.sh --check` does everything but start it,
# and exits with 0, or with 69 after printing what is missing. PYTHON: the Python to try first. GENERATED: the folder for generated code.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
proto=$here/../../../proto
generated=${GENERATED:-$here/generated}

missing() {
  echo "python example: $*" >&2
  exit 69
}

# Runs $python with the generated code in folder $1 and the other arguments.
in_python() {
  in_folder=$1
  shift
  PYTHONPATH=$in_folder${PYTHONPATH:+:$PYTHONPATH} "$python" "$@"
}

# True if $python can load the code in folder $1: the generator may be newer than the installed runtime.
is_usable() { [ -d "$1" ] && in_python "$1" -c 'from waymark.v1 import attach_pb2, attach_pb2_grpc' 2>>"$log"; }

# The two generators. Both take an option that protoc 3.12 to 3.14 need for `optional`.
run_tools() { "$python" -m grpc_tools.protoc "$@"; }
run_protoc() { protoc --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" "$@"; }

# Generates code with $1. If it is usable, installs it by a rename, because another run may be starting from the old code.
generate() {
  new=$generated.$$
  rm -rf "$new"
  mkdir -p "$new" 2>>"$log" || missing "cannot write to ${generated%/*}; set GENERATED to a writable folder"
  "$@" -I "$proto" --python_out="$new" --grpc_python_out="$new" "$proto/waymark/v1/attach.proto" >>"$log" 2>&1 &&
    is_usable "$new" && rm -rf "$generated" && mv "$new" "$generated" && touch "$generated"
}

log=$(mktemp)
new=
trap 'rm -rf "$log" ${new:+"$new"}' EXIT

# Debian's packages are for /usr/bin/python3, which need not be the first on the path. Each generator is tried, because it may be too
# old for this .proto, like Debian's python3-grpc-tools.
prepare() {
  seen=
  for python in "${PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] && "$python" -c 'import grpc.aio, google.protobuf' 2>>"$log" || continue
    seen=yes
    [ -n "$(find "$generated" -maxdepth 0 -newer "$proto/waymark/v1/attach.proto" 2>/dev/null)" ] && is_usable "$generated" && return
    for option in '' --experimental_allow_proto3_optional; do
      # shellcheck disable=SC2086 # one word, or none
      generate run_tools $option || generate run_protoc $option || continue
      return
    done
  done
  tail -n 3 "$log" >&2
  [ -n "$seen" ] || missing "no python3 with grpc: apt-get install python3-grpcio, or pip install grpcio grpcio-tools"
  missing "nothing here generates code from the .proto that this Python can use (the last attempt is above):" \
    "apt-get install protobuf-compiler protobuf-compiler-grpc, or pip install grpcio-tools"
}

prepare
[ "${1:-}" != --check ] || exit 0

rm -rf "$log"
PYTHONPATH=$generated${PYTHONPATH:+:$PYTHONPATH} exec "$python" "$here/upstream.py" "$@"
