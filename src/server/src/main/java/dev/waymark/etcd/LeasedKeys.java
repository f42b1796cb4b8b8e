package dev.waymark.etcd;

import com.google.protobuf.ByteString;
import dev.waymark.etcd.pb.Compare;
import dev.waymark.etcd.pb.DeleteRangeRequest;
import dev.waymark.etcd.pb.PutRequest;
import dev.waymark.etcd.pb.RequestOp;
import dev.waymark.etcd.pb.TxnRequest;
import io.grpc.Status;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Decides what to ask of etcd so that some keys are there for as long as their owner lives: a lease
 * that is renewed after each third of its TTL, keys that are put under it, put again if the lease
 * is lost, and looked after in turn, in case somebody has deleted one. A key that somebody else has
 * put meanwhile is left to them. A key that etcd refuses does not hold up the others.
 *
 * <p>Does no I/O: each input returns the next step, and there is one request at a time. Confined to
 * the control thread.
 */
final class LeasedKeys {
  /**
   * Of a transaction; etcd allows 128 (--max-txn-ops), and what is nested in them counts as well.
   */
  static final int BATCH_KEYS_MAX = 60;

  /** Of a transaction; etcd allows 1.5 MiB (--max-request-bytes). */
  static final int BATCH_BYTES_MAX = 512 * 1024;

  /** Keys that are looked after with each renewal. */
  static final int CHECKED_KEYS = BATCH_KEYS_MAX;

  private static final int RENEWALS_PER_TTL = 3;

  /** What to do next. */
  sealed interface Step {
    /** Ask for a lease. */
    record Grant() implements Step {}

    record Renew(long lease) implements Step {}

    record Store(TxnRequest changes) implements Step {}

    /** Wait for an answer, or for something to be wanted. */
    record Await() implements Step {}

    /** Call {@link #next} after this time. */
    record Rest(long ns) implements Step {}

    /** Call {@link #onRetry} after a wait, unless such a wait is under way. */
    record Wait() implements Step {}

    /** Remember why, and call {@link #next}. */
    record Refused(Status why) implements Step {}
  }

  /** What has to be done about a key. */
  private enum Task {
    PUT,
    /** Put it if it is not there. */
    CHECK,
    /** Delete it if it is ours. */
    DELETE
  }

  private record Change(Task task, ByteString value) {}

  private static final Step AWAIT = new Step.Await();
  private static final Step WAIT = new Step.Wait();
  private static final long NO_LEASE = 0;

  /** The values that keys shall have, in their order. */
  private final TreeMap<ByteString, ByteString> wanted =
      new TreeMap<>(ByteString.unsignedLexicographicalComparator());

  private final Map<ByteString, Change> due = new LinkedHashMap<>();

  /** Changes that etcd has refused, until the next try. */
  private final Map<ByteString, Change> refused = new HashMap<>();

  /** The changes of the request under way. */
  private Map<ByteString, Change> sent = Map.of();

  private ByteString lastChecked = ByteString.EMPTY;
  private long lease = NO_LEASE;
  private long ttlNs;
  private long renewedNs;

  /** When the request under way was made. */
  private long askedNs;

  private boolean hasSession;

  /** Whether a request is under way, or the wait after one for the lease that was refused. */
  private boolean isBusy;

  private boolean isLeaseRefused;

  /** Of the next transaction: one, while it is to be found out which key etcd refuses. */
  private int batchKeysMax = BATCH_KEYS_MAX;

  /** Since when all keys have been there. */
  private OptionalLong completeSinceNs = OptionalLong.empty();

  // --- inputs: what is wanted ---

  void put(ByteString key, ByteString value) {
    wanted.put(key, value);
    refused.remove(key);
    due.put(key, new Change(Task.PUT, value));
  }

  void remove(ByteString key) {
    if (wanted.remove(key) != null) {
      refused.remove(key);
      due.put(key, new Change(Task.DELETE, ByteString.EMPTY));
    }
  }

  // --- inputs: what happens ---

  Step onSession(long nowNs) {
    hasSession = true;
    isBusy = false;
    isLeaseRefused = false;
    // A lease that may have ended meanwhile is renewed before anything else.
    renewedNs = lease == NO_LEASE ? renewedNs : nowNs - ttlNs;
    return next(nowNs);
  }

  void onSessionEnd() {
    hasSession = false;
    isBusy = false;
    // Whether these were done is not known. To do them again does no harm.
    takeBack();
  }

  Step onGranted(long id, long ttlS, long nowNs) {
    lease = id;
    ttlNs = TimeUnit.SECONDS.toNanos(ttlS);
    renewedNs = askedNs;
    isBusy = false;
    return next(nowNs);
  }

  /**
   * @param ttlS 0: there is no such lease
   */
  Step onRenewed(long ttlS, long nowNs) {
    isBusy = false;
    if (ttlS <= 0) {
      onLeaseLost();
    } else {
      ttlNs = TimeUnit.SECONDS.toNanos(ttlS);
      renewedNs = askedNs;
      checkSome();
    }
    return next(nowNs);
  }

  Step onStored(long nowNs) {
    isBusy = false;
    sent = Map.of();
    if (!isPending() && completeSinceNs.isEmpty()) {
      completeSinceNs = OptionalLong.of(nowNs);
    }
    return next(nowNs);
  }

