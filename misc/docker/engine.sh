# shellcheck shell=sh
# To be sourced. find_engine sets `engine` to the words that start a container engine which answers, or fails.
# WAYMARK_CONTAINER_ENGINE overrides, for one that needs options: "podman --runtime runc".
find_engine() {
  # macOS has no timeout.
  command -v timeout >/dev/null || timeout() { shift && "$@"; }
  for engine in "${WAYMARK_CONTAINER_ENGINE:-}" docker podman; do
    [ -n "$engine" ] || continue
    # The program may be there and its daemon not: only an answer counts.
    # shellcheck disable=SC2086 # several words
    timeout 10 $engine info >/dev/null 2>&1 && return 0
  done
  engine=
  return 1
}
