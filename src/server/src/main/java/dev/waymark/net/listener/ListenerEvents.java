package dev.waymark.net.listener;

/** Receives events of listening ports, for logs. On the port's event loop; must not block. */
public interface ListenerEvents {
  /** Called when accepting pauses; it resumes by itself. */
  void onAcceptPaused(String listener, String cause);

  void onAcceptResumed(String listener);

  /** Called when a client beyond connections-max was closed at once. */
  void onRefused(String listener, String clientAddress, int connectionsMax);
}
