package dev.waymark.cli;

import dev.waymark.bridge.StartException;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LoadedConfig.EmbeddedEcho;
import dev.waymark.net.listener.SystemErrors;
import dev.waymark.tools.stub.StubOptions;
import dev.waymark.tools.stub.StubServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The echo upstream that a bridge runs in its own process if none is configured; otherwise empty.
 * Thread-safe.
 */
final class EmbeddedUpstream implements AutoCloseable {
  private final @Nullable StubServer server;
  private final @Nullable InetSocketAddress address;

  private EmbeddedUpstream(@Nullable StubServer server, @Nullable InetSocketAddress address) {
    this.server = server;
    this.address = address;
  }

  /**
   * Starts the echo if the configuration asks for it, on the configured address. If the address is
   * the default and already in use, takes any free port.
   *
   * @throws StartException if the address cannot be bound
   */
  static EmbeddedUpstream start(LoadedConfig loaded) {
    return loaded
        .embeddedEcho()
        .map(EmbeddedUpstream::start)
        .orElseGet(() -> new EmbeddedUpstream(null, null));
  }

  private static EmbeddedUpstream start(EmbeddedEcho echo) {
    InetSocketAddress wanted = echo.address();
    try {
      return on(wanted);
    } catch (IOException taken) {
      if (echo.isDefault()) {
        try {
          return on(new InetSocketAddress(wanted.getAddress(), 0));
        } catch (IOException nothingFree) {
          taken.addSuppressed(nothingFree);
        }
      }
      throw StartException.port(
          "the embedded echo upstream (echo, --echo; there is none with --upstream)",
          wanted,
          SystemErrors.reason(taken.getCause() == null ? taken : taken.getCause()));
    }
  }

  private static EmbeddedUpstream on(InetSocketAddress address) throws IOException {
    StubServer server = StubServer.start(List.of(address), StubOptions.ECHO);
    InetAddress host = address.getAddress();
    return new EmbeddedUpstream(server, new InetSocketAddress(host, server.port()));
  }

  /** Returns the configuration with its pool pointing at the echo's actual address. */
  LoadedConfig applyTo(LoadedConfig config) {
    return address == null ? config : config.withEchoOn(address);
  }

  @Override
  public void close() {
    if (server != null) {
      server.close();
    }
  }
}
