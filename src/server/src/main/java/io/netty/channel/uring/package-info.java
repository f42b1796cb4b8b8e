/**
 * What Waymark has to add to Netty's io_uring transport from inside its package: see {@link
 * io.netty.channel.uring.Ipv4ServerSocketChannel}. Nothing else belongs here.
 */
@NullMarked
package io.netty.channel.uring;

import org.jspecify.annotations.NullMarked;
