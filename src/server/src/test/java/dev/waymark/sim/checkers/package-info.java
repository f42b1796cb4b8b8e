/**
 * The rule checkers of the simulation: mostly one class per rule of docs/protocol.md, independent
 * of the engine's implementation. Each is a {@link dev.waymark.sim.checkers.Watcher} of the inputs
 * and outputs of all shards, and throws {@link dev.waymark.sim.checkers.RuleBrokenError} at the
 * first violation. {@link dev.waymark.sim.checkers.Ledger} keeps the state that they share.
 */
package dev.waymark.sim.checkers;
