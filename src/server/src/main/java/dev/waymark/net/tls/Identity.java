package dev.waymark.net.tls;

import dev.waymark.config.CertificateFiles;
import dev.waymark.net.tls.AlternativeName.Kind;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;

/**
 * A certificate with its private key: what one end of a TLS connection proves to be. Immutable.
 *
 * @param chain the certificate, and those of the CAs between it and the root
 */
record Identity(CertificateFiles files, List<X509Certificate> chain, PrivateKey key) {
  /** The extension with alternative names (RFC 5280, section 4.2.1.6). */
  private static final String SUBJECT_ALT_NAME = "2.5.29.17";

  Identity {
    chain = List.copyOf(chain);
  }

  /**
   * Reads and checks the files.
   *
   * @param mayKeyBeReadByAll whether a key file that everybody may read is accepted
   * @param now the time at which the certificate has to be valid
   */
  static Identity load(CertificateFiles files, boolean mayKeyBeReadByAll, Instant now)
      throws TlsFileException {
    List<X509Certificate> chain = Certificates.read(files.certificate());
    PrivateKey key = PrivateKeys.read(files.key(), mayKeyBeReadByAll);
    X509Certificate own = chain.getFirst();
    if (!PrivateKeys.match(key, own.getPublicKey())) {
      throw new TlsFileException(
          files.certificate(), "does not belong to the private key in " + files.key());
    }
    if (own.getNotAfter().toInstant().isBefore(now)) {
      throw new TlsFileException(
          files.certificate(), "expired at " + own.getNotAfter().toInstant() + "; renew it");
    }
    if (own.getNotBefore().toInstant().isAfter(now)) {
      throw new TlsFileException(
          files.certificate(),
          "not valid before " + own.getNotBefore().toInstant() + "; check the host's clock");
    }
    return new Identity(files, chain, key);
  }

  X509Certificate certificate() {
    return chain.getFirst();
  }

  Instant notAfter() {
    return certificate().getNotAfter().toInstant();
  }

  /**
   * The DNS names for which it stands, in lower case; {@code *.example.com} is every name one level
   * below example.com (RFC 9525, section 6.3). Without alternative names, the common name.
   */
  List<String> names() {
    Stream<String> names =
        certificate().getExtensionValue(SUBJECT_ALT_NAME) == null
            ? commonName().stream()
            : AlternativeName.of(certificate()).stream()
                .filter(name -> name.kind() == Kind.DNS)
                .map(AlternativeName::value);
    return names.map(name -> name.toLowerCase(Locale.ROOT)).toList();
  }

  /** What people call it: its first name, or its subject. */
  String label() {
    List<String> names = names();
    return names.isEmpty() ? certificate().getSubjectX500Principal().getName() : names.getFirst();
  }

  private Optional<String> commonName() {
    try {
      return new LdapName(certificate().getSubjectX500Principal().getName())
          .getRdns().stream()
              .filter(part -> part.getType().equalsIgnoreCase("CN"))
              .map(part -> String.valueOf(part.getValue()))
              .findFirst();
    } catch (InvalidNameException bad) {
      return Optional.empty();
    }
  }
}
