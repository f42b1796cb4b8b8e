/**
 * The end-to-end check of the simulation: records what both ends of each connection saw, and checks
 * that the two views are consistent. Uses no class of the bridge, so that it cannot repeat a
 * mistake of the bridge. Start at {@link dev.waymark.sim.history.History}.
 */
package dev.waymark.sim.history;
