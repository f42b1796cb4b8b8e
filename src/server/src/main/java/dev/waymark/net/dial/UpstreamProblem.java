package dev.waymark.net.dial;

import java.util.Locale;

/**
 * Why an upstream does not serve. Immutable.
 *
 * @param text the cause as one clause, without the upstream's address
 */
public record UpstreamProblem(Kind kind, String text) {
  /** The text may come from a peer, which may send 16 KiB of it. */
  public static final int TEXT_CHARS_MAX = 400;

  public UpstreamProblem {
    text = shortened(text);
  }

  /** Returns at most {@link #TEXT_CHARS_MAX} of it; also for texts shown in place of problems. */
  public static String shortened(String text) {
    return text.length() <= TEXT_CHARS_MAX ? text : text.substring(0, TEXT_CHARS_MAX - 1) + "…";
  }

  /** What the operator has to check; docs/operations.md has a remedy for each. */
  public enum Kind {
    /** The name does not exist (NXDOMAIN). */
    NO_SUCH_NAME,
    /** The name exists, but has no address. */
    NO_ADDRESS,
    /** No name server answered. */
    DNS_FAILED,
    /** The file of the pool's target cannot be read, or is not a list of upstreams. */
    FILE_UNUSABLE,
    /** The API server of Kubernetes does not let the bridge read the EndpointSlices. */
    KUBERNETES_DENIED,
    /** The API server of Kubernetes cannot be asked, or its answer cannot be used. */
    KUBERNETES_FAILED,
    /** The registry does not let the bridge read the service. */
    REGISTRY_DENIED,
    /** The registry cannot be asked, or its answer cannot be used. */
    REGISTRY_FAILED,
    /** What the registry has for one instance cannot be used; the others are. */
    REGISTRY_DATA,
    /** The registry has just started; instances that it does not know yet are kept. */
    REGISTRY_DOUBTED,
    CONNECTION_REFUSED,
    /** No answer: packets are dropped on the way. */
    CONNECT_TIMEOUT,
    NO_ROUTE,
    /** There is no file at the path of a Unix socket. */
    NO_SOCKET,
    /** The process may not connect to a Unix socket, or a firewall forbids it. */
    PERMISSION_DENIED,
    /** The kernel gave another reason. */
    CONNECT_FAILED,
    LOOKS_LIKE_TLS,
    /** The pool requires TLS, which it does not speak. */
    NOT_TLS,
    /** Its certificate has expired, or does not come from a trusted CA. */
    TLS_UNTRUSTED,
    /** Its certificate is that of somebody else. */
    TLS_WRONG_NAME,
    /** It refuses the handshake, perhaps for the bridge's certificate. */
    TLS_REFUSED,
    /** Another failure of the handshake. */
    TLS_FAILED,
    LOOKS_LIKE_HTTP1,
    LOOKS_LIKE_SSH,
    /** It answers, but not with HTTP/2. */
    NOT_HTTP2,
    /** It accepts the connection and closes it without sending a byte. */
    CLOSES_AT_ONCE,
    /** It accepts the connection and sends nothing. */
    SILENT,
    /** It speaks HTTP/2, but not gRPC. */
    NOT_GRPC,
    /** It has no Attach method. */
    NO_ATTACH,
    /** Its health service does not answer in time. */
    HEALTH_SILENT,
    /** The health Watch ended. */
    HEALTH_FAILED,
    NOT_SERVING,
    /** Its health service does not know the configured service. */
    SERVICE_UNKNOWN,
    /** Its health service reports UNKNOWN. */
    HEALTH_UNKNOWN,
    /** It sends too much: HTTP/2 frames without data, or answers of its health service. */
    FLOOD,
    /** A connection that worked is lost. */
    CONNECTION_LOST,
    /** A bug in the bridge. */
    INTERNAL;

    /** Returns the lower-case form for logs and metrics. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Override
  public String toString() {
    return text;
  }
}
