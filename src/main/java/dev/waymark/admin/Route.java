package dev.waymark.admin;

import java.util.Map;
import java.util.Set;

/**
 * One path of an HTTP port. Immutable.
 *
 * @param methods those allowed; HEAD comes with GET
 * @param summary one clause for the index
 * @param bodyBytesMax a larger body is refused; 0: it is not read
 */
public record Route(
    String path, Set<String> methods, String summary, int bodyBytesMax, Answer answer) {
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
   * @param query decoded; of a key given twice the last holds
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
    private final int status;

    public Refusal(int status, String message) {
      super(message, null, false, false);
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  public Route {
    methods = Set.copyOf(methods);
  }

  /** A path that is only read. */
  public static Route get(String path, String summary, Answer answer) {
    return new Route(path, Set.of("GET"), summary, 0, answer);
  }

  /** A path that does something. */
  public static Route post(String path, String summary, Answer answer) {
    return new Route(path, Set.of("POST"), summary, 0, answer);
  }
}
