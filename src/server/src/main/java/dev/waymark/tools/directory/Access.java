package dev.waymark.tools.directory;

import dev.waymark.api.http.Authentication;
import dev.waymark.api.http.Authenticator;
import dev.waymark.api.http.Denial;
import dev.waymark.api.http.Sender;
import dev.waymark.config.AdminTokens;
import dev.waymark.config.AdminTokens.Holder;
import dev.waymark.config.AdminTokens.Role;
import dev.waymark.config.ConfigException;
import dev.waymark.net.tls.PeerNames;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Who may use a directory, on its gRPC port and its admin port: the holders of tokens, and those
 * whose client certificate has a name with a role; without either, everybody. A call with both
 * counts as the token's. Thread-safe.
 *
 * <p>A token file that was replaced by one that cannot be used leaves the former tokens in force.
 */
final class Access implements Authenticator {
  /** RFC 6750, 2.1; the scheme is in any case (RFC 9110, 11.1). */
  private static final Pattern BEARER = Pattern.compile("(?i:bearer) +([A-Za-z0-9._~+/=-]+) *");

  /**
   * The roles of client certificates, by their names. Immutable.
   *
   * @param registrars the services that each may register
   */
  record Certificates(
      List<String> readers, List<String> operators, Map<String, List<String>> registrars) {
    static final Certificates NONE = new Certificates(List.of(), List.of(), Map.of());

    boolean isEmpty() {
      return readers.isEmpty() && operators.isEmpty() && registrars.isEmpty();
    }

    Optional<Holder> holder(List<String> names) {
      Optional<String> operator = new PeerNames(operators).findExactly(names);
      if (operator.isPresent()) {
        return operator.map(name -> new Holder(name, Role.OPERATE));
      }
      Optional<String> registrar =
          new PeerNames(List.copyOf(registrars.keySet())).findExactly(names);
      boolean isReader = new PeerNames(readers).findExactly(names).isPresent();
      if (registrar.isPresent() && !isReader) {
        return registrar.map(name -> new Holder(name, Role.REGISTER, servicesOf(name)));
      }
      return isReader
          ? Optional.of(
              new Holder(
                  names.getFirst(), Role.READ, registrar.map(this::servicesOf).orElse(List.of())))
          : Optional.empty();
    }

    /** Of the entry that the name matches. */
    private List<String> servicesOf(String name) {
      return registrars.entrySet().stream()
          .filter(entry -> new PeerNames(List.of(entry.getKey())).find(List.of(name)).isPresent())
          .flatMap(entry -> entry.getValue().stream())
          .toList();
    }
  }

  private final Certificates certificates;
  private final EventLog log;
  private volatile Optional<AdminTokens> tokens;

  /** Why the file cannot be used now; empty if it can. Confined to the thread that refreshes. */
  private String problem = "";

  /**
   * @param tokens empty: nobody has one
   */
  Access(Optional<AdminTokens> tokens, Certificates certificates, EventLog log) {
    this.tokens = tokens;
    this.certificates = certificates;
    this.log = log;
  }

  /**
   * Who makes a call with these credentials; empty if nobody knows.
   *
   * @param authorization the value of its header; null if it has none
   * @param session of its TLS; null without TLS
   */
  Optional<Caller> caller(
      @Nullable String authorization, @Nullable SSLSession session, String peer) {
    if (isOpen()) {
      return Optional.of(new Caller("anybody", peer, true, _ -> true));
    }
    Optional<Holder> holder =
        authorization != null && tokens.isPresent()
            ? ofToken(tokens.get(), authorization)
            : certificates.holder(namesOf(session));
    return holder.map(
        known -> new Caller(known.name(), peer, known.role() != Role.REGISTER, known::mayRegister));
  }

  private boolean isOpen() {
    return tokens.isEmpty() && certificates.isEmpty();
  }

  private static Optional<Holder> ofToken(AdminTokens tokens, String authorization) {
    Matcher bearer = BEARER.matcher(authorization.strip());
    return bearer.matches() ? tokens.holder(bearer.group(1)) : Optional.empty();
  }

  /** None if the peer has no certificate. */
  private static List<String> namesOf(@Nullable SSLSession session) {
    try {
      Certificate[] chain = session == null ? new Certificate[0] : session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate own
          ? PeerNames.of(own)
          : List.of();
    } catch (SSLPeerUnverifiedException none) {
      return List.of();
    }
  }

  @Override
  public Authentication admit(Credentials shown) {
    if (isOpen()) {
      return new Sender("anybody", true);
    }
    Optional<AdminTokens> current = tokens;
    if (current.isEmpty() || shown.authorization().isEmpty()) {
      return Denial.NO_CREDENTIALS;
    }
    return ofToken(current.get(), shown.authorization().getFirst())
        .filter(holder -> holder.role() != Role.REGISTER)
        .<Authentication>map(holder -> new Sender(holder.name(), holder.role() == Role.OPERATE))
        .orElse(Denial.UNKNOWN_TOKEN);
  }

  /** Reads the token file again if it has changed. Blocks; called by one thread. */
  void refresh() {
    try {
      Optional<AdminTokens> changed = tokens.flatMap(AdminTokens::readIfChanged);
      problem = "";
      if (changed.isPresent()) {
        tokens = changed;
        log.write(Event.ADMIN_TOKENS, "tokens", changed.get().count());
      }
    } catch (ConfigException unusable) {
      String why = String.valueOf(unusable.getMessage());
      if (!why.equals(problem)) {
        log.write(Event.ADMIN_TOKENS_REFUSED, "reason", why);
      }
      problem = why;
    }
  }
}
