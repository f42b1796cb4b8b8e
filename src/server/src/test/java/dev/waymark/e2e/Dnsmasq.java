package dev.waymark.e2e;

import java.util.stream.Stream;

/** The name server dnsmasq in its own process, which knows only what its flags say. */
final class Dnsmasq implements AutoCloseable {
  private final Waymark process;
  private final int port;

  private Dnsmasq(Waymark process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Starts one on a free port. */
  static Dnsmasq start(String... records) {
    int port = Waymark.freePort();
    Stream<String> line =
        Stream.of(
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--pid-file",
            "--log-facility=-",
            "--bind-interfaces",
            "--listen-address=127.0.0.1",
            "--port=" + port);
    Waymark started =
        Waymark.program(Stream.concat(line, Stream.of(records)).toArray(String[]::new)).start();
    return new Dnsmasq(started, port);
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  @Override
  public void close() {
    process.close();
  }
}
