#!/bin/sh
# Builds the upstream: build.sh PROGRAM. CXX: the compiler.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
proto=$here/../../../proto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
protoc --proto_path="$proto" --cpp_out="$work" --grpc_out="$work" --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
  waymark/v1/attach.proto
# shellcheck disable=SC2046 # several options
${CXX:-g++} -std=c++17 -O1 -I "$work" -o "$1" "$here/upstream.cc" "$work"/waymark/v1/*.cc $(pkg-config --libs --cflags grpc++ protobuf)
