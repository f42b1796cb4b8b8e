#!/bin/sh
# Prepares the files that docker/Dockerfile copies, from target/waymark-VERSION.tar.gz: prepare.sh [FOLDER]; default: target/image.
#   app   the release, unpacked
#   root  a root file system for `scratch`: a jlinked Java, the C library it needs, /etc/passwd, /tmp
# Needs a JDK 25 or later (jlink) and glibc's ldd; on musl, build the other image.
set -eu
root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/../.." && pwd)
out=${1:-$root/target/image}

# The modules that Waymark and its libraries use. jdeps finds most; management, naming and unsupported are used by reflection or by name.
modules=java.base,java.logging,java.management,java.naming,java.net.http,java.xml,jdk.httpserver,jdk.jfr,jdk.management,jdk.net,jdk.unsupported

die() {
  echo "prepare: $*" >&2
  exit 1
}

# shellcheck source=misc/java_home.sh
. "$root/misc/java_home.sh"
find_jdk jlink || die "found no JDK 25 or later with jlink; set JAVA_HOME to one."

# shellcheck disable=SC2012 # Maven makes the names
archive=$(ls -t "$root"/target/waymark-*.tar.gz 2>/dev/null | head -n 1)
[ -n "$archive" ] || die "no target/waymark-VERSION.tar.gz: run mvn package first."

rm -rf "$out"
mkdir -p "$out/app" "$out/root/opt/java" "$out/root/etc" "$out/root/tmp"
tar -xzf "$archive" -C "$out/app" --strip-components=1 --no-same-owner
"$java_home/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --compress zip-6 \
  --output "$out/root/opt/java/openjdk"

# Copies each shared library that the runtime needs to the path where the loader looks for it.
find "$out/root/opt/java/openjdk" -type f \( -name '*.so' -o -path '*/bin/java' \) -exec ldd {} \; |
  sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | grep -v "^$out/" | sort -u |
  while read -r library; do
    mkdir -p "$out/root${library%/*}"
    cp -L "$library" "$out/root$library"
  done

echo 'waymark:x:65532:65532:Waymark:/tmp:/sbin/nologin' >"$out/root/etc/passwd"
echo 'waymark:x:65532:' >"$out/root/etc/group"
echo 'hosts: files dns' >"$out/root/etc/nsswitch.conf"
chmod 1777 "$out/root/tmp"
