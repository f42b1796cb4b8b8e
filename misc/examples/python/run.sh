#!/bin/sh
# Generates what Python needs from the .proto and starts the upstream: run.sh [HOST:PORT]. `run.sh --check` does all but start it:
# code 0, or 69 and what is missing. PYTHON: the Python to try first. GENERATED: where the generated code goes.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
proto=$here/../../../proto
generated=${GENERATED:-$here/generated}

missing() {
  echo "python example: $*" >&2
  exit 69
}

# With this Python and the code in folder $1.
in_python() {
  in_folder=$1
  shift
  PYTHONPATH=$in_folder${PYTHONPATH:+:$PYTHONPATH} "$python" "$@"
}

# Whether this Python takes the code in folder $1: it may be of a generator that is newer than its runtime.
is_usable() { [ -d "$1" ] && in_python "$1" -c 'from waymark.v1 import attach_pb2, attach_pb2_grpc' 2>>"$log"; }

# The ways to generate it, each with an option that protoc 3.12 to 3.14 need for `optional`.
run_tools() { "$python" -m grpc_tools.protoc "$@"; }
run_protoc() { protoc --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" "$@"; }

# Generates with $1 and, if the result can be used, puts it where it belongs: a rename, as another run may be starting from it.
generate() {
  new=$generated.$$
  rm -rf "$new"
  mkdir -p "$new" 2>>"$log" || missing "cannot write to ${generated%/*}; set GENERATED to a folder that can be written"
  "$@" -I "$proto" --python_out="$new" --grpc_python_out="$new" "$proto/waymark/v1/attach.proto" >>"$log" 2>&1 &&
    is_usable "$new" && rm -rf "$generated" && mv "$new" "$generated" && touch "$generated"
}

log=$(mktemp)
new=
trap 'rm -rf "$log" ${new:+"$new"}' EXIT

# Debian's packages belong to its own Python, which need not be the first on the path. What is there counts only if it works: Debian's
# python3-grpc-tools, for one, is too old for this .proto, and protoc may stand beside it.
prepare() {
  seen=
  for python in "${PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] && "$python" -c 'import grpc.aio, google.protobuf' 2>>"$log" || continue
    seen=yes
    [ -n "$(find "$generated" -maxdepth 0 -newer "$proto/waymark/v1/attach.proto" 2>/dev/null)" ] && is_usable "$generated" && return
    for option in '' --experimental_allow_proto3_optional; do
      # shellcheck disable=SC2086 # none, or one
      generate run_tools $option || generate run_protoc $option || continue
      return
    done
  done
  tail -n 3 "$log" >&2
  [ -n "$seen" ] || missing "no python3 with grpc: apt-get install python3-grpcio, or pip install grpcio grpcio-tools"
  missing "nothing here generates code from the .proto that this Python takes (the last try is above):" \
    "apt-get install protobuf-compiler protobuf-compiler-grpc, or pip install grpcio-tools"
}

prepare
[ "${1:-}" != --check ] || exit 0

rm -rf "$log"
PYTHONPATH=$generated${PYTHONPATH:+:$PYTHONPATH} exec "$python" "$here/upstream.py" "$@"
