package dev.waymark.net.listener;

/** What happens at a listening port, for logs. Called on the port's event loop; must not block. */
public interface ListenerEvents {
  /** Accepting pauses; it goes on by itself. */
  void onAcceptPaused(String listener, String cause);

  void onAcceptResumed(String listener);

  /** A client beyond connections-max was closed at once. */
  void onRefused(String listener, String clientAddress, int connectionsMax);
}
