package dev.waymark.net.listener;

import dev.waymark.config.ListenerConfig;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import io.netty.channel.EventLoop;
import java.util.function.LongSupplier;

/**
 * Where accepted sockets go: the shard of an event loop. Thread-safe; the connection it gives is
 * confined to that loop.
 */
public interface Acceptor {
  /** The time of the loop's shard, to be read on the loop's thread. */
  LongSupplier clockNs(EventLoop loop);

  /**
   * What holds for a client of this listener that is accepted now; called on the loop's thread, in
   * the same turn as {@link #onAccepted}.
   */
  ListenerConfig listener(EventLoop loop, String listener);

  /** A client was accepted on this loop; called on the loop's thread. */
  Connection onAccepted(EventLoop loop, String listener, ClientSocket socket);

  /** An exception that is a defect of the bridge, not of the client. */
  void onBug(Throwable bug);
}
