package dev.waymark.admin;

import java.util.Map;
import java.util.Set;

/**
 * One path of an HTTP port. Immutable.
 *
 * @param methods those allowed; HEAD comes with GET
 * @param summary one clause for the index
 */
public record Route(String path, Set<String> methods, String summary, Answer answer) {
  /** How a request is answered, on a thread of the port. */
  @FunctionalInterface
  public interface Answer {
    /**
     * The reply.
     *
     * @param method in capitals
     * @param query decoded; of a key given twice the last holds
     */
    Reply to(String method, Map<String, String> query);
  }

  public Route {
    methods = Set.copyOf(methods);
  }

  /** A path that is only read. */
  public static Route get(String path, String summary, Answer answer) {
    return new Route(path, Set.of("GET"), summary, answer);
  }
}
