package dev.waymark.config;

import java.util.Comparator;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * All mistakes, to be reported together: flags and variables first, then the file from top to
 * bottom. Confined to one load.
 */
final class Problems {
  private static final int COUNT_MAX = 50;

  /**
   * A mistake.
   *
   * @param number in the order in which they were noticed
   */
  private record Problem(Origin origin, int number, String line) {
    static final Comparator<Problem> IN_ORDER =
        Comparator.<Problem>comparingInt(problem -> rank(problem.origin))
            .thenComparingInt(problem -> lineOf(problem.origin))
            .thenComparingInt(problem -> columnOf(problem.origin))
            .thenComparingInt(Problem::number);

    private static int rank(Origin origin) {
      return switch (origin) {
        case Origin.Flag _ -> 0;
        case Origin.Environment _ -> 1;
        case Origin.File _, Origin.Default _ -> 2;
        case Origin.Fitted fitted -> rank(fitted.asked());
      };
    }

    private static int lineOf(Origin origin) {
      return switch (origin) {
        case Origin.File file -> file.line();
        case Origin.Default byDefault -> byDefault.near().map(Origin.File::line).orElse(0);
        case Origin.Flag _, Origin.Environment _ -> 0;
        case Origin.Fitted fitted -> lineOf(fitted.asked());
      };
    }

    private static int columnOf(Origin origin) {
      return switch (origin) {
        case Origin.File file -> file.column();
        case Origin.Default byDefault -> byDefault.near().map(Origin.File::column).orElse(0);
        case Origin.Flag _, Origin.Environment _ -> 0;
        case Origin.Fitted fitted -> columnOf(fitted.asked());
      };
    }
  }

  /** The first of them, in order. */
  private final TreeSet<Problem> first = new TreeSet<>(Problem.IN_ORDER);

  private int addedCount;

  /** Adds a mistake at a place in the file; the line starts with the place. */
  void add(Origin.File at, String what) {
    addLine(at, at.place() + ": " + what);
  }

  /** Adds a mistake whose line names its place already. */
  void addLine(Origin origin, String line) {
    if (first.stream().anyMatch(known -> known.line.equals(line))) {
      return;
    }
    first.add(new Problem(origin, addedCount++, line));
    if (first.size() > COUNT_MAX) {
      first.pollLast();
    }
  }

  boolean isEmpty() {
    return first.isEmpty();
  }

  /**
   * Ends the load if there is any mistake.
   *
   * @throws ConfigException with one line for each
   */
  void raise() {
    if (!first.isEmpty()) {
      int dropped = addedCount - first.size();
      throw new ConfigException(
          first.stream().map(Problem::line).collect(Collectors.joining("\n"))
              + (dropped == 0 ? "" : "\nand " + dropped + " more"));
    }
  }
}
