package dev.waymark.net.listener;

/** Receives events of listening ports, for logs. On the port's event loop; must not block. */
public interface ListenerEvents {
  /** Called when accepting pauses; it resumes by itself. */
  void onAcceptPaused(String listener, String cause);

  void onAcceptResumed(String listener);

  /**
   * Called when a client was closed before it became a connection.
   *
   * @param peerAddress host:port at the other end of the socket, which may be a proxy
   * @param detail more about the reason; may be empty
   */
  void onRefused(String listener, String peerAddress, RefusalReason reason, String detail);

  /**
   * Called when the first bytes of a client are those of TLS, which the listener does not speak.
   * They are passed on like any others: the upstream may speak it.
   */
  void onTlsPassedOn(String listener, String clientAddress);
}
