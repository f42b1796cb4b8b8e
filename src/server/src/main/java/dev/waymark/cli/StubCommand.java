package dev.waymark.cli;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.bridge.Clock;
import dev.waymark.bridge.Wait;
import dev.waymark.config.ConfigException;
import dev.waymark.config.LogConfig;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.net.listener.SystemErrors;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.tools.stub.RefusalText;
import dev.waymark.tools.stub.Rules;
import dev.waymark.tools.stub.RulesFile;
import dev.waymark.tools.stub.StubAdmin;
import dev.waymark.tools.stub.StubOptions;
import dev.waymark.tools.stub.StubServer;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code waymark stub}: an upstream for development, as a process of its own. */
@Command(
    name = "stub",
    description = "An upstream for development: echoes, or answers by rules.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class StubCommand implements Callable<Integer> {
  private static final long DRAIN_POLL_MS = 20;

  @Mixin private final FlagValues values = new FlagValues();

  @Option(
      names = "--listen",
      split = ",",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:4770",
      description =
          "Where to serve Attach: HOST:PORT, or a comma-separated list. :4770 is every IPv4 address, [::]:4770 every address of both families (default: ${DEFAULT-VALUE}).")
  private List<String> listen = List.of();

  @Option(
      names = "--admin",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:4771",
      description = "The admin port (default: ${DEFAULT-VALUE}).")
  private String admin = "";

  @Option(
      names = "--no-ack",
      description = "Do not acknowledge: send no Settings; delivery is at-most-once.")
  private boolean noAck;

  @Option(
      names = "--reply",
      paramLabel = "TEXT",
      description =
          "Answer every message with this text instead of an echo; $${name}, $${epoch} and $${mark} in it are replaced.")
  private @Nullable String reply;

  @Option(
      names = "--rules",
      paramLabel = "FILE",
      description =
          "A YAML list of {equals|contains|regex: TEXT, reply: TEXT, delay: 100ms, close: DONE|ABORT|…, crash: true, hang: true}; the first match applies.")
  private @Nullable Path rules;

  @Option(
      names = "--delay",
      paramLabel = "DURATION",
      defaultValue = "0",
      description = "Delay of every answer, such as 100ms.")
  private String delay = "0";

  @Option(
      names = "--name",
      paramLabel = "TEXT",
      description = "Replaces $${name} in replies (default: the address of --listen).")
  private @Nullable String name;

  @Option(
      names = "--refuse",
      paramLabel = "CODE",
      defaultValue = "none",
      description =
          "Refuse new connections: busy, not_here or shutting_down (default: ${DEFAULT-VALUE}).")
  private String refuse = "none";

  @Option(
      names = "--drain-timeout",
      paramLabel = "DURATION",
      defaultValue = "30s",
      description =
          "How long to wait on SIGTERM for connections to move away (default: ${DEFAULT-VALUE}).")
  private String drainTimeout = "30s";

  @Option(
      names = "--announcements",
      description =
          "Subscribe to announcements of all connections, whoever owns them: GET /announced.")
  private boolean announcements;

  @Option(
      names = "--log-frames",
      description = "Log every chunk of data and every event, in both directions.")
  private boolean logFrames;

  @Mixin private final AttachTlsFlags tls = new AttachTlsFlags();

  @Override
  public Integer call() throws InterruptedException {
    StubOptions options = options();
    Duration patience = values.duration("--drain-timeout", drainTimeout);
    Logging.configure(new LogConfig(LogConfig.Format.TEXT, LogConfig.Level.INFO, true), System.err);
    ShutdownSignals signals = ShutdownSignals.install();
    StandardStreams streams = ((Main) values.spec().root().userObject()).streams();
    List<InetSocketAddress> addresses = new ArrayList<>();
    listen.forEach(text -> addresses.add(values.address("--listen", text)));
    InetSocketAddress adminAddress = values.address("--admin", admin);
    StubServer server;
    try {
      server = StubServer.start(addresses, options, streams::drain);
    } catch (IOException e) {
      return cannotListen("--listen", String.join(",", listen), e);
    }
    EventLog log = new EventLog(Clock::nowNs);
    streams.err().onDropped(log::onDropped);
    StubAdmin adminServer = new StubAdmin(adminAddress, server, log);
    try {
      adminServer.start();
    } catch (AddressInUse e) {
      server.close();
      return cannotListen("--admin", admin, new IOException(e.why()));
    }
    sayReady(server, adminServer);
    signals.await();
    drain(server, patience, signals);
    server.close();
    adminServer.close();
    return 0;
  }

  /** Returns when no connection is attached, the time is up, or a second signal has arrived. */
  private void drain(StubServer server, Duration patience, ShutdownSignals signals)
      throws InterruptedException {
    server.setServing(false);
    server.drain();
    int attached = server.connections().size();
    if (attached == 0) {
      return;
    }
    say(
        "waymark stub: draining; exits when its "
            + attached
            + " connections have moved away, after "
            + drainTimeout
            + ", or on a second signal");
    Wait wait = new Wait(patience.toNanos());
    while (!server.connections().isEmpty() && !wait.isOver()) {
      if (signals.hurry().await(DRAIN_POLL_MS, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    say("waymark stub: exiting, " + server.connections().size() + " connections still attached");
  }

  private void say(String line) {
    PrintWriter out = values.spec().commandLine().getOut();
    out.println(line);
    out.flush();
  }

  private void sayReady(StubServer server, StubAdmin adminServer) {
    String where =
        server.addresses().stream().map(ListenerPort::text).collect(Collectors.joining(","));
    String how = noAck ? "without acknowledging" : "acknowledging";
    say(
        "waymark stub serves Attach on "
            + where
            + " ("
            + how
            + "), admin on http://"
            + ListenerPort.text(adminServer.address()));
  }

  private StubOptions options() {
    if (noAck && announcements) {
      throw values.refused(
          "--announcements needs Settings, which --no-ack does not send; use only one of them");
    }
    SslContext attachTls = tls.context();
    try {
      return new StubOptions(
          !noAck,
          reply,
          rules == null ? Rules.NONE : RulesFile.load(rules),
          values.duration("--delay", delay),
          logFrames,
          name,
          RefusalText.parse(refuse),
          announcements,
          attachTls);
    } catch (ConfigException e) {
      throw values.refused(String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      throw values.refused("--refuse: " + e.getMessage());
    }
  }

  private int cannotListen(String flag, String asked, IOException why) {
    // gRPC's message ends with a slash and the address that failed.
    String message = String.valueOf(why.getMessage());
    String where =
        why.getCause() != null && message.contains("/")
            ? message.substring(message.lastIndexOf('/') + 1)
            : asked;
    String cause = SystemErrors.reason(why.getCause() == null ? why : why.getCause());
    return values.cannotListen(flag, where, cause);
  }
}
