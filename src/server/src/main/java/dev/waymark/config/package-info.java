/**
 * The configuration: immutable records, and how they are read from flags, environment and a YAML
 * file, with errors that name file, line, column, key, value and remedy. Not inside: anything that
 * acts on it. Start at {@link dev.waymark.config.BridgeConfig}.
 */
@NullMarked
package dev.waymark.config;

import org.jspecify.annotations.NullMarked;
