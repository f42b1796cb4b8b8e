package dev.waymark.net.tls;

import java.security.cert.CertificateException;
import java.util.List;

/** The certificate of an upstream is valid, but that of somebody else. */
public final class WrongNameException extends CertificateException {
  private static final long serialVersionUID = 1L;

  /** How many names of a certificate are worth showing. */
  private static final int NAMES_MAX = 5;

  WrongNameException(List<String> names) {
    super("its certificate is for " + shown(names));
  }

  private static String shown(List<String> names) {
    if (names.isEmpty()) {
      return "no name";
    }
    return String.join(", ", names.subList(0, Math.min(NAMES_MAX, names.size())))
        + (names.size() > NAMES_MAX ? ", …" : "");
  }
}
