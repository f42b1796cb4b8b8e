package dev.waymark.tools.directory.xds;

import java.util.List;

/**
 * A stream, for operators. Immutable.
 *
 * @param node what the client calls itself; empty if it does not
 * @param peer its address
 * @param types what it has asked for
 */
public record StreamStatus(
    String node, String peer, boolean isIncremental, List<TypeStatus> types) {
  public StreamStatus {
    types = List.copyOf(types);
  }

  /**
   * Where the client is with one type.
   *
   * @param isWildcard whether it gets all resources
   * @param nameCount how many it asks for by name
   * @param sentVersion of the last response; empty if there was none
   * @param ackedVersion of the last response that the client uses; empty if there is none
   * @param refusal why it refused the last response that it answered; empty if it did not
   */
  public record TypeStatus(
      ResourceType type,
      boolean isWildcard,
      int nameCount,
      String sentVersion,
      String ackedVersion,
      String refusal) {}
}
