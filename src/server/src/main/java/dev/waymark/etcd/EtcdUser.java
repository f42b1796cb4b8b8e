package dev.waymark.etcd;

import java.util.function.Supplier;

/**
 * As whom to log in to etcd. Immutable.
 *
 * @param password is asked at each login, on a thread that may block, and throws {@link
 *     dev.waymark.config.ConfigException} if it cannot be had
 */
public record EtcdUser(String name, Supplier<String> password) {}
