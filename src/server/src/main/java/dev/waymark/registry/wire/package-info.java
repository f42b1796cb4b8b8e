/**
 * Instances and changes to the messages of registry.proto and back, with a check of what peers say.
 */
@NullMarked
package dev.waymark.registry.wire;

import org.jspecify.annotations.NullMarked;
