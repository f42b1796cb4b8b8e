package dev.waymark.upstream;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** All attachments of an upstream, across its lanes, by mark. Thread-safe. */
final class Attachments {
  private final ConcurrentHashMap<String, Attachment> byMark = new ConcurrentHashMap<>();
  private final int countMax;

  Attachments(int countMax) {
    this.countMax = countMax;
  }

  /** Whether there is room for this mark: a new attachment of a mark replaces the former one. */
  boolean hasRoomFor(String mark) {
    return byMark.size() < countMax || byMark.containsKey(mark);
  }

  /** The connection with this mark, or null. */
  @Nullable UpstreamConnection find(String mark) {
    Attachment attachment = byMark.get(mark);
    return attachment == null ? null : attachment.attached();
  }

  /**
   * Adds an attachment. If the mark already has one, the one with the higher epoch stays, or the
   * existing one if the epochs are equal.
   *
   * @return the attachment that lost, which may be this one; null if the mark had none
   */
  @Nullable Attachment add(Attachment attachment) {
    while (true) {
      Attachment former = byMark.putIfAbsent(attachment.mark(), attachment);
      if (former == null) {
        return null;
      }
      if (Integer.compareUnsigned(former.epoch(), attachment.epoch()) >= 0) {
        return attachment;
      }
      if (byMark.replace(attachment.mark(), former, attachment)) {
        return former;
      }
    }
  }

  /** Removes this attachment, but not its successor. */
  void remove(Attachment attachment) {
    byMark.remove(attachment.mark(), attachment);
  }

  /** The connections, in no particular order. */
  List<UpstreamConnection> all() {
    return byMark.values().stream().<UpstreamConnection>map(Attachment::attached).toList();
  }

  int count() {
    return byMark.size();
  }
}
