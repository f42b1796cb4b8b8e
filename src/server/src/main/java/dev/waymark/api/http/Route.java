package dev.waymark.api.http;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One path of an HTTP port. Immutable.
 *
 * @param methods allowed methods; GET includes HEAD
 * @param parameters keys allowed in the query; others are refused
 * @param summary one clause for the index
 * @param bodyBytesMax maximum size of a body, a larger one is refused; 0 if bodies are not read
 * @param isProbe whether it is answered on the port's event loop, ahead of all waiting requests:
 *     the answer must not block
 * @param isOpen whether everybody gets an answer. Otherwise GET takes an {@link Sender}, and every
 *     other method one that {@linkplain Sender#mayOperate may operate}
 */
public record Route(
    String path,
    Set<String> methods,
    Set<String> parameters,
    String summary,
    int bodyBytesMax,
    boolean isProbe,
    boolean isOpen,
    Answer answer) {
  /** Answers requests, on a thread of the port. */
  @FunctionalInterface
  public interface Answer {
    /**
     * Returns the reply to a request.
     *
     * @throws Refusal to reply with an error
     */
    Reply to(Request request) throws Refusal;
  }

  /**
   * A request. Immutable, except for the bytes of its body.
   *
   * @param method in upper case
   * @param query decoded
   * @param body empty if the route takes none
   * @param sender who sends it
   * @param client the other end of its connection, host:port
   */
  public record Request(
      String method, Map<String, String> query, byte[] body, Sender sender, String client) {
    /** Whether it only reads. */
    public boolean isRead() {
      return isRead(method);
    }

    static boolean isRead(String method) {
      return method.equals("GET") || method.equals("HEAD");
    }

    /** Returns the value of a required query parameter. */
    public String demand(String key) throws Refusal {
      String value = query.get(key);
      if (value == null) {
        throw new Refusal(400, "?" + key + "=… is missing");
      }
      return value;
    }
  }

  /** Refuses a request with an error status. The message is shown to the client. */
  public static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private static final int FORBIDDEN = 403;

    /** RFC 9110, 15.5.20. */
    private static final int MISDIRECTED = 421;

    private final int status;
    private final @Nullable String allow;

    public Refusal(int status, String message) {
      this(status, message, null);
    }

    private Refusal(int status, String message, @Nullable String allow) {
      super(message, null, false, false);
      this.status = status;
      this.allow = allow;
    }

    /** Refuses a method that is not one of these. */
    static Refusal method(Set<String> allowed) {
      String list = String.join(", ", allowed);
      return new Refusal(405, "this path allows " + list, list);
    }

    Reply reply() {
      return Reply.error(status, String.valueOf(getMessage()));
    }

    /** The status of the reply. */
    public int status() {
      return status;
    }

    /** Whether the request was refused for where it came from. */
    boolean isForeign() {
      return status == FORBIDDEN || status == MISDIRECTED;
    }

    /** The value of the Allow header, if there is one. */
    @Nullable String allow() {
      return allow;
    }
  }

  public Route {
    methods = Set.copyOf(methods);
    parameters = Set.copyOf(parameters);
  }

  /** A route that only reads. */
  public static Route get(String path, String summary, Answer answer) {
    return new Route(path, Set.of("GET"), Set.of(), summary, 0, false, false, answer);
  }

  /** A route that reports the health of the process, to everybody; see {@link #isProbe}. */
  public static Route probe(String path, String summary, Answer answer) {
    return new Route(path, Set.of("GET"), Set.of(), summary, 0, true, true, answer);
  }

  /** A route that changes something. */
  public static Route post(String path, String summary, Answer answer) {
    return new Route(path, Set.of("POST"), Set.of(), summary, 0, false, false, answer);
  }

  /** This route with these methods in place of its own. */
  public Route allowing(String... others) {
    return new Route(
        path, Set.of(others), parameters, summary, bodyBytesMax, isProbe, isOpen, answer);
  }

  /** This route with these query parameters. */
  public Route taking(String... keys) {
    return new Route(path, methods, Set.of(keys), summary, bodyBytesMax, isProbe, isOpen, answer);
  }

  /** This route with a body of at most this many bytes. */
  public Route withBody(int bytesMax) {
    return new Route(path, methods, parameters, summary, bytesMax, isProbe, isOpen, answer);
  }

  /** This route, open to everybody. */
  public Route open() {
    return new Route(path, methods, parameters, summary, bodyBytesMax, isProbe, true, answer);
  }

  /** The methods for the Allow header, sorted. */
  Set<String> allowed() {
    Set<String> allowed = new TreeSet<>(methods);
    if (methods.contains("GET")) {
      allowed.add("HEAD");
    }
    return allowed;
  }
}
