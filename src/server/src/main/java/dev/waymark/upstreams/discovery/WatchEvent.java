package dev.waymark.upstreams.discovery;

/** A line of a watch for EndpointSlices. Immutable. */
sealed interface WatchEvent {
  /** The resource version up to which the watcher is now informed. */
  String version();

  /** A slice was added or modified. */
  record Put(String version, EndpointSlice slice) implements WatchEvent {}

  /** A slice was deleted, or does not belong to the service any more. */
  record Deleted(String version, String name) implements WatchEvent {}

  /** Nothing has changed up to this version. */
  record Bookmark(String version) implements WatchEvent {}
}
