package dev.waymark.net.tls;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A fatal alert by which a peer ended a handshake. Immutable.
 *
 * @param name as in RFC 8446, section 6, such as unknown_ca
 */
public record PeerAlert(String name) {
  /**
   * The alerts that clients send in handshakes (RFC 8446, appendix B.2; RFC 5246, appendix A.3).
   */
  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(10, "unexpected_message"),
          Map.entry(40, "handshake_failure"),
          Map.entry(42, "bad_certificate"),
          Map.entry(43, "unsupported_certificate"),
          Map.entry(44, "certificate_revoked"),
          Map.entry(45, "certificate_expired"),
          Map.entry(46, "certificate_unknown"),
          Map.entry(47, "illegal_parameter"),
          Map.entry(48, "unknown_ca"),
          Map.entry(49, "access_denied"),
          Map.entry(50, "decode_error"),
          Map.entry(51, "decrypt_error"),
          Map.entry(70, "protocol_version"),
          Map.entry(71, "insufficient_security"),
          Map.entry(80, "internal_error"),
          Map.entry(86, "inappropriate_fallback"),
          Map.entry(90, "user_canceled"),
          Map.entry(109, "missing_extension"),
          Map.entry(110, "unsupported_extension"),
          Map.entry(112, "unrecognized_name"),
          Map.entry(116, "certificate_required"),
          Map.entry(120, "no_application_protocol"));

  private static final Set<String> ABOUT_CERTIFICATES =
      Set.of(
          "bad_certificate",
          "unsupported_certificate",
          "certificate_revoked",
          "certificate_expired",
          "certificate_unknown",
          "unknown_ca");

  /**
   * BoringSSL: error:10000418:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA. The JDK:
   * Received fatal alert: unknown_ca, or, if it came in the clear, ... Alert: unknown_ca.
   */
  private static final Pattern TEXT =
      Pattern.compile("(?:(?:SSLV3|TLSV1)_ALERT_|[aA]lert: )([A-Za-z_]{1,64})$");

  private static final int CAUSES_MAX = 10;

  static PeerAlert of(int code) {
    return new PeerAlert(NAMES.getOrDefault(code, Integer.toString(code)));
  }

  /** The alert that made a handshake fail; empty if something else did. */
  public static Optional<PeerAlert> in(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
      Matcher text = TEXT.matcher(String.valueOf(cause.getMessage()));
      if (text.find()) {
        return Optional.of(new PeerAlert(text.group(1).toLowerCase(Locale.ROOT)));
      }
      cause = cause.getCause();
    }
    return Optional.empty();
  }

  /** Whether the peer does not accept the certificate that was presented to it. */
  public boolean isAboutCertificate() {
    return ABOUT_CERTIFICATES.contains(name);
  }
}
