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
 * Classifies failed connects. Each transport has its own exceptions: Java's have distinct types,
 * the native ones have the kernel's error number, or at least its message. Stateless.
 */
public final class ConnectFailures {
  /** How messages of Netty's native transports start, before the error number. */
  private static final String NATIVE = "failed with error(";

  /** ECONNREFUSED on Linux. */
  private static final String REFUSED = "-111)";

  private ConnectFailures() {}

  /** What a failed connect to this address means. */
  public static UpstreamProblem problemOf(SocketAddress address, Throwable failure) {
    Path socket = socketOf(address);
    Kind kind = kindOf(socket, failure);
    return new UpstreamProblem(
        kind,
        switch (kind) {
          case CONNECTION_REFUSED ->
              socket == null
                  ? "connection refused: nothing is listening there"
                  : "connection refused: nothing is listening on the Unix socket";
          case CONNECT_TIMEOUT -> "connect timed out: no answer; packets may be dropped on the way";
          case NO_ROUTE -> "no route: " + message(failure);
          case NO_SOCKET -> "there is no Unix socket at this path";
          case PERMISSION_DENIED ->
              socket == null
                  ? "permission denied: a local rule forbids this connection"
                  : "permission denied: the bridge may not connect to the Unix socket";
          default -> "cannot connect: " + message(failure) + zoneHint(address);
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
    String message = message(failure).toLowerCase(Locale.ROOT);
    if (message.contains("permission denied") || message.contains("not permitted")) {
      return Kind.PERMISSION_DENIED;
    }
    if (message.contains("unreachable") || message.contains("no route")) {
      return Kind.NO_ROUTE;
    }
    if (message.contains("timed out")) {
      return Kind.CONNECT_TIMEOUT;
    }
    // NIO throws ConnectException for nothing else; the kernel's message depends on the locale.
    boolean isRefused =
        failure instanceof ConnectException
            && (!message.contains(NATIVE) || message.contains(NATIVE + REFUSED));
    return isRefused ? Kind.CONNECTION_REFUSED : Kind.CONNECT_FAILED;
  }

  private static @Nullable Path socketOf(SocketAddress address) {
    return switch (address) {
      case UnixDomainSocketAddress unix -> unix.getPath();
      case DomainSocketAddress unix -> Path.of(unix.path());
      default -> null;
    };
  }

  /** Returns the kernel's message, without the address that Netty appends. */
  private static String message(Throwable failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  private static String zoneHint(SocketAddress address) {
    boolean lacksZone =
        address instanceof InetSocketAddress inet
            && inet.getAddress() instanceof Inet6Address six
            && six.isLinkLocalAddress()
            && six.getScopeId() == 0;
    return lacksZone ? "; a link-local address needs its zone, such as [fe80::1%eth0]:4770" : "";
  }
}
