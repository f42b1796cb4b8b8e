package dev.waymark.config;

import java.net.URI;
import java.net.URISyntaxException;

/** How an agent tests a service. Immutable. */
public sealed interface ServiceCheck {
  /** {@code grpc} or {@code grpc:SERVICE}: its health service; empty: of the whole server. */
  record Grpc(String service) implements ServiceCheck {}

  /** {@code tcp}: whether it accepts a connection. */
  record Tcp() implements ServiceCheck {}

  /**
   * {@code http:/PATH}, or a URL: the status of a GET.
   *
   * @param url with a host, or a path at the service's own address
   */
  record Http(URI url) implements ServiceCheck {
    /** The URL to request, for a service at this address. */
    public URI at(String address) {
      return isPath() ? URI.create("http://" + address + url) : url;
    }

    boolean isPath() {
      return url.getHost() == null;
    }
  }

  /** {@code command:LINE}: the exit code of a command line. */
  record Command(String line) implements ServiceCheck {}

  /** {@code none}: it counts as healthy. */
  record None() implements ServiceCheck {}

  /** What is expected of a text. */
  String EXPECTED =
      "grpc, grpc:SERVICE, tcp, http:/PATH, http://HOST:PORT/PATH, command:COMMAND or none";

  private static ServiceCheck http(String text) throws BadValueException {
    try {
      URI url = new URI(text);
      boolean isPath = text.startsWith("/") && url.getHost() == null && url.getFragment() == null;
      boolean isUrl = url.getHost() != null && url.getPort() <= 65_535;
      if (isPath || isUrl) {
        return new Http(url);
      }
    } catch (URISyntaxException notAUrl) {
      // Refused like any other text.
    }
    throw new BadValueException("http:/PATH or http://HOST:PORT/PATH, such as http:/healthz");
  }

  /** The type of such values. */
  static ValueType<ServiceCheck> type() {
    return ValueType.form(
        EXPECTED, "^(grpc|grpc:.+|tcp|http:/.+|https://.+|command:.+|none)$", ServiceCheck::read);
  }

  private static ServiceCheck read(String text) throws BadValueException {
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw new BadValueException(EXPECTED);
    }
    if (text.equals("grpc")) {
      return new Grpc("");
    }
    if (text.equals("tcp")) {
      return new Tcp();
    }
    if (text.equals("none")) {
      return new None();
    }
    if (text.startsWith("http://") || text.startsWith("https://")) {
      return http(text);
    }
    if (text.startsWith("http:")) {
      return http(text.substring("http:".length()));
    }
    if (text.startsWith("grpc:") && text.length() > "grpc:".length()) {
      return new Grpc(text.substring("grpc:".length()));
    }
    if (text.startsWith("command:") && !text.substring("command:".length()).isBlank()) {
      return new Command(text.substring("command:".length()));
    }
    throw new BadValueException(EXPECTED);
  }

  /** As it is written. */
  default String text() {
    return switch (this) {
      case Grpc(String service) -> service.isEmpty() ? "grpc" : "grpc:" + service;
      case Tcp _ -> "tcp";
      case Http http -> http.isPath() ? "http:" + http.url() : http.url().toString();
      case Command(String line) -> "command:" + line;
      case None _ -> "none";
    };
  }
}
