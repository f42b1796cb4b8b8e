package dev.waymark.etcd;

import com.google.protobuf.ByteString;
import dev.waymark.etcd.pb.Event;
import dev.waymark.etcd.pb.KeyValue;
import dev.waymark.etcd.pb.RangeResponse;
import dev.waymark.etcd.pb.WatchResponse;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides what to ask of etcd to know all that is below a prefix. A list in pages, all of one
 * revision; then a watch from the next revision. In a new session the watch goes on after the last
 * revision that was complete, provided that etcd still has a value that is known as it was then:
 * otherwise it has lost its data since, its revisions mean something else, and the list is read
 * anew, as it is when the revision is compacted.
 *
 * <p>A server that says nothing is checked by a call of its own, not by a request for progress on
 * the watch: etcd's gRPC proxy does not answer those (etcd issue 19710), and some versions of etcd
 * do not if the watch is quiet (issue 17507).
 *
 * <p>Does no I/O: each input returns the next step. Confined to the control thread.
 */
final class PrefixWatch {
  /** Keys of a page, to begin with. */
  static final int PAGE_KEYS = 500;

  /** A page that exceeds gRPC's limit of 4 MiB is asked for with so many times fewer keys. */
  private static final int PAGE_SHRINKS_BY = 5;

  /** A server of which nothing was heard for so long is checked. */
  static final long QUIET_NS = TimeUnit.SECONDS.toNanos(10);

  /** When a watch must have begun. */
  static final long BEGIN_NS = TimeUnit.SECONDS.toNanos(5);

  /** What to do next. */
  sealed interface Step {
    /**
     * Ask for the keys of the prefix from this one on.
     *
     * @param revision at which; 0: the newest
     */
    record Page(ByteString from, int keys, long revision) implements Step {}

    /** Ask for this key as it was at this revision. */
    record Verify(ByteString key, long revision) implements Step {}

    /** Watch the prefix from this revision on. */
    record Watch(long revision) implements Step {}

    /** Ask for anything, to learn whether the server is there. */
    record Check() implements Step {}

    /** Nothing. */
    record Await() implements Step {}

    /** Call {@link #onRetry} after a wait: the revision that was asked for is compacted. */
    record Again() implements Step {}

    /** The same: this was refused. */
    record Refused(Status why) implements Step {}

    /** The same: there is too much. */
    record Full() implements Step {}

    /** The server is silent; leave it. */
    record Silent() implements Step {}
  }

  private static final Step AWAIT = new Step.Await();

  private final ByteString prefix;
  private final PrefixListener listener;

  /** Up to this revision everything is known; 0 before the first list. */
  private long knownRevision;

  /** A value as it was at {@link #knownRevision}; null if none is known. */
  private @Nullable KeyValue witness;

  /** The revision of the list that is being read; 0 before its first page. */
  private long listRevision;

  private int pageKeys = PAGE_KEYS;
  private @Nullable KeyValue listWitness;

  /** Whether etcd is known to have lost its data since the last list. */
  private boolean isOtherStore;

  private boolean isListing;

  /** Whether a watch was asked for, and has not ended. */
  private boolean isWatching;

  /** Whether it has begun. */
  private boolean hasBegun;

  /** Whether the server is being checked. */
  private boolean isChecking;

  /** Whether a part of the changes up to some revision was told, and the others are to come. */
  private boolean isPartial;

  private long heardNs;

  /**
   * @param prefix not empty
   */
  PrefixWatch(ByteString prefix, PrefixListener listener) {
    this.prefix = prefix;
    this.listener = listener;
  }

  // --- inputs ---

  /** There is a session, and no request under way. */
  Step onSession() {
    isWatching = false;
    KeyValue seen = witness;
    return seen == null || isListing || isPartial
        ? list()
        : new Step.Verify(seen.getKey(), knownRevision);
  }

  /** The wait is over, and the session the same. */
  Step onRetry() {
    return list();
  }

  Step onVerified(RangeResponse answer) {
    if (answer.getKvsCount() == 1 && answer.getKvs(0).equals(witness)) {
      return watch();
    }
    isOtherStore = true;
    return list();
  }

  Step onVerifyRefused(Status why) {
    if (EtcdErrors.isFuture(why)) {
      isOtherStore = true;
    } else if (!EtcdErrors.isCompacted(why)) {
      return new Step.Refused(why);
    }
    return list();
  }

