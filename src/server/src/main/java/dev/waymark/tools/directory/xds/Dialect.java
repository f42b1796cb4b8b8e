package dev.waymark.tools.directory.xds;

import dev.waymark.tools.directory.xds.StreamStatus.TypeStatus;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One of the two protocols on a stream: what its client has asked for, and what it is told next. No
 * I/O; confined to the event loop.
 *
 * @param <Q> requests
 * @param <R> responses
 */
sealed interface Dialect<Q, R> permits StateOfTheWorld, Incremental {
  /** Returns why the stream has to end; empty if it goes on. Ask for {@link #next} afterwards. */
  Optional<String> onRequest(Q request);

  /**
   * Services have changed.
   *
   * @param newOrGone those of them that are new or gone
   */
  void onChanged(Set<String> changed, Set<String> newOrGone);

  /** The next response; empty if there is nothing to say. */
  Optional<R> next();

  boolean isIncremental();

  /** What the client has asked for. */
  List<TypeStatus> types();
}
