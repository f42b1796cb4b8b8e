package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.ConfigLoader;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClientsTest {
  private record Client(X509Certificate[] chain, List<Distrust> ends) implements ServerTls.Client {
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
  private Path list;

  @SuppressWarnings("NullAway.Init")
  private ServerContexts before;

  @BeforeEach
  void start() throws Exception {
    Authority.assumeOpenssl();
    root = Authority.root(folder.resolve("root"), "root");
    device = root.issue(Request.client("device"));
    list = root.revocationList();
    before = load();
    check(before);
  }

  private ServerContexts load() throws Exception {
    Issued server = root.issue(Request.server("a.example"));
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        "listeners: [{tls: {client-auth: required, client-ca: %s, client-crl: %s, certificates: [{certificate: %s, key: %s}]}}]"
            .formatted(root.certificate(), list, server.certificate(), server.key()));
    return ServerContexts.load(
        ConfigLoader.load(Optional.of(file), Map.of(), Map.of())
            .config()
            .listeners()
            .getFirst()
            .tls(),
        SslProvider.JDK,
        Instant.now(),
        Optional.ofNullable(before).flatMap(ServerContexts::trust));
  }

  private void check(ServerContexts contexts) {
    check(contexts, nowMs);
  }

  private void check(ServerContexts contexts, long atMs) {
    clients.check(contexts.trust().orElseThrow(), atMs);
  }

  private Client add(ServerContexts trustedBy) throws Exception {
    Client client =
        new Client(Certificates.read(device.certificate()).toArray(X509Certificate[]::new), ends);
    clients.add(client, trustedBy.trust().orElseThrow(), nowMs);
    return client;
  }

  private ServerContexts revoke() throws Exception {
    root.revoke(device);
    list = root.revocationList();
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

  /** Another certificate of the server, with the same CAs and lists. */
  @Test
  void trust_ofFilesThatSayTheSame_isTheSame() throws Exception {
    ServerContexts after = load();
    assertThat(after.trust()).isEqualTo(before.trust());
    assertThat(revoke().trust()).isNotEqualTo(before.trust());
  }

  /** A CA was renewed, and its clients still send the old certificate of it. */
  @Test
  void client_ends_whenItsOwnCertificateExpires_evenIfItSendsOneThatHasLongExpired()
      throws Exception {
    Instant now = Instant.now();
    Issued brief =
        root.issue(Request.client("brief").valid(now.minusSeconds(60), now.plusSeconds(3)));
    Issued old =
        root.issue(Request.client("old").valid(now.minusSeconds(60), now.minusSeconds(30)));
    X509Certificate[] chain = {
      Certificates.read(brief.certificate()).getFirst(),
      Certificates.read(old.certificate()).getFirst()
    };
    Trust trust = before.trust().orElseThrow();
    clients.add(new Client(chain, ends), trust, System.currentTimeMillis());
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> {
          clients.check(trust, System.currentTimeMillis());
          return !ends.isEmpty();
        });
    assertThat(ends).hasSize(1);
    assertThat(System.currentTimeMillis())
        .isGreaterThan(chain[0].getNotAfter().toInstant().toEpochMilli());
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
