package dev.waymark.cli;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.bridge.Clock;
import dev.waymark.bridge.Version;
import dev.waymark.bridge.Wait;
import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import dev.waymark.config.LogConfig;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.ProcessMetrics;
import dev.waymark.tools.egress.EgressAdmin;
import dev.waymark.tools.egress.EgressOptions;
import dev.waymark.tools.egress.EgressServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code waymark egress}: an upstream for servers that speak no gRPC. */
@Command(
    name = "egress",
    description =
        "An upstream for servers that speak no gRPC: opens one TCP or TLS connection to the server per"
            + " client connection.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class EgressCommand implements Callable<Integer> {
  private static final long POLL_MS = 20;

  @Mixin private final FlagValues values = new FlagValues();

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:4780",
      description =
          "Where to serve Attach to bridges: HOST:PORT. :4780 is every IPv4 address (default:"
              + " ${DEFAULT-VALUE}).")
  private String listen = "";

  @Option(
      names = "--to",
      paramLabel = "ADDR",
      required = true,
      description = "The server: HOST:PORT. A name is resolved for each connection.")
  private String to = "";

  @Option(
      names = "--admin",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:4781",
      description = "The admin port (default: ${DEFAULT-VALUE}).")
  private String admin = "";

  @Option(
      names = "--connect-timeout",
      paramLabel = "DURATION",
      defaultValue = "5s",
      description = "How long a connect to the server may take (default: ${DEFAULT-VALUE}).")
  private String connectTimeout = "";

  @Option(
      names = "--probe-interval",
      paramLabel = "DURATION",
      defaultValue = "2s",
      description =
          "How often a connect tests whether the server is there, which health then says; 0: never"
              + " (default: ${DEFAULT-VALUE}).")
  private String probeInterval = "";

  @Option(
      names = "--proxy-protocol",
      description =
          "Begin every connection to the server with a PROXY protocol header (version 2): the"
              + " client's address, and the mark as unique id.")
  private boolean sendsProxyHeader;

  @Option(
      names = "--connections-max",
      paramLabel = "N",
      defaultValue = "10000",
      description =
          "How many connections may be open at once; others are refused with BUSY (default:"
              + " ${DEFAULT-VALUE}).")
  private int connectionsMax;

  @Option(
      names = "--drain-timeout",
      paramLabel = "DURATION",
      defaultValue = "30s",
      description =
          "How long to wait on SIGTERM for connections to end (default: ${DEFAULT-VALUE}).")
  private String drainTimeout = "";

  @Mixin private final ServerTlsFlags serverTls = new ServerTlsFlags();
  @Mixin private final AttachTlsFlags attachTls = new AttachTlsFlags();

  @Override
  public Integer call() throws InterruptedException {
    EgressOptions options = options();
    Duration patience = values.duration("--drain-timeout", drainTimeout);
    InetSocketAddress address = values.address("--listen", listen);
    InetSocketAddress adminAddress = values.address("--admin", admin);
    Logging.configure(new LogConfig(LogConfig.Format.TEXT, LogConfig.Level.INFO, true), System.err);
    ShutdownSignals signals = ShutdownSignals.install();
    StandardStreams streams = ((Main) values.spec().root().userObject()).streams();
    EventLog log = new EventLog(Clock::nowNs);
    streams.err().onDropped(log::onDropped);
    EgressServer egress;
    try {
      egress = EgressServer.start(address, options, log);
    } catch (IOException e) {
      return values.cannotListen("--listen", listen, String.valueOf(e.getMessage()));
    } catch (TlsFileException changed) {
      throw serverTls.refusal(List.of(changed));
    }
    Metrics metrics = new Metrics();
    ProcessMetrics.register(metrics, Version.current());
    egress.register(metrics);
    EgressAdmin adminServer = new EgressAdmin(adminAddress, egress, metrics, log);
    try {
      adminServer.start();
    } catch (AddressInUse e) {
      egress.close();
      return values.cannotListen("--admin", admin, e.why());
    }
    sayReady(egress, adminServer);
    signals.await();
    drain(egress, patience, signals, log);
    egress.close();
    adminServer.close();
    log.writeSuppressed();
    return 0;
  }

  /** Returns when no connection is attached, the time is up, or a second signal has arrived. */
  private void drain(EgressServer egress, Duration patience, ShutdownSignals signals, EventLog log)
      throws InterruptedException {
    egress.drain();
    log.write(Event.DRAINING, "connections", egress.connectionCount(), "timeout", drainTimeout);
    Wait wait = new Wait(patience.toNanos());
    while (egress.connectionCount() > 0 && !wait.isOver()) {
      if (signals.hurry().await(POLL_MS, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    log.write(Event.STOPPED, "connections", egress.connectionCount());
  }

  private void sayReady(EgressServer egress, EgressAdmin adminServer) throws InterruptedException {
    boolean isServerUp = egress.awaitProbe();
    PrintWriter out = values.spec().commandLine().getOut();
    out.println(
        "waymark egress serves Attach on "
            + ListenerPort.text(egress.address())
            + ", for "
            + to
            + (isServerUp ? "" : " (which cannot be reached yet)")
            + ", admin on http://"
            + ListenerPort.text(adminServer.address()));
    out.flush();
  }

  private EgressOptions options() {
    Duration timeout = values.duration("--connect-timeout", connectTimeout);
    if (timeout.isZero()) {
      throw values.refused("--connect-timeout: 0 (expected: a duration above 0, such as 5s)");
    }
    if (connectionsMax < 1) {
      throw values.refused("--connections-max: " + connectionsMax + " (expected: 1 or more)");
    }
    return new EgressOptions(
        server(),
        timeout,
        values.duration("--probe-interval", probeInterval),
        sendsProxyHeader,
        serverTls.config(attachTls.keyPermissions()),
        serverTls.missingCloseNotify(),
        attachTls.context(),
        connectionsMax);
  }

  private HostPort server() {
    try {
      return HostPort.dialled(to);
    } catch (BadValueException bad) {
      throw values.refused("--to: " + to + " (expected: " + bad.expected() + ")");
    }
  }
}
