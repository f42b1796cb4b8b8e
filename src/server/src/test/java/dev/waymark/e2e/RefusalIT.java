package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** An upstream that refuses every connection, next to one that accepts them. */
final class RefusalIT {
  @Test
  void upstream_refusing_isNotNoticedByClientsAndLaterGetsConnections() {
    List<Stub> stubs =
        Scene.startAll(
            List.of(
                () -> Scene.stub("127.0.0.1:0", "--refuse=busy"), () -> Scene.stub("127.0.0.1:0")));
    try (Scene scene = Scene.inFrontOf(stubs, "ejection: off")) {
      Stub refusing = scene.stub(0);
      List<Client> clients = scene.connect(200);
      Clients.inParallel(clients, client -> client.echo(50_000));
      assertThat(refusing.stat("refused")).isPositive();
      assertThat(refusing.epochs()).isEmpty();
      assertThat(scene.stub(1).epochs()).hasSize(200);
      scene.assertNoneClosed();
      scene.endAll(clients);
      refusing.admin().post("/refuse?code=none");
      scene.connectTo(refusing);
    }
  }
}
