package dev.waymark.upstreams;

import io.netty.resolver.HostsFileEntriesProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files that say how names are resolved, read again when they change: DHCP clients, VPNs,
 * Docker and Kubernetes write them while the bridge runs. Confined to the control thread.
 */
final class ResolverFiles {
  /** How soon a change is seen. */
  static final long CHECK_MS = 2_000;

  /** More of resolv.conf is not read. */
  private static final int RESOLV_CONF_BYTES_MAX = 64 * 1024;

  private final Path resolvConf;
  private final Path hosts;
  private List<Object> resolvConfState = List.of();
  private List<Object> hostsState = List.of();
  private ResolvConf conf = ResolvConf.NONE;
  private @Nullable HostsFileEntriesProvider entries;

  ResolverFiles(Path resolvConf, Path hosts) {
    this.resolvConf = resolvConf;
    this.hosts = hosts;
  }

  static ResolverFiles ofSystem() {
    return new ResolverFiles(Path.of("/etc/resolv.conf"), Path.of("/etc/hosts"));
  }

  /** What holds now; {@link ResolvConf#NONE} if the file cannot be read. */
  ResolvConf resolvConf() {
    List<Object> now = state(resolvConf);
    if (!now.equals(resolvConfState)) {
      resolvConfState = now;
      conf = now.isEmpty() ? ResolvConf.NONE : ResolvConf.parse(head(resolvConf));
    }
    return conf;
  }

  /** What the hosts file says now; nothing if it cannot be read. */
  HostsFileEntriesProvider hosts() {
    List<Object> now = state(hosts);
    HostsFileEntriesProvider known = entries;
    if (known == null || !now.equals(hostsState)) {
      hostsState = now;
      known = HostsFileEntriesProvider.parser().parseSilently(hosts.toFile());
      entries = known;
    }
    return known;
  }

  /** Whether a file is another one than when it was last read. */
  boolean isChanged() {
    return !state(resolvConf).equals(resolvConfState) || !state(hosts).equals(hostsState);
  }

  /** Where the name servers are taken from, for messages. */
  Path resolvConfPath() {
    return resolvConf;
  }

  /** What tells one content of a file from another; empty: there is no file. */
  private static List<Object> state(Path file) {
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
