package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** An upstream that refuses every connection, beside one that takes them. */
final class RefusalIT {
  @Test
  void upstream_refusing_clientsNeverNotice() {
    List<Stub> stubs =
        Scene.together(
            List.of(
                () -> Scene.stub("127.0.0.1:0", "--refuse=busy"),
                () -> Scene.stub("127.0.0.1:0")));
    try (Scene scene = Scene.before(stubs, "policy: round-robin")) {
      List<Client> clients = scene.connect(200);
      Clients.inParallel(clients, client -> client.echo(50_000));
      assertThat(scene.stub(0).stat("refused")).isPositive();
      assertThat(scene.stub(0).epochs()).isEmpty();
      assertThat(scene.stub(1).epochs()).hasSize(200);
      scene.assertNoneClosed();
      scene.endAll(clients);
    }
  }

  @Test
  void upstream_refusingForAWhile_getsItsShareLater() {
    try (Scene scene = Scene.of(2, "ejection: off")) {
      scene.stub(0).admin().post("/refuse?code=not_here");
      List<Client> early = scene.connect(50);
      Clients.inParallel(early, client -> client.echo(1_000));
      assertThat(scene.stub(1).epochs()).hasSize(50);
      scene.stub(0).admin().post("/refuse?code=none");
      scene.connectTo(scene.stub(0));
      scene.assertNoneClosed();
    }
  }
}
