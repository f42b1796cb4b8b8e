package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.api.ConnectionQuery;
import dev.waymark.config.BadValueException;
import dev.waymark.engine.connection.ConnectionStatus;
import dev.waymark.net.admission.Network;
import dev.waymark.protocol.Mark;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConnectionFilterTest {
  private static ConnectionStatus from(String client, @Nullable String upstream) {
    return new ConnectionStatus(
        new Mark(1, 2), "game", client, "", "red", upstream, "attached", 0, 0, 0, 0, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8,       10.1.2.3:400,            true",
    "10.0.0.0/8,       11.1.2.3:400,            false",
    "192.0.2.7,        192.0.2.7:1,             true",
    "2001:db8::/32,    [2001:db8::1]:400,       true",
    "2001:db8::/32,    [2001:db9::1]:400,       false",
    "fe80::/10,        [fe80::1%eth0]:400,      true",
    "::/0,             10.1.2.3:400,            false",
    "0.0.0.0/0,        unix:/run/client,        false"
  })
  void source_isTheNetworkOfTheClient(String network, String client, boolean matches)
      throws BadValueException {
    ConnectionQuery query = new ConnectionQuery(1, null, null, null, null, Network.read(network));
    assertThat(new ConnectionFilter(query).test(from(client, "u:1"))).isEqualTo(matches);
  }

  @Test
  void query_everyPartHasToApply() {
    ConnectionQuery query = new ConnectionQuery(1, null, "game", "red", "u:1", null);
    ConnectionFilter filter = new ConnectionFilter(query);
    assertThat(filter.test(from("10.0.0.1:1", "u:1"))).isTrue();
    assertThat(filter.test(from("10.0.0.1:1", "u:2"))).isFalse();
    assertThat(filter.test(from("10.0.0.1:1", null))).isFalse();
    ConnectionQuery blue = new ConnectionQuery(1, null, "game", "blue", "u:1", null);
    assertThat(new ConnectionFilter(blue).test(from("10.0.0.1:1", "u:1"))).isFalse();
  }
}
