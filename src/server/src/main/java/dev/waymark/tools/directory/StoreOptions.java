package dev.waymark.tools.directory;

import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.RegistryAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The etcd in which several directories share what is registered. Immutable.
 *
 * @param tls how it is spoken to etcd; empty: plain text
 * @param username as whom to log in; empty: without a login
 * @param passwordFile with the user's password; read at each login
 */
public record StoreOptions(
    RegistryAddress etcd,
    Optional<ClientTlsConfig> tls,
    String username,
    Optional<Path> passwordFile) {}
