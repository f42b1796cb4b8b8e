package dev.waymark.tools.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.AdminTokens;
import dev.waymark.registry.table.TableLimits;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.v1.DiscoverRequest;
import dev.waymark.v1.RegistryGrpc;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Roles of tokens on both ports of a directory. */
class DirectoryAccessIT {
  @TempDir private Path folder;
  private DirectoryServer directory;
  private DirectoryAdmin admin;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    write("reader read", "echo register:echo,web-*", "boss operate");
    EventLog log = new EventLog(System::nanoTime);
    directory =
        DirectoryServer.start(
            new InetSocketAddress("127.0.0.1", 0),
            new DirectoryOptions(
                TableLimits.DEFAULTS,
                10,
                null,
                Optional.of(AdminTokens.ofDirectory(file())),
                Optional.empty(),
                List.of(),
                List.of(),
                Map.of()),
            log,
            System::nanoTime,
            new SplittableRandom(1));
    admin =
        new DirectoryAdmin(new InetSocketAddress("127.0.0.1", 0), directory, new Metrics(), log);
    admin.start();
    channel = NettyChannelBuilder.forAddress(directory.address()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    admin.close();
    directory.close();
  }

  private Path file() {
    return folder.resolve("tokens");
  }

  /** Lines NAME ROLE; the token of each is its name. */
  private void write(String... lines) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String line : lines) {
      byte[] name = line.substring(0, line.indexOf(' ')).getBytes(StandardCharsets.UTF_8);
      String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(name));
      text.append(line).append(' ').append(hash).append('\n');
    }
    Files.writeString(file(), text);
    Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-------"));
  }

  private Channel as(String token) {
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    return ClientInterceptors.intercept(
        channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static void discover(Channel with) {
    var _ =
        RegistryGrpc.newBlockingStub(with)
            .discover(DiscoverRequest.newBuilder().setService("echo").build());
  }

  private static Status refusal(Channel with) {
    return Assertions.catchThrowableOfType(StatusRuntimeException.class, () -> discover(with))
        .getStatus();
  }

  @Test
  void stranger_isRefused() {
    assertThat(refusal(channel).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(refusal(as("wrong")).getDescription())
        .isEqualTo(
            "the directory needs a known token (authorization: Bearer TOKEN) or client certificate");
  }

  @Test
  void reader_readsAndRegistersNothing() throws Exception {
    discover(as("reader"));
    TestNode node = TestNode.open(as("reader"), "a", 0, TestNode.echo("10.0.0.1:1"));
    assertThat(node.response().getRefused(0).getReason()).isEqualTo("reader may not register echo");
  }

  @Test
  void registrar_registersItsServicesAndReadsNothing() throws Exception {
    TestNode node =
        TestNode.open(
            as("echo"),
            "a",
            0,
            TestNode.echo("10.0.0.1:1"),
            TestNode.echo("10.0.0.1:2").toBuilder().setService("web-shop").build(),
            TestNode.echo("10.0.0.1:3").toBuilder().setService("echo2").build());
    assertThat(node.response().getRefusedList())
        .singleElement()
        .matches(refused -> refused.getReason().equals("echo may not register echo2"));
    assertThat(refusal(as("echo")).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    TestWatcher watcher = TestWatcher.open(as("echo"));
    assertThat(watcher.end().getDescription()).isEqualTo("echo does not have the role read");
  }

  @Test
  void operator_doesEverything() throws Exception {
    TestNode node = TestNode.open(as("boss"), "a", 0, TestNode.echo("10.0.0.1:1"));
    assertThat(node.response().getRefusedCount()).isZero();
    discover(as("boss"));
  }

  @Test
  void tokens_areReadAgainWhenTheyChange() throws Exception {
    write("newcomer read");
    await().ignoreExceptions().untilAsserted(() -> discover(as("newcomer")));
    assertThat(refusal(as("reader")).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    Files.writeString(file(), "nonsense\n");
    await().during(Duration.ofSeconds(2)).untilAsserted(() -> discover(as("newcomer")));
  }

  @Test
  void adminPort_takesTheSameTokens() throws Exception {
    assertThat(get("/nodes", "")).isEqualTo(401);
    assertThat(get("/nodes", "reader")).isEqualTo(200);
    assertThat(get("/nodes", "echo")).isEqualTo(401);
    assertThat(get("/healthz", "")).isEqualTo(200);
    assertThat(get("/metrics", "")).isEqualTo(200);
  }

  private int get(String path, String token) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin.address().getPort() + path));
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), BodyHandlers.discarding()).statusCode();
    }
  }
}
