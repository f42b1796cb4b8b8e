package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A member of etcd in its own process, which can be killed and started again with its data or
 * without. It elects a leader within a quarter of a second. Confined to the test's thread.
 */
public final class Etcd implements AutoCloseable {
  private static final String HOST = "127.0.0.1:";

  private final String name;
  private final Path folder;
  private final int clientPort = Waymark.freePort();
  private final int peerPort = Waymark.freePort();
  private final int healthPort = Waymark.freePort();
  private final List<String> flags;
  private final boolean isTls;
  private String members;
  private List<String> ctlFlags = List.of();
  private int lives;

  /** Null before the first start only. */
  @SuppressWarnings("NullAway.Init")
  private Waymark process;

  private Etcd(String name, Path folder, boolean isTls, String... flags) {
    this.name = name;
    this.folder = folder;
    this.isTls = isTls;
    this.flags = List.of(flags);
    this.members = name + "=http://" + HOST + peerPort;
  }

  /** Skips the test if etcd or its command is missing. */
  public static void assumeInstalled() {
    assumeTrue(Waymark.isOnPath("etcd"), "no etcd: apt-get install etcd-server");
    assumeTrue(Waymark.isOnPath("etcdctl"), "no etcdctl: apt-get install etcd-client");
  }

  /** Starts a single member on free ports, with its data below this folder. */
  public static Etcd start(Path folder, String... flags) {
    assumeInstalled();
    Etcd etcd = new Etcd("only", folder, false, flags);
    etcd.restart();
    return etcd;
  }

  /** Like {@link #start}; its clients speak TLS. */
  public static Etcd startTls(Path folder, String... flags) {
    assumeInstalled();
    Etcd etcd = new Etcd("only", folder, true, flags);
    etcd.restart();
    return etcd;
  }

  /** Starts three members of a cluster. */
  public static List<Etcd> cluster(Path folder) {
    assumeInstalled();
    List<Etcd> all =
        Stream.of("one", "two", "three").map(name -> new Etcd(name, folder, false)).toList();
    String members = String.join(",", all.stream().map(member -> member.members).toList());
    all.forEach(member -> {
      member.members = members;
      member.run();
    });
    all.forEach(Etcd::awaitHealthy);
    return all;
  }

  /** Where it serves clients. */
  public String address() {
    return HOST + clientPort;
  }

  /** The process, for signals. */
  public Waymark process() {
    return process;
  }

  /** Ends it with SIGKILL. */
  public void kill() {
    process.kill();
  }

  /** Starts it, or starts it again after {@link #kill}, with the data that it had. */
  public void restart() {
    run();
    awaitHealthy();
  }

  /** Starts it again after {@link #kill} without its data, as if they were lost. */
  public void restartEmpty() {
    lives++;
    restart();
  }

  private void run() {
    List<String> line =
        new ArrayList<>(
            List.of(
                "etcd",
                "--name=" + name,
                "--data-dir=" + folder.resolve(name + "-" + lives),
                "--listen-client-urls=" + url(),
                "--advertise-client-urls=" + url(),
                "--listen-peer-urls=http://" + HOST + peerPort,
                "--initial-advertise-peer-urls=http://" + HOST + peerPort,
                "--initial-cluster=" + members,
                "--listen-metrics-urls=http://" + HOST + healthPort,
                "--heartbeat-interval=20",
                "--election-timeout=200",
                "--logger=zap",
                "--log-outputs=stderr",
                "--log-level=warn"));
    line.addAll(flags);
    process = Waymark.program(line.toArray(String[]::new)).env("GOMAXPROCS", "2").start();
  }

  private void awaitHealthy() {
    process.awaitOk("http://" + HOST + healthPort + "/health");
  }

  private String url() {
    return (isTls ? "https://" : "http://") + address();
  }

  /** Sets how {@link #ctl} connects, such as its certificate. */
  public void setCtlFlags(String... ctl) {
    ctlFlags = List.of(ctl);
  }

  /** Runs etcdctl with these arguments and returns its output. */
  public String ctl(String... args) {
    List<String> line = new ArrayList<>(List.of("etcdctl", "--endpoints=" + url()));
    line.addAll(ctlFlags);
    line.addAll(List.of(args));
    try (Waymark run =
        Waymark.program(line.toArray(String[]::new)).env("ETCDCTL_API", "3").start()) {
      assertThat(run.exitCode()).as(() -> run.describe()).isZero();
      return run.stdout();
    }
  }

  public void put(String key, String value) {
    ctl("put", "--", key, value);
  }

  /** Puts a value as Go's package naming/endpoints writes it. */
  public void register(String key, String address) {
    put(key, "{\"Op\":0,\"Addr\":\"" + address + "\",\"Metadata\":null}");
  }

  /**
   * Has it ask for logins. There is a user root with the password top, and a user node with the
   * password secret, who may read and write below this prefix.
   */
  public void enableAuth(String prefix) {
    ctl("user", "add", "root:top");
    ctl("user", "grant-role", "root", "root");
    ctl("role", "add", "node");
    ctl("role", "grant-permission", "--prefix=true", "node", "readwrite", prefix);
    ctl("user", "add", "node:secret");
    ctl("user", "grant-role", "node", "node");
    ctl("auth", "enable");
  }

  /** Like {@link #ctl} as the user root. */
  public String asRoot(String... args) {
    return ctl(Stream.concat(Stream.of("--user=root:top"), Stream.of(args)).toArray(String[]::new));
  }

  @Override
  public void close() {
    process.close();
  }
}
