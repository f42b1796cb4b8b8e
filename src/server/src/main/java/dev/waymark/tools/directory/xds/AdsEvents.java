package dev.waymark.tools.directory.xds;

/** Hears what operators should know, on the event loop. Texts of clients are shortened. */
public interface AdsEvents {
  /**
   * A client refuses what it was sent, and goes on with what it had.
   *
   * @param node what the client calls itself; empty if it does not
   * @param why in its words
   */
  void onRefusedByClient(String node, String peer, ResourceType type, String why);

  /** A stream ends because its client goes beyond a limit, or there are too many. */
  void onStreamRefused(String node, String peer, String why);

  /**
   * A client asks for a type of resources that is not served; it gets no answer to that. Once for a
   * stream.
   */
  void onUnknownType(String node, String peer, String typeUrl);

  /** An instance is not told to xDS clients. Once, until it can be used again. */
  void onUnusable(String service, String address, String why);
}
