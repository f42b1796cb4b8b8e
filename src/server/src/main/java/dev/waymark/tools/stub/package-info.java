/**
 * The stub, an upstream for development: echoes, or answers by rules, and has an admin port to make
 * it misbehave. Also the echo upstream that a bridge embeds. Out of scope: the command line. Start
 * at {@link dev.waymark.tools.stub.StubServer}.
 */
@NullMarked
package dev.waymark.tools.stub;

import org.jspecify.annotations.NullMarked;
