#!/bin/sh
# Compiles the product and its tests, then runs a class of the tests: java.sh CLASS [ARGUMENT ...]. With WAYMARK_CHAOS_BUILT set it
# uses the existing classes; so does --help, if there are any.
set -eu
root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/../.." && pwd)
class_path_file=$root/target/test-class-path

built=${WAYMARK_CHAOS_BUILT:-}
case " $* " in *" --help "* | *" -h "*) built=1 ;; esac

cd "$root"
if [ -z "$built" ] || [ ! -r "$class_path_file" ]; then
  echo "java.sh: compiling, which takes a minute or two; WAYMARK_CHAOS_BUILT=1 skips this ..." >&2
  # shellcheck disable=SC2086 # MAVEN may be several words
  ${MAVEN:-mvn -B} -q test-compile dependency:build-classpath -Dmdep.outputFile="$class_path_file" -Dmdep.includeScope=test
fi
# Each connection needs a descriptor here and one more in the bridge.
# shellcheck disable=SC3045 # every sh in use supports it
ulimit -n "$(ulimit -H -n)" 2>/dev/null || :
# shellcheck source=misc/java_home.sh
. misc/java_home.sh
find_jdk java || {
  echo "java.sh: found no Java 25 or later; set JAVA_HOME to one" >&2
  exit 1
}
exec "$java_home/bin/java" -cp "src/server/target/test-classes:src/server/target/classes:$(cat "$class_path_file")" \
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow ${WAYMARK_JAVA_OPTS:-} "$@"
