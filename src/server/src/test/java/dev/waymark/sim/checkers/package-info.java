/** One class per rule of docs/protocol.md, written without the core. */
package dev.waymark.sim.checkers;
