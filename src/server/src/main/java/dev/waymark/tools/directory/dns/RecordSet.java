package dev.waymark.tools.directory.dns;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The records of one name and type, in tiers: those of a tier come before those of the next, and in
 * random order among themselves. Confined to the event loop.
 */
final class RecordSet {
  private final EncodedRecord[] records;

  /** Where the tier of each record ends. */
  private final int[] tierEnds;

  private RecordSet(EncodedRecord[] records, int[] tierEnds) {
    this.records = records;
    this.tierEnds = tierEnds;
  }

  static RecordSet of(EncodedRecord only) {
    return ofTiers(List.of(List.of(only)));
  }

  /**
   * @param tiers the first is the first to be sent; at least one record in all
   */
  static RecordSet ofTiers(Iterable<List<EncodedRecord>> tiers) {
    List<EncodedRecord> all = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (List<EncodedRecord> tier : tiers) {
      int end = all.size() + tier.size();
      for (EncodedRecord each : tier) {
        all.add(each);
        ends.add(end);
      }
    }
    return new RecordSet(
        all.toArray(EncodedRecord[]::new), ends.stream().mapToInt(Integer::intValue).toArray());
  }

  int size() {
    return records.length;
  }

  EncodedRecord get(int index) {
    return records[index];
  }

  /**
   * Puts any record of the same tier that was not drawn yet at this index, and returns it: with
   * ascending indexes this is a shuffle, as far as it is needed.
   */
  EncodedRecord draw(int index, RandomGenerator random) {
    int left = tierEnds[index] - index;
    if (left > 1) {
      int drawn = index + random.nextInt(left);
      EncodedRecord taken = records[drawn];
      records[drawn] = records[index];
      records[index] = taken;
    }
    return records[index];
  }
}
