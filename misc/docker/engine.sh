# shellcheck shell=sh
# To be sourced. find_engine sets `engine` to the command of a working container engine, or fails. WAYMARK_CONTAINER_ENGINE is tried
# first and may contain options: "podman --runtime runc".
find_engine() {
  # macOS has no timeout.
  command -v timeout >/dev/null || timeout() { shift && "$@"; }
  for engine in "${WAYMARK_CONTAINER_ENGINE:-}" docker podman; do
    [ -n "$engine" ] || continue
    # The program may be installed without a running daemon.
    # shellcheck disable=SC2086 # may be several words
    timeout 10 $engine info >/dev/null 2>&1 && return 0
  done
  engine=
  return 1
}
