package dev.waymark.upstream;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** All attachments of an upstream, over all its lanes, by mark. Thread-safe. */
final class Attachments {
  private final ConcurrentHashMap<String, Attachment> byMark = new ConcurrentHashMap<>();
  private final int countMax;

  Attachments(int countMax) {
    this.countMax = countMax;
  }

  /** Whether one more has room. */
  boolean hasRoom() {
    return byMark.size() < countMax;
  }

  /** The attachment of this mark, or null. */
  @Nullable Attachment find(String mark) {
    return byMark.get(mark);
  }

  /** Replaces an attachment of an older epoch. False: this one is the older, or the same again. */
  boolean add(Attachment attachment) {
    return byMark.merge(
            attachment.mark(),
            attachment,
            (old, young) -> old.epoch() < young.epoch() ? young : old)
        == attachment;
  }

  /** Forgets this one, not its successor. */
  void remove(Attachment attachment) {
    byMark.remove(attachment.mark(), attachment);
  }

  List<Connection> all() {
    return List.copyOf(byMark.values());
  }

  int count() {
    return byMark.size();
  }
}
