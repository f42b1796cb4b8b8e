package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Request;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrustTest {
  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init")
  private Authority root;

  @BeforeEach
  void start() throws Exception {
    Authority.assumeOpenssl();
    root = Authority.root(folder.resolve("root"), "root");
  }

  private X509Certificate[] chain(Request request) throws Exception {
    return Certificates.read(root.issue(request).certificate()).toArray(X509Certificate[]::new);
  }

  @Test
  void chain_ofAClient_isLimited() throws Exception {
    Trust trust = Trust.load(root.certificate(), Optional.empty());
    X509Certificate[] chain = chain(Request.client("device"));
    X509Certificate[] padded = Arrays.copyOf(chain, 7);
    Arrays.fill(padded, chain.length, padded.length, chain[0]);
    assertThat(trust.distrust(chain)).isEmpty();
    assertThat(trust.distrust(padded)).contains(Distrust.INVALID);
  }

  @Test
  void chain_ofAClient_isLimitedInBytes() throws Exception {
    Trust trust = Trust.load(root.certificate(), Optional.empty());
    String names =
        IntStream.range(0, 1_000)
            .mapToObj(i -> "URI:spiffe://example.org/" + "x".repeat(20) + i)
            .collect(Collectors.joining(","));
    X509Certificate[] large = chain(Request.client("device").names(names));
    assertThat(large[0].getEncoded()).hasSizeGreaterThan(32 * 1024);
    assertThat(trust.distrust(large)).contains(Distrust.INVALID);
  }

  /** The name was proved when the session began; an engine without a handshake cannot check it. */
  @Test
  void upstream_thatResumesItsSession_isTrusted() throws Exception {
    UpstreamTrust trust = UpstreamTrust.load(Optional.of(root.certificate()), List.of());
    SSLEngine engine = SSLContext.getDefault().createSSLEngine("a.example", 1);
    X509Certificate[] chain = chain(Request.server("a.example"));
    assertThatCode(() -> trust.resumeServerTrusted(chain, engine)).doesNotThrowAnyException();
  }

  @Test
  void upstream_thatResumesItsSession_mustStillHaveAnExpectedName() throws Exception {
    UpstreamTrust trust = UpstreamTrust.load(Optional.of(root.certificate()), List.of("b.example"));
    SSLEngine engine = SSLContext.getDefault().createSSLEngine("a.example", 1);
    X509Certificate[] chain = chain(Request.server("a.example"));
    assertThatThrownBy(() -> trust.resumeServerTrusted(chain, engine))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining("a.example");
  }
}
