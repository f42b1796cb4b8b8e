#!/bin/sh
# Builds the upstream with Debian's packages: build.sh PROGRAM.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Old generators know no `optional` in proto3, and newer ones make pointers of it. On the wire it makes no difference but for zeros.
mkdir -p "$work/src/upstream" "$work/proto/waymark/v1"
sed 's/^\( *\)optional /\1/' "$here/../../../proto/waymark/v1/attach.proto" >"$work/proto/waymark/v1/attach.proto"
protoc --proto_path="$work/proto" --go_out="$work/src" --go-grpc_out="$work/src" waymark/v1/attach.proto
cp "$here/main.go" "$work/src/upstream/"
cd "$work/src/upstream"
GO111MODULE=off GOFLAGS='' GOPATH="$work:/usr/share/gocode" go build -o "$1" .
