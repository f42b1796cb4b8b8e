package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.TlsFacts;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Request;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsFactsReaderTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static Authority root;

  @BeforeAll
  static void start() throws IOException {
    Authority.assumeOpenssl();
    root = Authority.root(folder, "root");
  }

  private static TlsFacts.ClientCertificate read(String subject, String names)
      throws IOException, CertificateException {
    Path file = root.issue(Request.client("x").subject(subject).names(names)).certificate();
    try (InputStream stream = Files.newInputStream(file)) {
      return TlsFactsReader.client(
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(stream));
    }
  }

  @Test
  void names_areTold_withTheirTypes() throws Exception {
    TlsFacts.ClientCertificate told =
        read(
            "/O=Example\\, Inc./CN=one",
            "DNS:a.example,IP:192.0.2.7,IP:2001:db8::7,URI:spiffe://example/a,email:a@example,RID:1.2.3");
    assertThat(told.subject()).isEqualTo("CN=one,O=Example\\, Inc.");
    assertThat(told.alternativeNames())
        .containsExactly(
            "DNS:a.example",
            "IP:192.0.2.7",
            "IP:2001:db8:0:0:0:0:0:7",
            "URI:spiffe://example/a",
            "email:a@example");
    assertThat(told.areNamesCut()).isFalse();
  }

  @Test
  void names_areCut_whereTheyAreTooLong() throws Exception {
    String many =
        IntStream.range(0, 200)
            .mapToObj(i -> "DNS:device-" + i + ".with-a-long-name.example.com")
            .collect(Collectors.joining(","));
    TlsFacts.ClientCertificate told = read("/CN=one", many);
    int bytes = told.alternativeNames().stream().mapToInt(String::length).sum();
    assertThat(bytes + told.subject().length())
        .isBetween(
            SizeLimits.CERTIFICATE_NAME_BYTES_MAX - 100, SizeLimits.CERTIFICATE_NAME_BYTES_MAX);
    assertThat(told.areNamesCut()).isTrue();
  }
}
