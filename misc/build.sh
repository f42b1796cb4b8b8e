# shellcheck shell=sh
# Sourced by ./waymark in a source tree. Its builds are $run/build-*; $run/current names the newest.

# Sets newer to a source that is newer than the build, if there is one. Folders count: a file that was removed makes its folder newer.
is_built() {
  build=
  [ ! -e "$run/current" ] || read -r build <"$run/current"
  newer=$(find "$root"/src/*/src/main "$root"/src/*/pom.xml "$root/src/server/src/assembly" "$root/proto" "$root/pom.xml" \
    "$root/misc/jvm.options" -newer "$run/$build/.stamp" 2>/dev/null | head -n 1)
  [ -e "$run/$build/.stamp" ] && [ -z "$newer" ]
}

# Prints Maven's output without codes for the terminal; fails, so that its caller can say more.
show_errors() {
  sed "s/$(printf '\033')\[[0-9;]*m//g" "$1" >&2
  false
}

build() {
  { mkdir -p "$run" && true >>"$run/lock"; } 2>/dev/null || die "$root has no build newer than its sources, and $(id -un)" \
    "cannot write to $run: start it once as its owner, copy it to a folder of your own, or run a release."
  # One builder at a time. Without flock (macOS), do not start a second one meanwhile.
  if command -v flock >/dev/null; then
    exec 9>>"$run/lock"
    # Named again, as some shells (mksh) give a program no other descriptor above 2.
    flock -n 9 9>&9 || { say "another launcher is building; waiting for it ..." && flock 9 9>&9; }
    if is_built; then exec 9>&- && return; fi
  fi
  command -v mvn >/dev/null || die "$root has to be built, and there is no mvn on the path: install Maven 3.8.7 or later, or run a release."
  find_java javac "a JDK 25 or later to build $root" jdk
  say "building $root: about a minute, and several more where Maven has to download libraries first ..."
  old=$build
  build=build-$(date +%Y%m%d-%H%M%S)-$$
  mkdir "$run/$build" && true >"$run/$build/.stamp"
  # In the background, as a shell that waits for a command hears no signal; TERM, as that starts with INT ignored.
  maven=
  trap '{ kill "$maven"; wait "$maven"; } 2>/dev/null; rm -rf "${run:?}/$build"' EXIT
  [ "$command" = bridge ] || trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 131' QUIT
  trap 'exit 143' TERM
  # Maven's own libraries would warn of what they do in Java 25. It writes to a file, as even without colours it begins and ends with
  # codes that reset them.
  (cd "$root" && export JAVA_HOME="$java_home" MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED ${MAVEN_OPTS:-}" &&
    exec mvn -B -q -Dstyle.color=never package -Dmaven.test.skip=true 9>&- </dev/null >"$run/$build/build.log" 2>&1) &
  maven=$!
  wait "$maven" || show_errors "$run/$build/build.log" || die "the build failed; Maven's reason is above. If it gave none, is the disk full? (df '$root')"
  # The newest: one of another version may be there too.
  # shellcheck disable=SC2012 # names are Maven's own
  archive=$(ls -t "$root"/target/waymark-*.tar.gz | head -n 1)
  tar -xzf "$archive" -C "$run/$build" --strip-components=1 || die "cannot unpack $archive."
  train "$run/$build" || say "starts will take twice as long, as the training failed: see $run/$build/train.log"
  trap - EXIT INT QUIT TERM
  [ "$command" = bridge ] || trap - HUP
  # A rename: whoever reads `current` sees the old build or the new one, each whole.
  echo "$build" >"$run/current.$$" && mv -f "$run/current.$$" "$run/current"
  for each in "$run"/build-*; do
    case ${each##*/} in "$build" | "$old") continue ;; esac
    for user in "$each"/users/*; do { kill -0 "${user##*/}" || [ -d "/proc/${user##*/}" ]; } 2>/dev/null && continue 2; done
    rm -rf "$each"
  done
  is_built || [ "$(date -r "$newer" +%s)" -lt $(($(date +%s) + 60)) ] ||
    say "each start builds anew, as $newer is dated in the future; to end that: touch '$newer'"
  exec 9>&-
}
