package dev.waymark.net.listener;

import dev.waymark.config.ListenerConfig;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import io.netty.channel.EventLoop;
import java.util.function.LongSupplier;

/**
 * Hands accepted sockets to the shard of their event loop. Thread-safe; the connection that it
 * returns is confined to that loop.
 */
public interface Acceptor {
  /** Returns the clock of the loop's shard, to be read only on the loop's thread. */
  LongSupplier clockNs(EventLoop loop);

  /**
   * Returns the current configuration of this listener. Called on the loop's thread. A client's
   * connection has the one that is current at {@link #onAccepted}.
   */
  ListenerConfig listener(EventLoop loop, String listener);

  /** Called on the loop's thread when a client is ready. */
  Connection onAccepted(EventLoop loop, String listener, ClientSocket socket);

  /** Called with an exception that is a bug in the bridge, not the client's doing. */
  void onBug(Throwable bug);
}
