/**
 * The agent: checks services beside it, and keeps those that are healthy registered. Out of scope:
 * the command line, the keys of its file ({@code config}), and what is said to a registry. Start at
 * {@link dev.waymark.tools.agent.Agent}.
 */
@NullMarked
package dev.waymark.tools.agent;

import org.jspecify.annotations.NullMarked;
