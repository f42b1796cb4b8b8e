#!/bin/sh
# Starts the stub in a container, on port 4770 with its admin port on 4771: start_stub_server.sh [FLAG OF waymark stub]...
# Ctrl-C ends it. Builds the image `waymark` if it does not exist; WAYMARK_IMAGE names another.
set -eu
case " $* " in
  *" --help "* | *" -h "*)
    echo "usage: start_stub_server.sh [FLAG OF waymark stub]..."
    echo "Starts the stub in a container, on 127.0.0.1:4770 with its admin port on 127.0.0.1:4771; Ctrl-C ends it."
    echo "Builds the image waymark if it does not exist; WAYMARK_IMAGE names another. For the flags: ./waymark stub --help"
    exit
    ;;
esac
root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/../.." && pwd)
image=${WAYMARK_IMAGE:-waymark}
# shellcheck source=misc/docker/engine.sh
. "$root/misc/docker/engine.sh"

if ! find_engine; then
  echo "start_stub_server: no container engine is running (tried docker info and podman info); start one, or run without:" >&2
  echo "  ./waymark stub --listen 127.0.0.1:4770 --admin 127.0.0.1:4771" >&2
  exit 1
fi

# shellcheck disable=SC2086 # engine may be several words, here and below
if ! $engine image inspect "$image" >/dev/null 2>&1; then
  echo "start_stub_server: building the image $image ..." >&2
  # Both arguments are given although they are the defaults: older podman skips stages that only a default names.
  $engine build --build-arg BUILD=maven --build-arg RUNTIME=jre -t "$image" -f "$root/docker/Dockerfile" "$root" || {
    echo "start_stub_server: could not build the image; to run without one: ./waymark stub --listen 127.0.0.1:4770" >&2
    exit 1
  }
fi

# shellcheck disable=SC2086
exec $engine run --rm --name "waymark-stub-$$" --no-healthcheck -p 127.0.0.1:4770:4770 -p 127.0.0.1:4771:4771 \
  "$image" stub --listen=0.0.0.0:4770 --admin=0.0.0.0:4771 "$@"
