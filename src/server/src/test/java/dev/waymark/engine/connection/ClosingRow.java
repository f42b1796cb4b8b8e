package dev.waymark.engine.connection;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** After these events there were just these effects, and the connection ended so. */
record ClosingRow(
    String description,
    List<Event> events,
    List<String> effects,
    CloseReason reason,
    Origin endedBy) {
  /** What happens to a world. */
  record Event(String name, Consumer<ClosingWorld> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A row of which only this is known so far. */
  static ClosingRow row(String description) {
    return new ClosingRow(description, List.of(), List.of(), CloseReason.DONE, Origin.BRIDGE);
  }

  ClosingRow after(Event... happened) {
    return new ClosingRow(description, List.of(happened), effects, reason, endedBy);
  }

  /**
   * @param joined all effects but the end, between commas
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
