package dev.waymark.tools.directory.xds;

import dev.waymark.tools.directory.xds.StreamStatus.TypeStatus;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a client made of the responses of one type, which have nonces for this. No I/O; confined to
 * the event loop.
 */
final class Answers {
  /** An answer to an older response is not noticed: a later one says more. */
  private static final int UNANSWERED_MAX = 64;

  private record Sent(String nonce, String version) {}

  private final Deque<Sent> unanswered = new ArrayDeque<>();
  private String sentNonce = "";
  private String sentVersion = "";
  private String ackedVersion = "";
  private String refusal = "";

  void onSent(String nonce, String version) {
    if (unanswered.size() == UNANSWERED_MAX) {
      unanswered.removeFirst();
    }
    unanswered.addLast(new Sent(nonce, version));
    sentNonce = nonce;
    sentVersion = version;
  }

  /**
   * The client uses a response.
   *
   * @return false if there is no response with this nonce that it has not answered
   */
  boolean onAck(String nonce) {
    String version = answered(nonce);
    if (version.isEmpty()) {
      return false;
    }
    ackedVersion = version;
    refusal = "";
    return true;
  }

  /** The client refuses a response; like {@link #onAck}. */
  boolean onNack(String nonce, String why) {
    if (answered(nonce).isEmpty()) {
      return false;
    }
    refusal = StreamRules.shortened(why.isEmpty() ? "no reason given" : why);
    return true;
  }

  /** The version of a response, which is now answered, with all before it; else empty. */
  private String answered(String nonce) {
    if (unanswered.stream().noneMatch(sent -> sent.nonce.equals(nonce))) {
      return "";
    }
    Sent first = unanswered.removeFirst();
    while (!first.nonce.equals(nonce)) {
      first = unanswered.removeFirst();
    }
    return first.version;
  }

  /** Whether a request with this nonce was sent before the client saw the last response. */
  boolean isStale(String nonce) {
    return !nonce.isEmpty() && !nonce.equals(sentNonce);
  }

  /** Why the client refused what it last answered; empty if it did not. */
  String refusal() {
    return refusal;
  }

  /** For operators. */
  TypeStatus status(ResourceType type, boolean isWildcard, int nameCount) {
    return new TypeStatus(type, isWildcard, nameCount, sentVersion, ackedVersion, refusal);
  }
}
