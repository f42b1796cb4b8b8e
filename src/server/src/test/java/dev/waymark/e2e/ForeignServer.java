package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** A server that others wrote and that speaks no gRPC, in its own process on a port of its own. */
final class ForeignServer implements AutoCloseable {
  /** Which server, and the program by which to tell that it is installed. */
  enum Kind {
    REDIS("redis-server"),
    POSTGRESQL("postgres"),
    MOSQUITTO("mosquitto"),
    BEANSTALKD("beanstalkd"),
    SSHD("sshd"),
    IPERF3("iperf3");

    private final String program;

    Kind(String program) {
      this.program = program;
    }

    /** The name of its listener and pool. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** Where Debian puts servers, besides the PATH. */
  private static final List<Path> FOLDERS = List.of(Path.of("/usr/sbin"), Path.of("/sbin"));

  private static final Path POSTGRESQL = Path.of("/usr/lib/postgresql");

  private final Path folder;
  private final int port;
  private final Waymark process;

  private ForeignServer(Path folder, int port, Waymark process) {
    this.folder = folder;
    this.port = port;
    this.process = process;
  }

  static boolean isInstalled(Kind kind) {
    return program(kind.program).isPresent()
        && (kind != Kind.POSTGRESQL || !isRoot() || program("runuser").isPresent());
  }

  /** Starts a server; it may need a while until it accepts connections. */
  static ForeignServer start(Kind kind, Path folder) throws IOException {
    int port = Waymark.freePort();
    String p = Integer.toString(port);
    List<String> line =
        switch (kind) {
          case REDIS -> List.of("--port", p, "--bind", "127.0.0.1", "--save", "");
          case POSTGRESQL -> postgresql(folder, p);
          case MOSQUITTO -> List.of("-p", p);
          case BEANSTALKD -> List.of("-l", "127.0.0.1", "-p", p, "-z", "1000000");
          case SSHD -> sshd(folder, p);
          case IPERF3 -> List.of("-s", "-B", "127.0.0.1", "-p", p);
        };
    List<String> whole = new ArrayList<>(asServer(kind, program(kind.program).orElseThrow()));
    whole.addAll(line);
    Waymark process = Waymark.program(whole.toArray(String[]::new)).in(folder).start();
    return new ForeignServer(folder, port, process);
  }

  private static List<String> postgresql(Path folder, String port) throws IOException {
    Path data = folder.resolve("data");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.setPosixFilePermissions(folder.getParent(), PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> create =
        new ArrayList<>(
            asServer(Kind.POSTGRESQL, sibling(program("postgres").orElseThrow(), "initdb")));
    create.addAll(List.of("-D", data.toString(), "-A", "trust", "-U", "postgres", "--no-sync"));
    run(folder, create.toArray(String[]::new));
    return List.of(
        "-D", data.toString(), "-p", port, "-h", "127.0.0.1", "-k", folder.toString(), "-F");
  }

  private static List<String> sshd(Path folder, String port) throws IOException {
    Path keys = folder.resolve("authorized_keys");
    Path hostKey = folder.resolve("host_key");
    Path clientKey = folder.resolve("client_key");
    for (Path key : List.of(hostKey, clientKey)) {
      run(folder, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.toString());
    }
    Files.copy(Path.of(clientKey + ".pub"), keys);
    if (isRoot()) {
      Files.createDirectories(Path.of("/run/sshd"));
    }
    Path config =
        Files.writeString(
            folder.resolve("sshd_config"),
            """
            ListenAddress 127.0.0.1
            HostKey %s
            AuthorizedKeysFile %s
            PermitRootLogin prohibit-password
            StrictModes no
            UsePAM no
            PidFile none
            Subsystem sftp internal-sftp
            """
                .formatted(hostKey, keys));
    return List.of("-D", "-e", "-p", port, "-f", config.toString());
  }

  /** PostgreSQL does not run as root. */
  private static List<String> asServer(Kind kind, String program) {
    return kind == Kind.POSTGRESQL && isRoot()
        ? List.of("runuser", "-u", "postgres", "--", program)
        : List.of(program);
  }

  static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  /** Runs a program, which must succeed, and returns what it printed. */
  static String run(Path folder, String... line) {
    try (Waymark running = Waymark.program(line).in(folder).start()) {
      assertThat(running.exitCode(TIMEOUT)).as(running.describe()).isZero();
      return running.stdout() + running.stderr();
    }
  }

  /** Returns where a program is. */
  private static Optional<String> program(String name) {
    Stream<Path> folders =
        Stream.of(
                Stream.of(System.getenv("PATH").split(":")).map(Path::of),
                FOLDERS.stream(),
                postgresqlFolders().stream())
            .flatMap(each -> each);
    return folders
        .map(each -> each.resolve(name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Path::toString);
  }

  private static List<Path> postgresqlFolders() {
    if (!Files.isDirectory(POSTGRESQL)) {
      return List.of();
    }
    try (Stream<Path> versions = Files.list(POSTGRESQL)) {
      return versions.map(version -> version.resolve("bin")).toList();
    } catch (IOException unreadable) {
      return List.of();
    }
  }

  private static String sibling(String program, String name) {
    return Path.of(program).resolveSibling(name).toString();
  }

  /** The folder of its files. */
  Path folder() {
    return folder;
  }

  int port() {
    return port;
  }

  /** Waits until it accepts connections. */
  void awaitListening() {
    await(process.describe())
        .atMost(TIMEOUT)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> {
          assertThat(process.isAlive()).as(process.describe()).isTrue();
          try (Socket probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return probe.isConnected();
          } catch (IOException notYet) {
            return false;
          }
        });
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      process.stop();
    }
    process.close();
  }
}
