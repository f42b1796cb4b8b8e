package dev.waymark.net.dial;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.FileNotFoundException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a failed connect means. The transports have exceptions of their own for it: Java's have
 * types, the native ones the kernel's number or at least its words. Stateless.
 */
final class ConnectFailures {
  /** How Netty's native transports start what the kernel says. */
  private static final String NATIVE = "failed with error(";

  /** ECONNREFUSED of Linux. */
  private static final String REFUSED = "-111)";

  private ConnectFailures() {}

  static UpstreamProblem problemOf(SocketAddress address, Throwable failure) {
    Path socket = socketOf(address);
    Kind kind = kindOf(socket, failure);
    return new UpstreamProblem(
        kind,
        switch (kind) {
          case CONNECTION_REFUSED ->
              socket == null
                  ? "connection refused: nothing listens there"
                  : "connection refused: nothing listens on the Unix socket";
          case CONNECT_TIMEOUT ->
              "connect timed out: no answer, as if packets were dropped on the way";
          case NO_ROUTE -> "no route: " + words(failure);
          case NO_SOCKET -> "there is no Unix socket at this path";
          case PERMISSION_DENIED ->
              socket == null
                  ? "permission denied: a local rule forbids this connection"
                  : "permission denied: the bridge may not connect to the Unix socket";
          default -> "cannot connect: " + words(failure) + zoneHint(address);
        });
  }

  private static Kind kindOf(@Nullable Path socket, Throwable failure) {
    if (failure instanceof ConnectTimeoutException) {
      return Kind.CONNECT_TIMEOUT;
    }
    if (failure instanceof NoRouteToHostException) {
      return Kind.NO_ROUTE;
    }
    if (failure instanceof FileNotFoundException || (socket != null && Files.notExists(socket))) {
      return Kind.NO_SOCKET;
    }
    String words = words(failure).toLowerCase(Locale.ROOT);
    if (words.contains("permission denied") || words.contains("not permitted")) {
      return Kind.PERMISSION_DENIED;
    }
    if (words.contains("unreachable") || words.contains("no route")) {
      return Kind.NO_ROUTE;
    }
    if (words.contains("timed out")) {
      return Kind.CONNECT_TIMEOUT;
    }
    // Java's own transport throws it for nothing else; the kernel's words depend on the locale.
    boolean isRefused =
        failure instanceof ConnectException
            && (!words.contains(NATIVE) || words.contains(NATIVE + REFUSED));
    return isRefused ? Kind.CONNECTION_REFUSED : Kind.CONNECT_FAILED;
  }

  private static @Nullable Path socketOf(SocketAddress address) {
    return switch (address) {
      case UnixDomainSocketAddress unix -> unix.getPath();
      case DomainSocketAddress unix -> Path.of(unix.path());
      default -> null;
    };
  }

  /** What the kernel says, without the address that Netty puts behind it. */
  private static String words(Throwable failure) {
    Throwable said = failure.getCause() == null ? failure : failure.getCause();
    String message = said.getMessage();
    return message == null ? said.getClass().getSimpleName() : message;
  }

  private static String zoneHint(SocketAddress address) {
    boolean isWithoutZone =
        address instanceof InetSocketAddress inet
            && inet.getAddress() instanceof Inet6Address six
            && six.isLinkLocalAddress()
            && six.getScopeId() == 0;
    return isWithoutZone
        ? "; a link-local address needs its zone, such as [fe80::1%eth0]:4770"
        : "";
  }
}
