package dev.waymark.tools.ctl;

import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import java.net.URI;
import java.util.Optional;

/**
 * An admin port to ask. Immutable.
 *
 * @param address host:port, as it is shown
 * @param base its URL, without a path
 * @param token to show it; empty: none
 * @param tokenFlag the flag that names the file with the token, for messages
 */
public record AdminAddress(String address, URI base, Optional<String> token, String tokenFlag) {
  private static final String HTTP = "http://";
  private static final String HTTPS = "https://";

  /**
   * Reads HOST:PORT, or either kind of URL without a path. Plain HTTP is redirected by a port that
   * speaks TLS, so nobody has to name the scheme. Empty if it is neither.
   */
  public static Optional<AdminAddress> read(String text, Optional<String> token, String tokenFlag) {
    boolean isSecure = text.regionMatches(true, 0, HTTPS, 0, HTTPS.length());
    boolean isPlain = text.regionMatches(true, 0, HTTP, 0, HTTP.length());
    String rest = text.substring(isSecure ? HTTPS.length() : isPlain ? HTTP.length() : 0);
    try {
      String address =
          HostPort.dialled(rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest).text();
      URI base = URI.create((isSecure ? HTTPS : HTTP) + address);
      // Some hosts that can be dialled cannot be written in a URL.
      return base.getHost() == null
          ? Optional.empty()
          : Optional.of(new AdminAddress(address, base, token, tokenFlag));
    } catch (BadValueException | IllegalArgumentException neither) {
      return Optional.empty();
    }
  }
}
