# shellcheck shell=sh
# To be sourced. find_jdk sets `java_home` to a Java 25 or later that has bin/$1, such as jlink or java, or fails. The java on the path
# may be another version, or missing.
find_jdk() {
  path_java=$(command -v java) && path_java=$(readlink -f "$path_java") || path_java=
  for java_home in "${JAVA_HOME:-}" "${path_java%/bin/java}" /opt/java/openjdk /usr/lib/jvm/* /opt/* \
    "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ -n "$java_home" ] && [ -x "$java_home/bin/$1" ] && [ -r "$java_home/release" ] || continue
    java_major=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$java_home/release")
    [ "${java_major:-0}" -lt 25 ] || return 0
  done
  return 1
}
