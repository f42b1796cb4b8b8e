package dev.waymark.net.tls;

import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.ServerTlsConfig;
import dev.waymark.config.TlsKeys.KeyPermissions;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds every file for TLS that cannot be used, so that all can be reported together; opening them
 * reports only the first. Confined to one check.
 */
public final class TlsFileCheck {
  private interface Reading {
    void read() throws TlsFileException;
  }

  private final List<TlsFileException> problems = new ArrayList<>();

  private TlsFileCheck() {}

  /**
   * The files of a server that cannot be used. Blocks.
   *
   * @param now the time at which certificates have to be valid
   */
  public static List<TlsFileException> of(ServerTlsConfig config, Instant now) {
    TlsFileCheck check = new TlsFileCheck();
    boolean mayBeReadByAll = config.keyPermissions() == KeyPermissions.ANY;
    config.certificates().forEach(files -> check.pair(files, mayBeReadByAll, now));
    config.clients().ca().ifPresent(check::certificates);
    config
        .clients()
        .crl()
        .ifPresent(lists -> check.run(() -> Certificates.readRevocationLists(lists)));
    config.ticketKeys().ifPresent(keys -> check.run(() -> TicketKeys.read(keys, mayBeReadByAll)));
    if (check.problems.isEmpty()) {
      // What only shows when they are used together.
      check.run(() ->
          ServerContexts.load(config, Engines.choose(config.engine()), now, Optional.empty())
              .release());
    }
    return check.problems;
  }

  /**
   * The files of a client that cannot be used. Blocks.
   *
   * @param now the time at which the certificate has to be valid
   */
  public static List<TlsFileException> of(ClientTlsConfig config, Instant now) {
    TlsFileCheck check = new TlsFileCheck();
    boolean mayBeReadByAll = config.keyPermissions() == KeyPermissions.ANY;
    config.ca().ifPresent(check::certificates);
    config.identity().ifPresent(files -> check.pair(files, mayBeReadByAll, now));
    return check.problems;
  }

  private void pair(CertificateFiles files, boolean mayBeReadByAll, Instant now) {
    int before = problems.size();
    certificates(files.certificate());
    if (problems.size() == before || !files.key().equals(files.certificate())) {
      run(() -> PrivateKeys.read(files.key(), mayBeReadByAll));
    }
    if (problems.size() == before) {
      run(() -> Identity.load(files, mayBeReadByAll, now));
    }
  }

  private void certificates(Path file) {
    run(() -> Certificates.read(file));
  }

  private void run(Reading reading) {
    try {
      reading.read();
    } catch (TlsFileException unusable) {
      problems.add(unusable);
    }
  }
}
