package dev.waymark.api.http;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Why a request is not let in. Immutable. */
public enum Denial implements Authentication {
  NO_CREDENTIALS(
      401,
      null,
      "a token is needed: send the header Authorization: Bearer TOKEN; where admin.tls.client-ca is set, a client certificate will do"),
  NO_TOKENS(
      401,
      null,
      "only /healthz, /readyz and /metrics are open here, and this bridge has no tokens; set admin.tokens or admin.tls.client-ca, or a loopback address as admin.address"),
  MALFORMED(400, "invalid_request", "the header Authorization is not: Bearer TOKEN"),
  UNKNOWN_TOKEN(401, "invalid_token", "the token is not known here"),
  NO_CERTIFICATE(401, null, "a client certificate is needed; see admin.tls.client-ca"),
  UNKNOWN_CERTIFICATE(
      403,
      null,
      "the client certificate has none of the names in admin.tls.read-names and admin.tls.operate-names"),
  ROLE(403, "insufficient_scope", "this needs the role operate; yours is read");

  private final int status;
  private final @Nullable String error;
  private final String message;

  Denial(int status, @Nullable String error, String message) {
    this.status = status;
    this.error = error;
    this.message = message;
  }

  /** The lower-case form in metrics. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  String message() {
    return message;
  }

  /** The status and the message, for the audit log. */
  String result() {
    return status + " " + message;
  }

  Reply reply() {
    return Reply.error(status, message);
  }

  /** Whether a token would help. */
  boolean isForToken() {
    return this != NO_CERTIFICATE && this != UNKNOWN_CERTIFICATE;
  }

  /** The value of the WWW-Authenticate header (RFC 6750, 3). */
  String challenge() {
    return "Bearer realm=\"waymark\"" + (error == null ? "" : ", error=\"" + error + "\"");
  }
}
