/**
 * Pools of upstreams: health (grpc.health.v1 Watch), the state derived from it and from discovery
 * (ejection, slow start, leader, subsets), balancing policies, snapshots.
 *
 * <p>Out of scope: lanes, connections, metrics and logs (the latter two learn of changes through
 * {@link dev.waymark.upstreams.PoolEvents}). Only {@code bridge} imports this package. Everything
 * but the balancers is confined to the control thread unless it says otherwise. Start at {@link
 * dev.waymark.upstreams.PoolManager}.
 */
@NullMarked
package dev.waymark.upstreams;

import org.jspecify.annotations.NullMarked;
