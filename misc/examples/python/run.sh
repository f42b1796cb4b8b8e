#!/bin/sh
# Generates what Python needs from the .proto and starts the upstream: run.sh [HOST:PORT]. `run.sh --check` only says whether
# what is needed is here (code 0), or what is not (code 69).
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
proto=$here/../../../proto

missing() {
  echo "python example: $*" >&2
  exit 69
}

# Debian's packages belong to its own Python, which need not be the first on the path.
for python in "${PYTHON:-}" python3 /usr/bin/python3 none; do
  [ -n "$python" ] && "$python" -c 'import grpc.aio, google.protobuf' 2>/dev/null && break
done
[ "$python" != none ] || missing "no python3 with grpc: apt-get install python3-grpcio, or pip install grpcio grpcio-tools"

if "$python" -c 'import grpc_tools.protoc' 2>/dev/null; then
  generate() { "$python" -m grpc_tools.protoc "$@"; }
else
  command -v protoc >/dev/null || missing "no protoc: apt-get install protobuf-compiler, or pip install grpcio-tools"
  plugin=$(command -v grpc_python_plugin) ||
    missing "no grpc_python_plugin: apt-get install protobuf-compiler-grpc, or pip install grpcio-tools"
  generate() { protoc --plugin=protoc-gen-grpc_python="$plugin" "$@"; }
fi
[ "${1:-}" != --check ] || exit 0

mkdir -p "$here/generated"
generate -I "$proto" --python_out="$here/generated" --grpc_python_out="$here/generated" "$proto/waymark/v1/attach.proto"
PYTHONPATH=$here/generated exec "$python" "$here/upstream.py" "$@"
