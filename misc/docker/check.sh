#!/bin/bash
# Builds the image (jlinked Java on scratch, so no registry is needed), runs a bridge and a stub from it, sends bytes through both and
# stops the bridge. Needs target/waymark-VERSION.tar.gz. Exit code 0: passed; 69: not possible here, for the reason printed; else: failed.
set -euo pipefail
root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/../.." && pwd)
image=waymark-check
name=waymark-check-$$
stub=$name-stub
healthy_seconds_max=30

say() { echo "docker check: $*"; }

not_here() {
  say "skipped: $*"
  exit 69
}

fail() {
  say "FAILED: $*" >&2
  "${engine[@]}" logs "$name" >&2 || :
  exit 1
}

# Prints an unused port below the ephemeral range.
free_port() {
  local candidate
  while candidate=$((10000 + RANDOM % 22000)) && (: <"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; do :; done
  echo "$candidate"
}

# Sets engine and build (commands with options), run_options, and stub_options, by which the stub shares the bridge's loopback address.
choose_engine() {
  engine=(docker)
  run_options=(-p "127.0.0.1:$port:$port" -p "127.0.0.1:$admin:$admin")
  stub_options=(--network "container:$name")
  build=(docker build)
  if timeout 10 docker info >/dev/null 2>&1; then
    # A remote daemon does not publish ports on this machine's loopback address.
    case ${DOCKER_HOST:-unix:} in unix:*) return ;; *) not_here "docker runs on another host, $DOCKER_HOST" ;; esac
  fi
  command -v podman >/dev/null || not_here "docker is not running, and podman is not installed"
  command -v buildah >/dev/null || not_here "docker is not running, and buildah is not installed"
  [ "$(id -u)" -eq 0 ] || not_here "docker is not running, and podman is only tried as root"
  # These options also work inside containers: no overlay, no systemd (so no timed health checks), no separate network.
  storage=(--storage-driver vfs --root "$scratch/storage" --runroot "$scratch/run")
  build=(buildah "${storage[@]}" bud --isolation chroot --format docker)
  engine=(podman "${storage[@]}" --cgroup-manager cgroupfs --runtime runc)
  run_options=(--network host --no-healthcheck --ulimit nofile=20000:20000 --ulimit nproc=1000:1000)
  stub_options=("${run_options[@]}")
  timeout 10 "${engine[@]}" info >/dev/null 2>&1 || not_here "neither docker nor podman works"
}

clean_up() {
  "${engine[@]}" rm -f "$stub" "$name" >/dev/null 2>&1 || :
  rm -rf "$scratch"
}

port=$(free_port)
admin=$(free_port)
upstream=$(free_port)
scratch=$(mktemp -d)
engine=(true)
trap clean_up EXIT
choose_engine

getconf GNU_LIBC_VERSION >/dev/null 2>&1 || not_here "the C library of this machine is not glibc, which the image needs"
"$root/misc/docker/prepare.sh"
say "building with: ${build[*]}"
"${build[@]}" --build-arg BUILD=prebuilt --build-arg RUNTIME=scratch -t "$image" -f "$root/docker/Dockerfile" "$root" \
  >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log" >&2; exit 1; }

code=0
"${engine[@]}" run --rm "${run_options[@]}" -e JDK_JAVA_OPTIONS=-Xlog:class+load "$image" --version \
  >"$scratch/version" 2>"$scratch/run.log" || code=$?
# 125: the engine failed. Any other code comes from the image.
[ "$code" -ne 125 ] || not_here "no container starts here: $(tail -n 1 "$scratch/run.log")"
[ "$code" -eq 0 ] || fail "--version ended with $code: $(cat "$scratch/run.log")"
say "$(grep '^waymark ' "$scratch/version")"
grep -q 'dev.waymark.cli.Main source: shared objects file' "$scratch/version" || fail "the AOT cache is not used"

# With less memory, and so another collector, than at the training. If the engine cannot limit memory, JVM options do.
"${engine[@]}" run --rm "${run_options[@]}" --memory 300m -e JDK_JAVA_OPTIONS=-Xlog:class+load "$image" --version \
  >"$scratch/version" 2>"$scratch/run.log" ||
  "${engine[@]}" run --rm "${run_options[@]}" -e JDK_JAVA_OPTIONS="-Xlog:class+load -Xmx100m -XX:+UseSerialGC" "$image" --version \
    >"$scratch/version" 2>"$scratch/run.log" || fail "--version with little memory: $(cat "$scratch/run.log")"
grep -q 'dev.waymark.cli.Main source: shared objects file' "$scratch/version" || fail "with little memory the AOT cache is not used"

user=$("${engine[@]}" image inspect --format '{{.Config.User}}' "$image")
[ "$user" = 65532:65532 ] || fail "the image runs as '$user'"
[ "$("${engine[@]}" image inspect --format '{{if .Config.Healthcheck}}yes{{end}}' "$image")" = yes ] || fail "no health check"

"${engine[@]}" run -d --name "$name" "${run_options[@]}" -e WAYMARK_LISTEN="0.0.0.0:$port" -e WAYMARK_ADMIN="0.0.0.0:$admin" \
  -e WAYMARK_UPSTREAM="static:///127.0.0.1:$upstream" "$image" >/dev/null
"${engine[@]}" run -d --name "$stub" "${stub_options[@]}" "$image" stub --listen "127.0.0.1:$upstream" --admin 127.0.0.1:0 >/dev/null
for ((second = 0; ; second++)); do
  "${engine[@]}" exec "$name" /opt/java/openjdk/bin/java -cp '/opt/waymark/lib/*' @/opt/waymark/jvm.options \
    -XX:AOTCache=/opt/waymark/start.aot dev.waymark.cli.Main health "http://127.0.0.1:$admin/readyz" >/dev/null 2>&1 && break
  [ "$("${engine[@]}" inspect --format '{{.State.Running}}' "$name")" = true ] || fail "the bridge has ended"
  [ "$second" -lt "$healthy_seconds_max" ] || fail "not healthy after $healthy_seconds_max s"
  sleep 1
done
say "healthy after $second s"

sent="through the image $$"
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf '%s\n' "$sent" >&3
read -r -t 10 received <&3 || fail "no answer"
exec 3>&-
[ "$received" = "$sent" ] || fail "sent '$sent', received '$received'"
say "bytes came back"

"${engine[@]}" stop -t 40 "$name" >/dev/null
code=$("${engine[@]}" inspect --format '{{.State.ExitCode}}' "$name")
[ "$code" = 0 ] || fail "ended with code $code on SIGTERM"
say "stopped with code 0"