  Step onPage(RangeResponse page) {
    if (listRevision == 0) {
      listRevision = page.getHeader().getRevision();
    }
    for (KeyValue each : page.getKvsList()) {
      listener.onPut(each.getKey(), each.getValue());
      if (listWitness == null || listWitness.getModRevision() < each.getModRevision()) {
        listWitness = each;
      }
    }
    if (listener.isFull()) {
      return new Step.Full();
    }
    if (page.getMore() && page.getKvsCount() > 0) {
      ByteString last = page.getKvs(page.getKvsCount() - 1).getKey();
      return new Step.Page(Keys.after(last), pageKeys, listRevision);
    }
    return onLastPage();
  }

  private Step onLastPage() {
    boolean isOther = isOtherStore || listRevision < knownRevision;
    knownRevision = listRevision;
    witness = listWitness;
    isListing = false;
    isPartial = false;
    isOtherStore = false;
    listener.onListed(isOther);
    return watch();
  }

  /**
   * @param from the key that the page was to begin with
   */
  Step onPageRefused(ByteString from, Status why) {
    if (why.getCode() == Status.Code.RESOURCE_EXHAUSTED && pageKeys > 1) {
      pageKeys = Math.max(1, pageKeys / PAGE_SHRINKS_BY);
      return new Step.Page(from, pageKeys, listRevision);
    }
    return EtcdErrors.isCompacted(why) ? new Step.Again() : new Step.Refused(why);
  }

  /** The request to watch has been sent. */
  void onWatchSent(long nowNs) {
    isWatching = true;
    hasBegun = false;
    isChecking = false;
    heardNs = nowNs;
  }

  Step onWatchAnswer(WatchResponse answer, long nowNs) {
    heardNs = nowNs;
    if (answer.getCanceled()) {
      isWatching = false;
      return answer.getCompactRevision() != 0
          ? new Step.Again()
          : new Step.Refused(EtcdErrors.ofCanceled(answer.getCancelReason()));
    }
    if (answer.getCreated()) {
      hasBegun = true;
      listener.onCurrent();
    } else {
      onChanges(answer);
    }
    if (listener.isFull()) {
      isWatching = false;
      return new Step.Full();
    }
    return AWAIT;
  }

  private void onChanges(WatchResponse answer) {
    int count = answer.getEventsCount();
    if (count == 0) {
      knownRevision = Math.max(knownRevision, answer.getHeader().getRevision());
      return;
    }
    // Some versions repeat what was before the first revision asked for (etcd pull request 20229).
    answer.getEventsList().stream()
        .filter(event -> event.getKv().getModRevision() > knownRevision)
        .forEach(this::onChange);
    isPartial = answer.getFragment();
    if (!isPartial) {
      long last = answer.getEvents(count - 1).getKv().getModRevision();
      knownRevision = Math.max(knownRevision, last);
    }
    listener.onCurrent();
  }

  private void onChange(Event event) {
    KeyValue pair = event.getKv();
    if (event.getType() == Event.EventType.PUT) {
      witness = pair;
      listener.onPut(pair.getKey(), pair.getValue());
    } else {
      if (witness != null && witness.getKey().equals(pair.getKey())) {
        witness = null;
      }
      listener.onDelete(pair.getKey());
    }
  }

  /** The watch failed, although the server works. */
  Step onWatchRefused(Status why) {
    isWatching = false;
    // What was missed may be more than etcd can send at once.
    return why.getCode() == Status.Code.RESOURCE_EXHAUSTED
        ? new Step.Again()
        : new Step.Refused(why);
  }

  /** The server has answered a check. */
  Step onChecked(long nowNs) {
    isChecking = false;
    heardNs = nowNs;
    return AWAIT;
  }

  /** To be called about once a second. */
  Step onTick(long nowNs) {
    long quietNs = nowNs - heardNs;
    if (!isWatching || isChecking) {
      return AWAIT;
    }
    if (!hasBegun) {
      return quietNs >= BEGIN_NS ? new Step.Silent() : AWAIT;
    }
    isChecking = quietNs >= QUIET_NS;
    return isChecking ? new Step.Check() : AWAIT;
  }

  // --- outputs ---

  /** Up to which revision everything is known; 0: nothing is. */
  long knownRevision() {
    return knownRevision;
  }

  // --- steps ---

  private Step list() {
    isListing = true;
    listRevision = 0;
    listWitness = null;
    pageKeys = PAGE_KEYS;
    listener.onList();
    return new Step.Page(prefix, pageKeys, 0);
  }

  private Step watch() {
    return new Step.Watch(knownRevision + 1);
  }
}
