package dev.waymark.engine.connection;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A row of the {@link ClosingTable}: a sequence of events, exactly the effects that it must have,
 * and how the connection ends.
 */
record ClosingRow(
    String description,
    List<Event> events,
    List<String> effects,
    CloseReason reason,
    Origin endedBy) {
  /** One input to a {@link ClosingWorld}. */
  record Event(String name, Consumer<ClosingWorld> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Starts a row, to be completed with the methods below. */
  static ClosingRow row(String description) {
    return new ClosingRow(description, List.of(), List.of(), CloseReason.DONE, Origin.BRIDGE);
  }

  ClosingRow after(Event... happened) {
    return new ClosingRow(description, List.of(happened), effects, reason, endedBy);
  }

  /**
   * @param joined all effects except the final one, separated by commas
   */
  ClosingRow shows(String joined) {
    return new ClosingRow(description, events, List.of(joined.split(", ")), reason, endedBy);
  }

  ClosingRow ends(CloseReason why, Origin by) {
    return new ClosingRow(description, events, effects, why, by);
  }

  /** All effects, in order. */
  List<String> allEffects() {
    Stream<String> end = Stream.of("closed " + reason + " by " + endedBy);
    return Stream.concat(effects.stream(), end).toList();
  }

  @Override
  public String toString() {
    return description + " " + events;
  }
}
