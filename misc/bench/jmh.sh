#!/bin/sh
# Benchmarks of single steps (JMH): jmh.sh [REGEX] [JMH-OPTIONS]. The engine's heap per idle connection: jmh.sh idle-connections [COUNT].
# The cost of bare gRPC streams, compared with as many sockets: jmh.sh bare-stream. What ./waymark directory costs: jmh.sh directory [SECONDS].
# Services registered with a directory, for dns.sh: jmh.sh services HOST PORT NAME SERVICES INSTANCES ...
# Builds them first, separately, in src/server/target/jmh. MVN: the Maven to build with. See README.md.
set -eu
cd "$(dirname -- "$0")/../.."
built=src/server/target/jmh

${MVN:-mvn} -B -q -Pjmh process-test-classes >&2

# shellcheck source=misc/java_home.sh
. misc/java_home.sh
find_jdk java || {
  echo "jmh.sh: found no Java 25 or later; set JAVA_HOME to one" >&2
  exit 1
}

# JMH passes these options on to its forks.
run_java() {
  "$java_home/bin/java" -cp "$built/test-classes:$built/classes:$(cat $built/classpath)" \
    @misc/jvm.options "$@"
}

if [ "${1:-}" = idle-connections ]; then
  shift
  run_java -Xms2g -Xmx2g -XX:+UseSerialGC dev.waymark.engine.shard.IdleConnections "$@"
elif [ "${1:-}" = bare-stream ]; then
  run_java -XX:MaxNewSize=32m -Dio.netty.leakDetection.level=disabled dev.waymark.net.lane.BareStream
elif [ "${1:-}" = directory ]; then
  shift
  ./waymark --version >&2
  run_java -Xmx2g dev.waymark.tools.directory.DirectoryLoad "$@"
elif [ "${1:-}" = services ]; then
  shift
  run_java -Xmx512m dev.waymark.tools.directory.RegisteredServices "$@"
else
  run_java org.openjdk.jmh.Main -prof gc -rf json -rff "$built/figures.json" "$@"
  echo "figures in $built/figures.json"
fi
