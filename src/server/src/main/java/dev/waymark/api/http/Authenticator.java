package dev.waymark.api.http;

import java.util.List;

/** Finds out who sends a request. Called on the port's event loop: must not block. */
@FunctionalInterface
public interface Authenticator {
  /**
   * What a request shows of its sender. Immutable.
   *
   * @param authorization the values of its Authorization headers; usually one or none
   */
  record Credentials(List<String> authorization) {}

  /** Returns who sends a request with these credentials, or why nobody can tell. */
  Admission admit(Credentials shown);

  /** Lets everybody do everything. */
  static Authenticator everybody(String name) {
    Identity identity = new Identity(name, true);
    return _ -> identity;
  }
}
