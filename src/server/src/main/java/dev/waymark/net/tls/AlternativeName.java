package dev.waymark.net.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** A name in a certificate's subjectAltName (RFC 5280, section 4.2.1.6). Immutable. */
public record AlternativeName(Kind kind, String value) {
  /** The choices of GeneralName that have a form in text. */
  public enum Kind {
    EMAIL(1, "email"),
    DNS(2, "DNS"),
    URI(6, "URI"),
    IP(7, "IP");

    private final int tag;
    private final String label;

    Kind(int tag, String label) {
      this.tag = tag;
      this.label = label;
    }

    private static Optional<Kind> of(Object tag) {
      for (Kind kind : values()) {
        if (tag.equals(kind.tag)) {
          return Optional.of(kind);
        }
      }
      return Optional.empty();
    }
  }

  /** Returns the names of a certificate in its order, without those of other kinds. */
  public static List<AlternativeName> of(X509Certificate certificate) {
    List<AlternativeName> names = new ArrayList<>();
    try {
      Collection<List<?>> all = certificate.getSubjectAlternativeNames();
      for (List<?> name : all == null ? List.<List<?>>of() : all) {
        Kind.of(name.getFirst())
            .ifPresent(kind -> names.add(new AlternativeName(kind, String.valueOf(name.get(1)))));
      }
    } catch (CertificateParsingException bad) {
      return List.of();
    }
    return List.copyOf(names);
  }

  /** The form in logs and in what upstreams see: DNS:example.com. */
  @Override
  public String toString() {
    return kind.label + ":" + value;
  }
}
