package dev.waymark.config;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How a process in a pod of Kubernetes reaches the API server of its cluster. Immutable.
 *
 * @param server where it is
 * @param ca the CAs that its certificate may come from, as PEM
 * @param token the credential of the pod's service account; Kubernetes replaces it before it
 *     expires
 */
public record ClusterAccess(HostPort server, Path ca, Path token) {
  private static final String HOST = "KUBERNETES_SERVICE_HOST";
  private static final String PORT = "KUBERNETES_SERVICE_PORT";

  /** Where Kubernetes mounts the files of the service account. */
  private static final Path FOLDER = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

  /** That of this process; empty if these are not the variables of a pod. */
  public static Optional<ClusterAccess> of(Map<String, String> environment) {
    String host = environment.getOrDefault(HOST, "");
    try {
      HostPort server =
          HostPort.dialled(
              (host.indexOf(':') >= 0 ? "[" + host + "]" : host)
                  + ":"
                  + environment.getOrDefault(PORT, ""));
      return Optional.of(
          new ClusterAccess(server, FOLDER.resolve("ca.crt"), FOLDER.resolve("token")));
    } catch (BadValueException notInAPod) {
      return Optional.empty();
    }
  }
}
