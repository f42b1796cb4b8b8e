#!/bin/sh
# Builds and tests the upstream if its sources are newer than its jar, and starts it: run.sh [HOST:PORT]. `run.sh --check` does
# everything but start it, and exits with 0, or with 69 after printing what is missing. MVN: the Maven to use. JAVA_HOME: a JDK 17 or
# later.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
mvn=${MVN:-mvn}
jar=$here/target/echo-upstream.jar

missing() {
  echo "java example: $*" >&2
  exit 69
}

java=java
[ -z "${JAVA_HOME:-}" ] || java=$JAVA_HOME/bin/java
version=$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.specification.version = //p') || :
case $version in
  '') missing "no java: apt-get install openjdk-17-jdk-headless, or set JAVA_HOME" ;;
  1.* | 9 | 1[0-6]) missing "java $version is too old; 17 or later is needed" ;;
esac

if [ ! -e "$jar" ] || [ -n "$(find "$here/pom.xml" "$here/src" -type f -newer "$jar")" ]; then
  command -v "$mvn" >/dev/null || missing "no mvn: apt-get install maven"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if ! (cd "$here" && "$mvn" -B -q package) >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    if grep -q 'Could not resolve dependencies\|could not be resolved' "$log"; then
      missing "Maven cannot resolve the dependencies (see above). The SDK is not published yet: \`mvn install -DskipTests\` in Waymark's root folder installs it locally"
    fi
    exit 1
  fi
fi
[ "${1:-}" != --check ] || exit 0

exec "$java" -jar "$jar" "$@"
