package dev.waymark.tools.directory;

import io.grpc.Context;
import java.util.function.Predicate;

/**
 * Who makes a call, and what it may do. Immutable.
 *
 * @param name for logs and introspection
 * @param peer the other end of its connection, host:port
 * @param mayRead whether it may see what is registered
 * @param mayRegister the services whose instances it may register
 */
record Caller(String name, String peer, boolean mayRead, Predicate<String> mayRegister) {
  /** Of the present call. */
  static final Context.Key<Caller> KEY = Context.key("caller");

  static Caller current() {
    return KEY.get();
  }
}
