package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.HexFormat;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Alerts of peers, by the texts of both engines and by their bytes. */
final class PeerAlertTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "error:10000418:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA | unknown_ca",
        "error:10000416:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_UNKNOWN | certificate_unknown",
        "(bad_certificate) Received fatal alert: bad_certificate | bad_certificate",
        "Unexpected plaintext alert received: Level: fatal; Alert: certificate_expired | certificate_expired"
      })
  void alert_inATextOfAnEngine_isFound(String text, String name) {
    PeerAlert alert = new PeerAlert(name);
    SSLException engine = new SSLException(text);
    assertThat(PeerAlert.in(engine)).contains(alert);
    assertThat(PeerAlert.in(new SSLException("Unexpected exception", engine))).contains(alert);
    assertThat(alert.isAboutCertificate()).isTrue();
  }

  @Test
  void otherFailures_haveNone() {
    assertThat(PeerAlert.in(new SSLException("no cipher suites in common"))).isEmpty();
    assertThat(PeerAlert.in(new SSLException((String) null))).isEmpty();
    assertThat(new PeerAlert("protocol_version").isAboutCertificate()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "15030300020230, unknown_ca",
    "1403030001011503030002022a, bad_certificate",
    "150301000202fe, 254"
  })
  void alert_inTheClear_isSeen(String record, String name) {
    assertThat(seenIn(record).seen()).contains(new PeerAlert(name));
  }

  /** A warning, an encrypted record, and too few bytes. */
  @ParameterizedTest
  @ValueSource(strings = {"15030300020100", "1703030002022a", "150303000202"})
  void otherBytes_areNone(String record) {
    assertThat(seenIn(record).seen()).isEmpty();
  }

  private static PlaintextAlert seenIn(String hex) {
    PlaintextAlert reader = new PlaintextAlert();
    EmbeddedChannel channel = new EmbeddedChannel(reader);
    channel.writeInbound(Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex)));
    channel.finishAndReleaseAll();
    return reader;
  }
}
