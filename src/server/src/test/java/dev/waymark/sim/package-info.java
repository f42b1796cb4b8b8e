/**
 * A deterministic simulation of a shard: seeded clients, upstreams and faults, virtual time, and
 * one checker per rule of docs/protocol.md that watches only what goes in and out. Start at {@link
 * dev.waymark.sim.Sim}.
 */
package dev.waymark.sim;
