package dev.waymark.tools.ctl;

import dev.waymark.net.tls.Distrust;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Says why an HTTP request to an admin port failed, as one clause. Stateless. */
public final class RequestFailure {
  private RequestFailure() {}

  /**
   * Returns the clause.
   *
   * @param failure as the JDK's client completes a request with, without what wraps it
   * @param host that was asked
   */
  public static String text(@Nullable Throwable failure, String host) {
    return switch (failure) {
      case ConnectException unknown when isUnresolved(unknown) ->
          "unknown host " + host + "; the name resolves to no address";
      case ConnectException refused -> "cannot connect: " + reason(refused);
      case NoRouteToHostException unreachable -> "cannot connect: " + reason(unreachable);
      case SSLException bad -> tlsProblem(bad, host);
      case IOException _ -> "the response is not HTTP; use the URL of an admin port";
      case null, default -> String.valueOf(failure);
    };
  }

  /** Searches the causes, because the client wraps the exception. */
  private static boolean isUnresolved(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
        return true;
      }
    }
    return false;
  }

  /** Of a refused connection, the client keeps no message. */
  private static String reason(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null) {
        return cause.getMessage();
      }
    }
    return "connection refused";
  }

  /** Java names the step of its validation that failed, not what the user can do. */
  private static String tlsProblem(SSLException failure, String host) {
    String text = String.valueOf(failure.getMessage());
    if (text.contains("No subject alternative") || text.contains("No name matching")) {
      return "its certificate is not for "
          + host
          + "; use a name of the certificate in the URL, or accept any certificate with --insecure";
    }
    return Distrust.in(failure)
        .map(why ->
            why == Distrust.EXPIRED
                ? "its certificate has expired; renew it, or accept any certificate with --insecure"
                : "its certificate is not signed by a CA that this command trusts; name the CA with"
                    + " --ca, or accept any certificate with --insecure")
        .orElse("TLS: " + text);
  }
}
