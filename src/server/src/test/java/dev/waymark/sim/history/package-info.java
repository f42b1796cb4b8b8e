/**
 * What both ends of each connection saw, and whether it fits together: the end-to-end check of the
 * simulation. Knows no class of the bridge, so that it cannot repeat a mistake of the bridge. Start
 * at {@link dev.waymark.sim.history.History}.
 */
package dev.waymark.sim.history;
