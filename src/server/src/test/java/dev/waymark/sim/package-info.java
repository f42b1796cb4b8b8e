/**
 * A deterministic simulation of the shards of one bridge: seeded clients, upstreams and faults,
 * virtual time, and one checker per rule of docs/protocol.md that sees only what enters and leaves
 * a shard.
 *
 * <p>{@link dev.waymark.sim.SimTest} runs thousands of {@link dev.waymark.sim.Plan}s, each a seed
 * with its faults and sizes. A {@link dev.waymark.sim.Sim} executes one plan on one thread:
 *
 * <ul>
 *   <li>The code under test is real: each {@link dev.waymark.sim.SimShard} runs an engine shard on
 *       a simulated event loop, and {@link dev.waymark.sim.SimFleet} runs the control side of the
 *       pool.
 *   <li>Around it everything is simulated: clients ({@link dev.waymark.sim.SimClient}), upstream
 *       processes ({@link dev.waymark.sim.SimProcess}) and the lanes to them ({@link
 *       dev.waymark.sim.SimLane}). An upstream is either a script ({@link
 *       dev.waymark.sim.SimUpstream}, {@link dev.waymark.sim.SimPeer}) or an application on the
 *       real SDK ({@link dev.waymark.sim.SdkProcess}, {@link dev.waymark.sim.SdkEcho}), connected
 *       through the real codec ({@link dev.waymark.sim.SdkLane}).
 *   <li>In each step time passes ({@link dev.waymark.sim.SimTime}), some of these act, and each
 *       {@link dev.waymark.sim.Fault} may strike. At the end all faults stop, and everything has to
 *       settle and close; or the bridge stops in the middle.
 *   <li>Whatever enters or leaves a shard is reported to the rule checkers ({@link
 *       dev.waymark.sim.Watchers}) and, as both ends saw it, to the end-to-end check ({@link
 *       dev.waymark.sim.history.History}).
 * </ul>
 *
 * <p>A failing plan is reduced by {@link dev.waymark.sim.Shrinker}. {@link dev.waymark.sim.Marks}
 * show which situations the seeds have reached, and each {@link dev.waymark.sim.Mutation} is a
 * deliberate defect that a checker has to catch.
 */
package dev.waymark.sim;
