package dev.waymark.api.http;

import java.util.List;
import java.util.Optional;

/** Finds out who sends a request. Called on the port's event loop: must not block. */
@FunctionalInterface
public interface Authenticator {
  /**
   * What a request shows of its sender. Immutable.
   *
   * @param authorization the values of its Authorization headers; usually one or none
   * @param certificate the names in the client certificate, which is trusted; empty: there is none
   */
  record Credentials(List<String> authorization, Optional<List<String>> certificate) {}

  /** Returns who sends a request with these credentials, or why nobody can tell. */
  Authentication admit(Credentials shown);

  /** Lets everybody do everything. */
  static Authenticator everybody(String name) {
    Sender somebody = new Sender(name, true);
    return _ -> somebody;
  }
}
