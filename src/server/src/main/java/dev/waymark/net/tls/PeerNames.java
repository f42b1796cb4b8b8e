package dev.waymark.net.tls;

import dev.waymark.net.tls.AlternativeName.Kind;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Names of which the certificate of the other end must have one: DNS names (RFC 9525, section 6.3),
 * or SPIFFE IDs, which may end in {@code /*} for all below. Immutable.
 */
public final class PeerNames {
  private static final String SPIFFE = "spiffe://";

  private final List<String> expected;

  public PeerNames(List<String> expected) {
    this.expected = List.copyOf(expected);
  }

  /** The DNS names and URIs of a certificate; empty if they cannot be read. */
  public static List<String> of(X509Certificate certificate) {
    return AlternativeName.of(certificate).stream()
        .filter(name -> name.kind() == Kind.DNS || name.kind() == Kind.URI)
        .map(AlternativeName::value)
        .toList();
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
