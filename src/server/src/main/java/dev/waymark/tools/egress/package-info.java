/**
 * The egress, an upstream for servers that speak no gRPC: opens one TCP connection to the server
 * per client connection and passes bytes on. Out of scope: the command line. Start at {@link
 * dev.waymark.tools.egress.EgressServer}.
 */
@NullMarked
package dev.waymark.tools.egress;

import org.jspecify.annotations.NullMarked;
