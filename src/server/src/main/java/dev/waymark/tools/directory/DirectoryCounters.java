package dev.waymark.tools.directory;

import java.util.concurrent.atomic.LongAdder;

/** Counts what happens in a directory. Thread-safe. */
final class DirectoryCounters {
  final LongAdder requests = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder denied = new LongAdder();
  final LongAdder expired = new LongAdder();
  final LongAdder watchMessages = new LongAdder();
  final LongAdder watchBytes = new LongAdder();
  final LongAdder xdsRefused = new LongAdder();
  final LongAdder xdsEnded = new LongAdder();
}
