package dev.waymark.config;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** The name of this host. Stateless. */
public final class HostName {
  private static final Path OF_KERNEL = Path.of("/proc/sys/kernel/hostname");

  private HostName() {}

  /** Returns it; localhost if there is none. */
  public static String read() {
    try {
      // Unlike getLocalHost, this does not ask a name server.
      String name =
          Files.isReadable(OF_KERNEL)
              ? Files.readString(OF_KERNEL).strip()
              : InetAddress.getLocalHost().getHostName();
      return name.isEmpty() ? "localhost" : name;
    } catch (IOException unknown) {
      return "localhost";
    }
  }
}
