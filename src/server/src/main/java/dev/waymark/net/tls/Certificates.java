package dev.waymark.net.tls;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/** Reads certificates and revocation lists from PEM files. Stateless. */
final class Certificates {
  private Certificates() {}

  /** All certificates in the file, in order; at least one. */
  static List<X509Certificate> read(Path file) throws TlsFileException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (Pem block : Pem.read(file)) {
      if (block.label().equals("CERTIFICATE") || block.label().equals("X509 CERTIFICATE")) {
        try {
          certificates.add(
              (X509Certificate)
                  factory().generateCertificate(new ByteArrayInputStream(block.der())));
        } catch (CertificateException bad) {
          throw new TlsFileException(
              file,
              "certificate " + (certificates.size() + 1) + " is damaged; copy the file again");
        }
      }
    }
    if (certificates.isEmpty()) {
      throw new TlsFileException(file, "has no certificate (-----BEGIN CERTIFICATE-----)");
    }
    return certificates;
  }

  /** All revocation lists in the file; at least one. */
  static List<X509CRL> readRevocationLists(Path file) throws TlsFileException {
    List<X509CRL> lists = new ArrayList<>();
    for (Pem block : Pem.read(file)) {
      if (block.label().equals("X509 CRL")) {
        try {
          lists.add((X509CRL) factory().generateCRL(new ByteArrayInputStream(block.der())));
        } catch (CRLException bad) {
          throw new TlsFileException(
              file, "revocation list " + (lists.size() + 1) + " is damaged; copy the file again");
        }
      }
    }
    if (lists.isEmpty()) {
      throw new TlsFileException(file, "has no revocation list (-----BEGIN X509 CRL-----)");
    }
    return lists;
  }

  private static CertificateFactory factory() {
    try {
      return CertificateFactory.getInstance("X.509");
    } catch (CertificateException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
