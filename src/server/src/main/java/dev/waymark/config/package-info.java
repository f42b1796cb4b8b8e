/**
 * The configuration: what keys there are, how they are read from flags, environment and a YAML file
 * with errors that name file, line, key, value and remedy, and the immutable settings that result.
 * Out of scope: anything that acts on them. Used by most packages above the engine; sees only the
 * engine's options. Loading is confined to its caller, settings may be used by any thread.
 *
 * <p>A key is declared once, in the {@code …Keys} class of the component that it configures, for
 * example {@link dev.waymark.config.BalancingKeys}; all else follows (docs/decisions/0035). Start
 * at {@link dev.waymark.config.BridgeConfig} for what components get, at {@link
 * dev.waymark.config.ConfigLoader} for how it is read.
 */
@NullMarked
package dev.waymark.config;

import org.jspecify.annotations.NullMarked;
