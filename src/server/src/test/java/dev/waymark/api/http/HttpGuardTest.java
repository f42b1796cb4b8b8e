package dev.waymark.api.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.api.http.Route.Refusal;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpGuardTest {
  private boolean isTls;
  private final HttpGuard guard = new HttpGuard(List.of("Admin.Example.com", "*.corp.example"));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "127.0.0.1:7080",
        "10.1.2.3:80",
        "[::1]:7080",
        "[::1]",
        "[fe80::1]:1",
        "localhost",
        "LOCALHOST:7080",
        "localhost.",
        "app.localhost",
        "bridge",
        "my_bridge-1:7080",
        "admin.example.com",
        "ADMIN.example.com.:7080",
        "a.corp.example",
        "a.b.corp.example:1"
      })
  void host_impossibleForForeignPage_isServed(String host) {
    assertThat(status("Host", host)).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "evil.example:7080",
        "127.0.0.1.nip.io",
        "localhost.evil.example",
        "admin.example.com.evil.example",
        "example.com",
        "corp.example",
        "xcorp.example",
        "127.1",
        "0x7f.1",
        "lócalhost"
      })
  void host_possibleForForeignPage_isMisdirected(String host) {
    assertThat(status("Host", host)).isEqualTo(421);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        ":7080",
        "[]:1",
        "[::1",
        "::1",
        "[::1].evil.example",
        "[::1]evil.example:80",
        "127.0.0.1:80.evil.example",
        "localhost:evil.example",
        "127.0.0.1, evil.example",
        "evil.example/.localhost",
        "evil.example?.localhost",
        "evil.example#.localhost",
        "user@localhost",
        "local host"
      })
  void host_malformed_isRefused(String host) {
    assertThat(status("Host", host)).isIn(400, 421);
  }

  @Test
  void host_missingOrRepeated_isRefusedExceptForHttp10() {
    assertThat(status()).isEqualTo(400);
    assertThat(status("Host", "a", "Host", "b")).isEqualTo(400);
    assertThat(status(HttpVersion.HTTP_1_0, null)).isZero();
  }

  @Test
  void target_withHost_isCheckedToo() {
    assertThat(status(HttpVersion.HTTP_1_1, "evil.example", "Host", "localhost")).isEqualTo(421);
    assertThat(status(HttpVersion.HTTP_1_1, "localhost:1", "Host", "localhost")).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:7080, http://127.0.0.1:7080, 0",
    "localhost, http://localhost, 0",
    "localhost, http://localhost:80, 0",
    "localhost, https://localhost:443, 0",
    "LocalHost:7080, HTTP://localhost:7080, 0",
    "[::1]:7080, http://[::1]:7080, 0",
    "127.0.0.1:7080, http://127.0.0.1:3000, 403",
    "127.0.0.1:7080, http://localhost:7080, 403",
    "127.0.0.1:7080, http://evil.example, 403",
    "127.0.0.1:7080, null, 403",
    "127.0.0.1:7080, file://, 403",
    "127.0.0.1:7080, http://127.0.0.1:7080.evil.example, 403",
  })
  void origin_differentFromHost_isForbidden(String host, String origin, int status) {
    assertThat(status("Host", host, "Origin", origin)).isEqualTo(status);
  }

  @ParameterizedTest
  @CsvSource({"cross-site, 403", "Cross-Site, 403", "same-site, 403", "same-origin, 0", "none, 0"})
  void fetchSite_foreign_isForbidden(String site, int status) {
    assertThat(status("Host", "localhost", "Sec-Fetch-Site", site)).isEqualTo(status);
  }

  @Test
  void origin_ofPlainHttp_isForbiddenOnAPortWithTls() {
    isTls = true;
    assertThat(status("Host", "localhost:7080", "Origin", "https://localhost:7080")).isZero();
    assertThat(status("Host", "localhost:7080", "Origin", "http://localhost:7080")).isEqualTo(403);
  }

  private int status(String... headers) {
    return status(HttpVersion.HTTP_1_1, null, headers);
  }

  /** The status of the refusal; 0 if the request passes. */
  private int status(HttpVersion version, @Nullable String target, String... pairs) {
    HttpHeaders headers =
        DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    for (int i = 0; i < pairs.length; i += 2) {
      headers.add(pairs[i], pairs[i + 1]);
    }
    try {
      guard.check(version, headers, target, isTls);
      return 0;
    } catch (Refusal refusal) {
      return refusal.status();
    }
  }
}
