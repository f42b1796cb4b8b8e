package dev.waymark.upstreams.names;

import io.netty.resolver.HostsFileEntriesProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The resolver's configuration files, read again when they change: DHCP clients, VPNs, Docker and
 * Kubernetes rewrite them while the bridge runs. Confined to the control thread.
 */
public final class ResolverFiles {
  /** The interval of checks for changes. */
  public static final long CHECK_MS = 2_000;

  /** The rest of a longer resolv.conf is ignored. */
  private static final int RESOLV_CONF_BYTES_MAX = 64 * 1024;

  private final Path resolvConf;
  private final Path hosts;
  private List<Object> resolvConfFingerprint = List.of();
  private List<Object> hostsFingerprint = List.of();
  private ResolvConf conf = ResolvConf.NONE;
  private @Nullable HostsFileEntriesProvider entries;

  ResolverFiles(Path resolvConf, Path hosts) {
    this.resolvConf = resolvConf;
    this.hosts = hosts;
  }

  /** Returns those of this host. */
  public static ResolverFiles ofSystem() {
    return new ResolverFiles(Path.of("/etc/resolv.conf"), Path.of("/etc/hosts"));
  }

  /** Returns the current resolv.conf; {@link ResolvConf#NONE} if it cannot be read. */
  ResolvConf resolvConf() {
    List<Object> now = fingerprint(resolvConf);
    if (!now.equals(resolvConfFingerprint)) {
      resolvConfFingerprint = now;
      conf = now.isEmpty() ? ResolvConf.NONE : ResolvConf.parse(head(resolvConf));
    }
    return conf;
  }

  /** Returns the current entries of the hosts file; none if it cannot be read. */
  HostsFileEntriesProvider hosts() {
    List<Object> now = fingerprint(hosts);
    HostsFileEntriesProvider known = entries;
    if (known == null || !now.equals(hostsFingerprint)) {
      hostsFingerprint = now;
      known = HostsFileEntriesProvider.parser().parseSilently(hosts.toFile());
      entries = known;
    }
    return known;
  }

  /** Whether either file has changed since it was last read. */
  boolean hasChanged() {
    return !fingerprint(resolvConf).equals(resolvConfFingerprint)
        || !fingerprint(hosts).equals(hostsFingerprint);
  }

  /** Returns the path of resolv.conf, for messages. */
  Path resolvConfPath() {
    return resolvConf;
  }

  /** Returns attributes that change with the file's content; empty if there is no file. */
  private static List<Object> fingerprint(Path file) {
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return List.of(now.lastModifiedTime(), now.size(), String.valueOf(now.fileKey()));
    } catch (IOException missing) {
      return List.of();
    }
  }

  private static String head(Path file) {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(RESOLV_CONF_BYTES_MAX), StandardCharsets.ISO_8859_1);
    } catch (IOException unreadable) {
      return "";
    }
  }
}
