package dev.waymark.tools.agent;

import dev.waymark.config.AgentService;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.RegistryAddress;
import dev.waymark.etcd.EtcdUser;
import dev.waymark.protocol.Check;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What an agent minds, and where it registers that. Immutable.
 *
 * @param node how it is called in the registries; two agents must not have the same name
 * @param ttl after how long without a word from the agent its instances are gone
 * @param services at least one
 * @param registries at least one; the services are registered with all of them
 * @param tls how it is spoken to the registries; empty: plain text
 * @param tokenFile with the bearer token for directories; empty: none
 * @param etcdUser as whom to log in to etcd; empty: without a login
 */
public record AgentOptions(
    String node,
    Duration ttl,
    List<AgentService> services,
    List<RegistryAddress> registries,
    Optional<ClientTlsConfig> tls,
    Optional<Path> tokenFile,
    Optional<EtcdUser> etcdUser) {
  public AgentOptions {
    services = List.copyOf(services);
    registries = List.copyOf(registries);
    Check.that(!services.isEmpty(), "an agent minds at least one service");
    Check.that(!registries.isEmpty(), "an agent registers with at least one registry");
  }
}
