package dev.waymark.net.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Names of which the certificate of the other end must have one: DNS names (RFC 9525, section 6.3),
 * or SPIFFE IDs, which may end in {@code /*} for all below. Immutable.
 */
public final class PeerNames {
  /** The choices of GeneralName (RFC 5280, section 4.2.1.6). */
  private static final int DNS_NAME = 2;

  private static final int URI = 6;
  private static final String SPIFFE = "spiffe://";

  private final List<String> expected;

  public PeerNames(List<String> expected) {
    this.expected = List.copyOf(expected);
  }

  /** The DNS names and URIs of a certificate; empty if they cannot be read. */
  public static List<String> of(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> all = certificate.getSubjectAlternativeNames();
      for (List<?> name : all == null ? List.<List<?>>of() : all) {
        if (name.getFirst() instanceof Integer type && (type == DNS_NAME || type == URI)) {
          names.add(String.valueOf(name.get(1)));
        }
      }
    } catch (CertificateParsingException bad) {
      return List.of();
    }
    return names;
  }

  /** Whether no name is expected. */
  public boolean isEmpty() {
    return expected.isEmpty();
  }

  /** Returns the first of these names that is expected. */
  public Optional<String> find(List<String> names) {
    return names.stream()
        .filter(name -> expected.stream().anyMatch(one -> matches(one, name)))
        .findFirst();
  }

  /** Likewise, but a wildcard in the certificate stands for no name. */
  public Optional<String> findExactly(List<String> names) {
    return find(names.stream().filter(name -> !name.startsWith("*")).toList());
  }

  private static boolean matches(String expected, String name) {
    if (!expected.startsWith(SPIFFE)) {
      return expected.equalsIgnoreCase(name) || matchesWildcard(expected, name);
    }
    return expected.endsWith("/*")
        ? name.startsWith(expected.substring(0, expected.length() - 1))
        : name.equals(expected);
  }

  /** Whether a certificate's wildcard stands for this name, one level below it. */
  private static boolean matchesWildcard(String expected, String name) {
    int dot = expected.indexOf('.');
    return name.startsWith("*.")
        && dot > 0
        && expected
            .substring(dot)
            .toLowerCase(Locale.ROOT)
            .equals(name.substring(1).toLowerCase(Locale.ROOT));
  }
}
