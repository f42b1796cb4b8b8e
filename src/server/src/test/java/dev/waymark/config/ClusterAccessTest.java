package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterAccessTest {
  @ParameterizedTest
  @CsvSource({"10.96.0.1, 443, 10.96.0.1:443", "fd00::1, 6443, [fd00::1]:6443"})
  void access_inAPod_isThatOfItsServiceAccount(String host, String port, String server) {
    ClusterAccess access =
        ClusterAccess.of(Map.of("KUBERNETES_SERVICE_HOST", host, "KUBERNETES_SERVICE_PORT", port))
            .orElseThrow();
    assertThat(access.server().text()).isEqualTo(server);
    assertThat(access.ca())
        .isEqualTo(Path.of("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"));
    assertThat(access.token())
        .isEqualTo(Path.of("/var/run/secrets/kubernetes.io/serviceaccount/token"));
  }

  @ParameterizedTest
  @CsvSource({"'', 443", "10.96.0.1, ''", "10.96.0.1, tcp://10.96.0.1:443"})
  void access_withoutUsableVariables_isNone(String host, String port) {
    assertThat(
            ClusterAccess.of(
                Map.of("KUBERNETES_SERVICE_HOST", host, "KUBERNETES_SERVICE_PORT", port)))
        .isEmpty();
  }

  @Test
  void access_outsideOfAPod_isNone() {
    assertThat(ClusterAccess.of(Map.of())).isEmpty();
  }
}
