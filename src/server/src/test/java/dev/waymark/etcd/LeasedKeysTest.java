package dev.waymark.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.waymark.etcd.LeasedKeys.Step;
import dev.waymark.etcd.pb.Compare;
import dev.waymark.etcd.pb.RequestOp;
import dev.waymark.etcd.pb.TxnRequest;
import io.grpc.Status;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LeasedKeysTest {
  private static final Step AWAIT = new Step.Await();
  private static final long TTL_S = 9;
  private static final Status LEASE_GONE =
      Status.NOT_FOUND.withDescription("etcdserver: requested lease not found");
  private static final Status DENIED =
      Status.PERMISSION_DENIED.withDescription("etcdserver: permission denied");

  private final LeasedKeys keys = new LeasedKeys();
  private final Store store = new Store();
  private long nowNs = seconds(1_000);

  private static long seconds(long count) {
    return TimeUnit.SECONDS.toNanos(count);
  }

  private static ByteString text(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private void put(String key, String value) {
    keys.put(text(key), text(value));
  }

  // --- steps ---

  @Test
  void lease_isAskedForWhenThereIsAKey_thenKeysAreStored_thenItRests() {
    assertThat(keys.onSession(nowNs)).isEqualTo(AWAIT);
    put("a", "1");
    assertThat(keys.next(nowNs)).isEqualTo(new Step.Grant());
    assertThat(keys.next(nowNs)).as("one request at a time").isEqualTo(AWAIT);
    assertThat(keys.onGranted(5, TTL_S, nowNs)).isInstanceOf(Step.Store.class);
    assertThat(keys.completeSinceNs(nowNs)).isEmpty();
    assertThat(keys.onStored(nowNs)).isEqualTo(new Step.Rest(seconds(TTL_S / 3)));
    assertThat(keys.completeSinceNs(nowNs)).hasValue(nowNs);
    assertThat(keys.completeSinceNs(nowNs + seconds(TTL_S))).isEmpty();
  }

  @Test
  void lease_isRenewedAfterAThirdOfItsTtl_beforeAnythingElse() {
    begin("a");
    nowNs += seconds(3) - 1;
    assertThat(keys.next(nowNs)).isEqualTo(new Step.Rest(1));
    nowNs += 1;
    put("a", "2");
    assertThat(keys.next(nowNs)).isEqualTo(new Step.Renew(5));
    assertThat(keys.onRenewed(TTL_S, nowNs)).isInstanceOf(Step.Store.class);
  }

  @Test
  void renewal_countsFromWhenItWasAskedFor() {
    begin("a");
    nowNs += seconds(3);
    keys.next(nowNs);
    assertThat(keys.onRenewed(TTL_S, nowNs + seconds(2))).isInstanceOf(Step.Store.class);
    assertThat(keys.onStored(nowNs + seconds(2))).isEqualTo(new Step.Rest(seconds(1)));
  }

  @Test
  void lease_thatIsGone_isReplaced_andAllKeysArePutAgain() {
    begin("a");
    nowNs += seconds(3);
    keys.next(nowNs);
    assertThat(keys.onRenewed(0, nowNs)).isEqualTo(new Step.Grant());
    assertThat(keys.completeSinceNs(nowNs)).isEmpty();
    store.clear();
    apply(keys.onGranted(6, TTL_S, nowNs), 6);
    assertThat(store.values).containsExactly(Map.entry("a", "a"));
  }

  @Test
  void lease_thatIsGoneWhileAKeyIsPut_isReplaced() {
    begin("a");
    put("b", "1");
    assertThat(keys.next(nowNs)).isInstanceOf(Step.Store.class);
    assertThat(keys.onRefused(LEASE_GONE, nowNs)).isEqualTo(new Step.Grant());
    apply(keys.onGranted(6, TTL_S, nowNs), 6);
    assertThat(store.values).containsOnlyKeys("a", "b");
  }

  @Test
  void lease_thatIsRefused_isAskedForAgainAfterTheWait() {
    put("a", "1");
    keys.onSession(nowNs);
    assertThat(keys.onRefused(DENIED, nowNs)).isEqualTo(new Step.Refused(DENIED));
    assertThat(keys.next(nowNs)).isEqualTo(new Step.Wait());
    put("b", "1");
    assertThat(keys.next(nowNs)).isEqualTo(AWAIT);
    assertThat(keys.onRetry(nowNs)).isEqualTo(new Step.Grant());
  }

  @Test
  void key_thatIsRefused_isTriedAgainAfterTheWait_andHoldsUpNoOther() {
    begin("a");
    put("b", "1");
    put("c", "1");
    put("d", "1");
    assertThat(count(keys.next(nowNs))).isEqualTo(3);
    assertThat(count(keys.onRefused(DENIED, nowNs))).as("one after the other").isEqualTo(1);
    assertThat(keys.onRefused(DENIED, nowNs)).isEqualTo(new Step.Refused(DENIED));
    apply(keys.next(nowNs), 5);
    apply(keys.onStored(nowNs), 5);
    assertThat(keys.onStored(nowNs)).isEqualTo(new Step.Wait());
    assertThat(store.values).containsOnlyKeys("a", "c", "d");
    assertThat(keys.isPending()).isTrue();
    put("e", "1");
    apply(keys.next(nowNs), 5);
    assertThat(keys.onStored(nowNs)).isEqualTo(new Step.Wait());
    apply(keys.onRetry(nowNs), 5);
    assertThat(keys.onStored(nowNs)).isInstanceOf(Step.Rest.class);
    assertThat(store.values).containsOnlyKeys("a", "b", "c", "d", "e");
    assertThat(keys.isPending()).isFalse();
    put("f", "1");
    put("g", "1");
    assertThat(count(keys.next(nowNs))).as("together again").isEqualTo(2);
  }

  @Test
  void key_thatIsRefused_doesNotHoldUpTheRenewal() {
    begin("a");
    put("b", "1");
    keys.next(nowNs);
    keys.onRefused(DENIED, nowNs);
    assertThat(keys.next(nowNs)).isEqualTo(new Step.Wait());
    nowNs += seconds(3);
    assertThat(keys.onRetry(nowNs)).isEqualTo(new Step.Renew(5));
  }

  @Test
  void session_thatIsNew_renewsTheLeaseFirst() {
    begin("a");
    keys.onSessionEnd();
    assertThat(keys.next(nowNs)).isEqualTo(AWAIT);
    assertThat(keys.onSession(nowNs)).isEqualTo(new Step.Renew(5));
  }

  @Test
  void batch_hasItsLimits() {
    for (int i = 0; i < LeasedKeys.BATCH_KEYS_MAX + 1; i++) {
      put("a" + i, "1");
    }
    put("b", "x".repeat(LeasedKeys.BATCH_BYTES_MAX));
    put("c", "1");
    keys.onSession(nowNs);
    assertThat(count(keys.onGranted(5, TTL_S, nowNs))).isEqualTo(LeasedKeys.BATCH_KEYS_MAX);
    assertThat(count(keys.onStored(nowNs))).as("the large one does not fit").isEqualTo(1);
    assertThat(count(keys.onStored(nowNs))).as("it goes alone").isEqualTo(1);
    assertThat(count(keys.onStored(nowNs))).isEqualTo(1);
    assertThat(keys.onStored(nowNs)).isInstanceOf(Step.Rest.class);
  }

  private static int count(Step step) {
    return step instanceof Step.Store(TxnRequest changes) ? changes.getSuccessCount() : -1;
  }

  @Test
  void keys_areLookedAfterInTurn() {
    int count = LeasedKeys.CHECKED_KEYS + 10;
    for (int i = 0; i < count; i++) {
      put("a" + i, "1");
    }
    apply(keys.onSession(nowNs), 5);
    Step step = keys.onGranted(5, TTL_S, nowNs);
    while (step instanceof Step.Store) {
      apply(step, 5);
      step = keys.onStored(nowNs);
    }
    store.clear();
    renewAndStore();
    assertThat(store.values).hasSize(LeasedKeys.CHECKED_KEYS);
    renewAndStore();
    assertThat(store.values).hasSize(count);
  }

  private void renewAndStore() {
    nowNs += seconds(3);
    assertThat(keys.next(nowNs)).isInstanceOf(Step.Renew.class);
    Step step = keys.onRenewed(TTL_S, nowNs);
    while (step instanceof Step.Store) {
      apply(step, 5);
      step = keys.onStored(nowNs);
    }
  }

  /** Stores a key under lease 5. */
  private void begin(String key) {
    put(key, key);
    assertThat(keys.onSession(nowNs)).isEqualTo(new Step.Grant());
    apply(keys.onGranted(5, TTL_S, nowNs), 5);
    assertThat(keys.onStored(nowNs)).isInstanceOf(Step.Rest.class);
  }

  private void apply(Step step, long lease) {
    store.lease = lease;
    if (step instanceof Step.Store(TxnRequest changes)) {
      store.apply(changes);
    }
  }

  // --- any order ---

  /**
   * Whatever is put and removed, and whatever etcd does meanwhile: in the end it has what is
   * wanted, and nothing else of ours.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void keys_endAsTheyAreWanted(int seed) {
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      new World(random).run();
    }
  }

  /** An etcd that fails in all ways. */
  private static final class World {
    private final Random random;
    private final LeasedKeys keys = new LeasedKeys();
    private final Store store = new Store();
    private final Map<String, String> wanted = new TreeMap<>();
    private long nowNs = seconds(1);
    private boolean hasSession;
    private boolean isWaiting;
    private Step asked = AWAIT;

    World(Random random) {
      this.random = random;
    }

    void run() {
      for (int i = 0; i < 60; i++) {
        nowNs += random.nextLong(seconds(1));
        if (random.nextInt(3) > 0) {
          want();
        } else {
          happen();
        }
        answer(random.nextInt(5) == 0);
      }
      settle();
      assertThat(store.values).isEqualTo(wanted);
    }

    private void want() {
      String key = "k" + random.nextInt(5);
      if (random.nextBoolean()) {
        String value = "v" + random.nextInt(100);
        keys.put(text(key), text(value));
        wanted.put(key, value);
      } else {
        keys.remove(text(key));
        wanted.remove(key);
      }
      ask(keys.next(nowNs));
    }

    private void happen() {
      switch (random.nextInt(5)) {
        case 0 -> {
          keys.onSessionEnd();
          hasSession = false;
          isWaiting = false;
          // The request may have been done or not.
          if (random.nextBoolean() && asked instanceof Step.Store(TxnRequest changes)) {
            store.applyIfLeased(changes);
          }
          asked = AWAIT;
        }
        case 1 -> store.endLease();
        case 2 -> store.values.keySet().removeIf(_ -> random.nextBoolean());
        case 3 -> endWait();
        default -> {
          if (!hasSession) {
            hasSession = true;
            ask(keys.onSession(nowNs));
          }
        }
      }
    }

    /** At any time, also while a request is under way. */
    private void endWait() {
      if (isWaiting) {
        isWaiting = false;
        ask(keys.onRetry(nowNs));
      }
    }

    private void ask(Step step) {
      if (step instanceof Step.Refused) {
        ask(keys.next(nowNs));
      } else if (step instanceof Step.Wait) {
        isWaiting = true;
      } else if (!(step instanceof Step.Await || step instanceof Step.Rest)) {
        asked = step;
      }
    }

    private void answer(boolean isRefused) {
      Step step = asked;
      asked = AWAIT;
      switch (step) {
        case Step.Await() -> {
          ask(keys.next(nowNs));
          if (random.nextInt(8) == 0) {
            endWait();
          }
        }
        case Step.Rest _, Step.Wait _, Step.Refused _ -> throw new IllegalStateException();
        case Step.Grant() when isRefused -> ask(keys.onRefused(DENIED, nowNs));
        case Step.Grant() -> ask(keys.onGranted(store.grant(), TTL_S, nowNs));
        case Step.Renew(long lease) -> ask(keys.onRenewed(lease == store.lease ? TTL_S : 0, nowNs));
        case Step.Store(TxnRequest _) when isRefused -> ask(keys.onRefused(DENIED, nowNs));
        case Step.Store(TxnRequest changes) ->
            ask(
                store.applyIfLeased(changes)
                    ? keys.onStored(nowNs)
                    : keys.onRefused(LEASE_GONE, nowNs));
      }
    }

    private void settle() {
      if (!hasSession) {
        hasSession = true;
        ask(keys.onSession(nowNs));
      }
      for (int i = 0; i < 200; i++) {
        nowNs += seconds(1) / 10;
        answer(false);
      }
    }
  }

  /** What etcd has. */
  private static final class Store {
    private final Map<String, String> values = new TreeMap<>();
    private long lease;
    private long leases = 100;

    void clear() {
      values.clear();
    }

    long grant() {
      // A lease of which nobody has heard has no keys.
      lease = ++leases;
      return lease;
    }

    void endLease() {
      lease = 0;
      values.clear();
    }

    boolean applyIfLeased(TxnRequest changes) {
      boolean isLeased =
          lease != 0
              && changes.getSuccessList().stream()
                  .allMatch(
                      each -> !each.hasRequestPut() || each.getRequestPut().getLease() == lease);
      if (isLeased) {
        apply(changes);
      }
      return isLeased;
    }

    void apply(TxnRequest changes) {
      changes.getSuccessList().forEach(this::apply);
    }

    private void apply(RequestOp each) {
      switch (each.getRequestCase()) {
        case REQUEST_PUT ->
            values.put(
                each.getRequestPut().getKey().toStringUtf8(),
                each.getRequestPut().getValue().toStringUtf8());
        case REQUEST_DELETE_RANGE ->
            values.remove(each.getRequestDeleteRange().getKey().toStringUtf8());
        case REQUEST_TXN -> {
          if (each.getRequestTxn().getCompareList().stream().allMatch(this::isTrue)) {
            apply(each.getRequestTxn());
          }
        }
        case REQUEST_NOT_SET -> throw new IllegalArgumentException(each.toString());
      }
    }

    private boolean isTrue(Compare compare) {
      boolean isThere = values.containsKey(compare.getKey().toStringUtf8());
      return switch (compare.getTarget()) {
        case VERSION -> compare.getVersion() == 0 && !isThere;
        case LEASE -> isThere && compare.getLease() == lease;
        case UNRECOGNIZED -> throw new IllegalArgumentException(compare.toString());
      };
    }
  }
}
