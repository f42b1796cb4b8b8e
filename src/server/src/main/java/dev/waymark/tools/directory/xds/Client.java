package dev.waymark.tools.directory.xds;

import dev.waymark.xds.proto.Node;

/** Who is at the other end of a stream. Confined to the event loop. */
final class Client {
  private final String peer;
  private String node = "";
  private boolean hasAskedForUnknown;
  private long responses;

  Client(String peer) {
    this.peer = peer;
  }

  /** Clients name themselves at least in the first request. */
  void onNode(Node named) {
    if (node.isEmpty()) {
      node = StreamRules.shortened(named.getId());
    }
  }

  /** It asks for a type that is not served. Reported once for a stream: it may go on with it. */
  void onUnknownType(String typeUrl, AdsEvents events) {
    if (!hasAskedForUnknown) {
      hasAskedForUnknown = true;
      events.onUnknownType(node, peer, StreamRules.shortened(typeUrl));
    }
  }

  String node() {
    return node;
  }

  String peer() {
    return peer;
  }

  /** A new one for each response. */
  String nextNonce() {
    responses++;
    return Long.toString(responses);
  }
}
