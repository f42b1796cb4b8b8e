package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.ConfigLoader;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClientsTest {
  private record Client(X509Certificate[] chain, List<Distrust> ends)
      implements ServerTls.Client {
    @Override
    public void end(Distrust why) {
      ends.add(why);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  @TempDir private Path folder;

  private final Clients clients = new Clients();
  private final List<Distrust> ends = new ArrayList<>();
  private final long nowMs = Instant.now().toEpochMilli();

  @SuppressWarnings("NullAway.Init")
  private Authority root;

  @SuppressWarnings("NullAway.Init")
  private Issued device;

  @SuppressWarnings("NullAway.Init")
  private ServerContexts before;

  @BeforeEach
  void start() throws Exception {
    Authority.assumeOpenssl();
    root = Authority.root(folder.resolve("root"), "root");
    device = root.issue(Request.client("device"));
    before = load();
    check(before);
  }

  private ServerContexts load() throws Exception {
    Issued server = root.issue(Request.server("a.example"));
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        "listeners: [{tls: {client-auth: required, client-ca: %s, client-crl: %s, certificates: [{certificate: %s, key: %s}]}}]"
            .formatted(
                root.certificate(), root.revocationList(), server.certificate(), server.key()));
    return ServerContexts.load(
        ConfigLoader.load(Optional.of(file), Map.of(), Map.of()).config().listeners().getFirst().tls(),
        SslProvider.JDK,
        Instant.now());
  }

  private void check(ServerContexts contexts) {
    check(contexts, nowMs);
  }

  private void check(ServerContexts contexts, long atMs) {
    clients.check(contexts, contexts.trust().orElseThrow(), atMs);
  }

  private Client add(ServerContexts trustedBy) throws Exception {
    Client client =
        new Client(Certificates.read(device.certificate()).toArray(X509Certificate[]::new), ends);
    clients.add(client, trustedBy);
    return client;
  }

  private ServerContexts revoke() throws Exception {
    root.revoke(device);
    return load();
  }

  @Test
  void clients_thatAreRevoked_endAHundredAtATime() throws Exception {
    for (int i = 0; i < 250; i++) {
      add(before);
    }
    check(before);
    assertThat(ends).isEmpty();
    ServerContexts after = revoke();
    check(after);
    assertThat(ends).hasSize(100).containsOnly(Distrust.REVOKED);
    check(after);
    assertThat(ends).hasSize(200);
    check(after);
    check(after);
    assertThat(ends).hasSize(250);
    assertThat(clients.isEmpty()).isTrue();
  }

  @Test
  void client_thatHasGone_isNotEnded() throws Exception {
    clients.remove(add(before));
    check(revoke());
    assertThat(ends).isEmpty();
  }

  /** Its handshake began under the former list, which did not have it yet. */
  @Test
  void client_whoseHandshakeEndsAfterTheChange_isChecked() throws Exception {
    ServerContexts after = revoke();
    check(after);
    add(before);
    check(after);
    assertThat(ends).containsExactly(Distrust.REVOKED);
  }

  @Test
  void clients_thatWaitForTheirEnd_endEvenIfAnotherCertificateExpiresMeanwhile() throws Exception {
    for (int i = 0; i < 150; i++) {
      add(before);
    }
    ServerContexts after = revoke();
    check(after);
    assertThat(ends).hasSize(100);
    long expiryMs =
        Certificates.read(device.certificate()).getFirst().getNotAfter().toInstant().toEpochMilli();
    check(after, expiryMs + 1);
    assertThat(ends).hasSize(150);
  }

  @Test
  void clients_areLookedAtAgain_onlyWhenACertificateHasExpired() throws Exception {
    long expiryMs =
        Certificates.read(device.certificate()).getFirst().getNotAfter().toInstant().toEpochMilli();
    add(before);
    check(before, expiryMs);
    // By the wall clock, on which the validation relies, it is still valid.
    check(before, expiryMs + 1);
    assertThat(ends).isEmpty();
    assertThat(clients.isEmpty()).isFalse();
  }
}
