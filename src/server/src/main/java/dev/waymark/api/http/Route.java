package dev.waymark.api.http;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One path of an HTTP port. Immutable.
 *
 * @param methods those allowed; HEAD comes with GET
 * @param parameters keys that the query may have; others are refused
 * @param summary one clause for the index
 * @param bodyBytesMax a larger body is refused; 0: it is not read
 * @param isProbe answered on the port's own event loop, before everything that waits: the answer
 *     must not block
 */
public record Route(
    String path,
    Set<String> methods,
    Set<String> parameters,
    String summary,
    int bodyBytesMax,
    boolean isProbe,
    Answer answer) {
  /** How a request is answered, on a thread of the port. */
  @FunctionalInterface
  public interface Answer {
    /**
     * The reply.
     *
     * @throws Refusal to answer with an error
     */
    Reply to(Request request) throws Refusal;
  }

  /**
   * What was asked. Immutable, but for the body's bytes.
   *
   * @param method in capitals
   * @param query decoded
   * @param body empty where the route takes none
   */
  public record Request(String method, Map<String, String> query, byte[] body) {
    /** The value of a key that must be there. */
    public String demand(String key) throws Refusal {
      String value = query.get(key);
      if (value == null) {
        throw new Refusal(400, "?" + key + "=… is missing");
      }
      return value;
    }
  }

  /** An answer that is no success; the message is for people. */
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

    /** Another method than those. */
    static Refusal method(Set<String> allowed) {
      String list = String.join(", ", allowed);
      return new Refusal(405, "this path allows " + list, list);
    }

    Reply reply() {
      return Reply.error(status, String.valueOf(getMessage()));
    }

    int status() {
      return status;
    }

    /** Whether it is not the request that is wrong, but where it comes from. */
    boolean isForeign() {
      return status == FORBIDDEN || status == MISDIRECTED;
    }

    /** The value of the header Allow. */
    @Nullable String allow() {
      return allow;
    }
  }

  public Route {
    methods = Set.copyOf(methods);
    parameters = Set.copyOf(parameters);
  }

  /** A path that is only read. */
  public static Route get(String path, String summary, Answer answer) {
    return new Route(path, Set.of("GET"), Set.of(), summary, 0, false, answer);
  }

  /** A path that says whether the process is well; see {@link #isProbe}. */
  public static Route probe(String path, String summary, Answer answer) {
    return new Route(path, Set.of("GET"), Set.of(), summary, 0, true, answer);
  }

  /** A path that does something. */
  public static Route post(String path, String summary, Answer answer) {
    return new Route(path, Set.of("POST"), Set.of(), summary, 0, false, answer);
  }

  /** The same with these methods. */
  public Route allowing(String... others) {
    return new Route(path, Set.of(others), parameters, summary, bodyBytesMax, isProbe, answer);
  }

  /** The same with these keys in its query. */
  public Route taking(String... keys) {
    return new Route(path, methods, Set.of(keys), summary, bodyBytesMax, isProbe, answer);
  }

  /** The same with a body. */
  public Route withBody(int bytesMax) {
    return new Route(path, methods, parameters, summary, bytesMax, isProbe, answer);
  }

  /** What Allow lists, in order. */
  Set<String> allowed() {
    Set<String> allowed = new TreeSet<>(methods);
    if (methods.contains("GET")) {
      allowed.add("HEAD");
    }
    return allowed;
  }
}