  /** etcd refuses the request under way. */
  Step onRefused(Status why, long nowNs) {
    isBusy = false;
    if (EtcdErrors.isLeaseGone(why)) {
      takeBack();
      onLeaseLost();
      return next(nowNs);
    }
    if (sent.size() > 1) {
      takeBack();
      batchKeysMax = 1;
      return next(nowNs);
    }
    isLeaseRefused = sent.isEmpty();
    sent.forEach((key, change) -> {
      if (!due.containsKey(key)) {
        refused.put(key, change);
      }
    });
    sent = Map.of();
    return new Step.Refused(why);
  }

  /** The wait after a refusal is over. */
  Step onRetry(long nowNs) {
    isBusy = isBusy && !isLeaseRefused;
    isLeaseRefused = false;
    refused.forEach(due::putIfAbsent);
    refused.clear();
    return next(nowNs);
  }

  /** Something is wanted, or a time has come. */
  Step next(long nowNs) {
    if (!hasSession || isBusy) {
      return AWAIT;
    }
    if (isLeaseRefused) {
      isBusy = true;
      return WAIT;
    }
    if (lease == NO_LEASE) {
      return wanted.isEmpty() ? AWAIT : ask(new Step.Grant(), nowNs);
    }
    if (nowNs - renewedNs >= renewalNs()) {
      return ask(new Step.Renew(lease), nowNs);
    }
    if (!due.isEmpty()) {
      return ask(new Step.Store(batch()), nowNs);
    }
    batchKeysMax = BATCH_KEYS_MAX;
    return refused.isEmpty() ? new Step.Rest(renewedNs + renewalNs() - nowNs) : WAIT;
  }

  // --- outputs ---

  /** Returns the lease; 0 if there is none. */
  long lease() {
    return lease;
  }

  /** Whether something is wanted that etcd has not confirmed. */
  boolean isPending() {
    return !due.isEmpty() || !sent.isEmpty() || !refused.isEmpty();
  }

  /**
   * Since when all keys have been there; empty if some are not, or if the lease has ended as far as
   * is known. Later changes of values do not matter.
   */
  OptionalLong completeSinceNs(long nowNs) {
    return lease != NO_LEASE && nowNs - renewedNs < ttlNs ? completeSinceNs : OptionalLong.empty();
  }

  int keyCount() {
    return wanted.size();
  }

  // --- transitions ---

  private Step ask(Step request, long nowNs) {
    isBusy = true;
    askedNs = nowNs;
    return request;
  }

  private long renewalNs() {
    return ttlNs / RENEWALS_PER_TTL;
  }

  /** The changes under way are due again, unless newer ones are. */
  private void takeBack() {
    sent.forEach(due::putIfAbsent);
    sent = Map.of();
  }

  /** Its keys are gone with it. */
  private void onLeaseLost() {
    lease = NO_LEASE;
    completeSinceNs = OptionalLong.empty();
    due.clear();
    refused.clear();
    wanted.forEach((key, value) -> due.put(key, new Change(Task.PUT, value)));
  }

  private void checkSome() {
    int count = 0;
    for (var each : wanted.tailMap(lastChecked, false).entrySet()) {
      if (count == CHECKED_KEYS) {
        return;
      }
      count++;
      lastChecked = each.getKey();
      if (!refused.containsKey(each.getKey())) {
        due.putIfAbsent(each.getKey(), new Change(Task.CHECK, each.getValue()));
      }
    }
    lastChecked = ByteString.EMPTY;
  }

  private TxnRequest batch() {
    Map<ByteString, Change> batch = new HashMap<>();
    TxnRequest.Builder changes = TxnRequest.newBuilder();
    int bytes = 0;
    for (var each = due.entrySet().iterator(); each.hasNext() && batch.size() < batchKeysMax; ) {
      var next = each.next();
      ByteString key = next.getKey();
      Change change = next.getValue();
      bytes += key.size() + change.value.size();
      if (bytes > BATCH_BYTES_MAX && !batch.isEmpty()) {
        break;
      }
      batch.put(key, change);
      changes.addSuccess(operation(key, change));
      each.remove();
    }
    sent = batch;
    return changes.build();
  }

  private RequestOp operation(ByteString key, Change change) {
    RequestOp put =
        RequestOp.newBuilder()
            .setRequestPut(
                PutRequest.newBuilder().setKey(key).setValue(change.value).setLease(lease))
            .build();
    return switch (change.task) {
      case PUT -> put;
      case CHECK -> conditional(ifAbsent(key), put);
      case DELETE ->
          conditional(
              ifOurs(key),
              RequestOp.newBuilder()
                  .setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key))
                  .build());
    };
  }

  private static RequestOp conditional(Compare condition, RequestOp operation) {
    TxnRequest nested = TxnRequest.newBuilder().addCompare(condition).addSuccess(operation).build();
    return RequestOp.newBuilder().setRequestTxn(nested).build();
  }

  private static Compare ifAbsent(ByteString key) {
    return Compare.newBuilder()
        .setKey(key)
        .setTarget(Compare.CompareTarget.VERSION)
        .setVersion(0)
        .build();
  }

  private Compare ifOurs(ByteString key) {
    return Compare.newBuilder()
        .setKey(key)
        .setTarget(Compare.CompareTarget.LEASE)
        .setLease(lease)
        .build();
  }
}
