package dev.waymark.cli;

import dev.waymark.bridge.StartException;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LoadedConfig.EmbeddedEcho;
import dev.waymark.tools.stub.StubOptions;
import dev.waymark.tools.stub.StubServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The echo that a bridge serves itself where no upstream is named; or nothing. Thread-safe. */
final class EmbeddedUpstream implements AutoCloseable {
  private final @Nullable StubServer server;
  private final @Nullable InetSocketAddress address;

  private EmbeddedUpstream(@Nullable StubServer server, @Nullable InetSocketAddress address) {
    this.server = server;
    this.address = address;
  }

  /**
   * Starts it if it is wanted: where the configuration says, or on any free port if nobody said
   * anything and the default is taken.
   *
   * @throws StartException if the address cannot be had
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
      String why = taken.getMessage();
      throw StartException.port(
          "the embedded echo upstream (echo, --echo; there is none with --upstream)",
          wanted,
          why == null ? "in use" : why);
    }
  }

  private static EmbeddedUpstream on(InetSocketAddress address) throws IOException {
    StubServer server = StubServer.start(List.of(address), StubOptions.ECHO);
    InetAddress host = address.getAddress();
    return new EmbeddedUpstream(server, new InetSocketAddress(host, server.port()));
  }

  /** The configuration with its pool looking where the echo is. */
  LoadedConfig findableIn(LoadedConfig config) {
    return address == null ? config : config.withEchoOn(address);
  }

  @Override
  public void close() {
    if (server != null) {
      server.close();
    }
  }
}
