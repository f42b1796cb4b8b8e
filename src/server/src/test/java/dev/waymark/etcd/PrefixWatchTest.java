package dev.waymark.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.waymark.etcd.PrefixWatch.Step;
import dev.waymark.etcd.pb.Event;
import dev.waymark.etcd.pb.KeyValue;
import dev.waymark.etcd.pb.RangeResponse;
import dev.waymark.etcd.pb.ResponseHeader;
import dev.waymark.etcd.pb.WatchResponse;
import dev.waymark.net.dial.UpstreamProblem;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PrefixWatchTest {
  private static final ByteString PREFIX = key("svc/");
  private static final Step FIRST_PAGE = new Step.Page(PREFIX, PrefixWatch.PAGE_KEYS, 0);
  private static final Step AWAIT = new Step.Await();
  private static final Status COMPACTED =
      Status.OUT_OF_RANGE.withDescription("etcdserver: mvcc: required revision has been compacted");
  private static final Status FUTURE =
      Status.OUT_OF_RANGE.withDescription(
          "etcdserver: mvcc: required revision is a future revision");

  private final Recorded heard = new Recorded();
  private final PrefixWatch watch = new PrefixWatch(PREFIX, heard);
  private long nowNs = TimeUnit.SECONDS.toNanos(1_000);

  // --- list ---

  @Test
  void list_isReadInPagesOfOneRevision_andThenWatched() {
    assertThat(watch.onSession()).isEqualTo(FIRST_PAGE);
    assertThat(watch.onPage(page(7, true, pair("svc/a", 3), pair("svc/b", 5))))
        .isEqualTo(new Step.Page(key("svc/b\0"), PrefixWatch.PAGE_KEYS, 7));
    assertThat(watch.onPage(page(9, false, pair("svc/c", 4)))).isEqualTo(new Step.Watch(8));
    assertThat(heard.all).containsExactly("list", "svc/a", "svc/b", "svc/c", "listed");
  }

  @Test
  void page_largerThanAnAnswerMayBe_isAskedForWithFewerKeys() {
    watch.onSession();
    Status large = Status.RESOURCE_EXHAUSTED.withDescription("gRPC message exceeds maximum size");
    for (int keys : new int[] {100, 20, 4, 1}) {
      assertThat(watch.onPageRefused(PREFIX, large)).isEqualTo(new Step.Page(PREFIX, keys, 0));
    }
    assertThat(watch.onPage(page(7, true, pair("svc/a", 3))))
        .isEqualTo(new Step.Page(key("svc/a\0"), 1, 7));
    assertThat(watch.onPageRefused(PREFIX, large)).isEqualTo(new Step.Refused(large));
    assertThat(watch.onRetry()).isEqualTo(FIRST_PAGE);
  }

  @Test
  void revision_compactedBetweenPages_beginsAgain() {
    watch.onSession();
    watch.onPage(page(7, true, pair("svc/a", 3)));
    assertThat(watch.onPageRefused(key("svc/b"), COMPACTED)).isEqualTo(new Step.Again());
    assertThat(watch.onRetry()).isEqualTo(FIRST_PAGE);
    assertThat(watch.onPage(page(9, false))).isEqualTo(new Step.Watch(10));
  }

  @Test
  void listener_thatIsFull_endsTheListOrTheWatch() {
    watch.onSession();
    heard.isFull = true;
    assertThat(watch.onPage(page(7, false, pair("svc/a", 3)))).isEqualTo(new Step.Full());
    heard.isFull = false;
    assertThat(watch.onRetry()).isEqualTo(FIRST_PAGE);
    watch.onPage(page(7, false, pair("svc/a", 3)));
    begin();
    heard.isFull = true;
    assertThat(watch.onWatchAnswer(changes(8, put("svc/b", 8)), nowNs)).isEqualTo(new Step.Full());
    // The watch is no longer checked during the wait.
    assertThat(after(60)).isEqualTo(AWAIT);
  }

  // --- resume ---

  @Test
  void session_thatIsNew_resumesAfterTheLastChange_ifEtcdStillKnowsIt() {
    list(7, pair("svc/a", 3));
    begin();
    watch.onWatchAnswer(changes(9, put("svc/b", 8), delete("svc/a", 9)), nowNs);
    assertThat(watch.onSession()).isEqualTo(new Step.Verify(key("svc/b"), 9));
    assertThat(watch.onVerified(page(20, false, pair("svc/b", 8)))).isEqualTo(new Step.Watch(10));
    assertThat(heard.all).doesNotContain("listed, other store").containsOnlyOnce("listed");
  }

  @Test
  void progress_isWhereTheNextSessionResumes() {
    list(7, pair("svc/a", 3));
    begin();
    watch.onWatchAnswer(changes(50), nowNs);
    assertThat(watch.onSession()).isEqualTo(new Step.Verify(key("svc/a"), 50));
  }

  @Test
  void change_thatIsKnown_isIgnored() {
    list(7, pair("svc/a", 3));
    begin();
    watch.onWatchAnswer(changes(7, put("svc/b", 6), delete("svc/a", 7), put("svc/c", 8)), nowNs);
    assertThat(heard.all).endsWith("current", "svc/c", "current");
    watch.onWatchAnswer(changes(5), nowNs);
    watch.onWatchAnswer(changes(7, put("svc/b", 6)), nowNs);
    assertThat(watch.onSession()).isEqualTo(new Step.Verify(key("svc/c"), 8));
  }

  @Test
  void etcd_withAnotherValueAtThatRevision_hasLostItsData() {
    list(7, pair("svc/a", 3));
    watch.onSession();
    KeyValue other = pair("svc/a", 3).toBuilder().setLease(99).build();
    assertThat(watch.onVerified(page(20, false, other))).isEqualTo(FIRST_PAGE);
    assertThat(watch.onPage(page(20, false, other))).isEqualTo(new Step.Watch(21));
    assertThat(heard.all).endsWith("listed, other store");
    // Once is enough.
    watch.onSession();
    watch.onVerified(page(20, false, other));
    assertThat(heard.all).endsWith("listed, other store");
  }

  @Test
  void etcd_withoutThatKeyOrRevision_hasLostItsData() {
    list(7, pair("svc/a", 3));
    watch.onSession();
    assertThat(watch.onVerified(page(20, false))).isEqualTo(FIRST_PAGE);
    watch.onPage(page(20, false, pair("svc/a", 2)));
    assertThat(heard.all).endsWith("listed, other store");
    watch.onSession();
    assertThat(watch.onVerifyRefused(FUTURE)).isEqualTo(FIRST_PAGE);
    watch.onPage(page(3, false));
    assertThat(heard.all).endsWith("list", "listed, other store");
  }

  @Test
  void revisionOfAList_smallerThanWhatIsKnown_showsALossToo() {
    list(7);
    watch.onSession();
    watch.onPage(page(3, false, pair("svc/a", 3)));
    assertThat(heard.all).endsWith("listed, other store");
  }

  @Test
  void revision_compactedMeanwhile_listsAgain_andIsNoLoss() {
    list(7, pair("svc/a", 3));
    watch.onSession();
    assertThat(watch.onVerifyRefused(COMPACTED)).isEqualTo(FIRST_PAGE);
    watch.onPage(page(20, false));
    assertThat(heard.all).endsWith("list", "listed");
  }

  @Test
  void session_thatEndsWithinAListOrChanges_beginsWithAList() {
    list(7, pair("svc/a", 3));
    watch.onSession();
    watch.onVerifyRefused(COMPACTED);
    assertThat(watch.onSession()).isEqualTo(FIRST_PAGE);
    watch.onPage(page(7, false, pair("svc/a", 3)));
    begin();
    watch.onWatchAnswer(changes(9, put("svc/b", 9)).toBuilder().setFragment(true).build(), nowNs);
    assertThat(watch.onSession()).isEqualTo(FIRST_PAGE);
  }

  @Test
  void witness_thatIsDeleted_hasTheListReadAgain() {
    list(7, pair("svc/a", 3));
    begin();
    watch.onWatchAnswer(changes(8, delete("svc/a", 8)), nowNs);
    assertThat(watch.onSession()).isEqualTo(FIRST_PAGE);
  }

  // --- watch ---

  @Test
  void changes_inParts_countWhenTheLastIsThere() {
    list(7, pair("svc/a", 3));
    begin();
    watch.onWatchAnswer(changes(9, put("svc/b", 8)).toBuilder().setFragment(true).build(), nowNs);
    watch.onWatchAnswer(changes(9, put("svc/c", 9)), nowNs);
    assertThat(heard.all).endsWith("svc/b", "current", "svc/c", "current");
    assertThat(watch.onSession()).isEqualTo(new Step.Verify(key("svc/c"), 9));
  }

  @Test
  void watch_canceledByCompaction_beginsAgain() {
    list(7, pair("svc/a", 3));
    begin();
    WatchResponse canceled = changes(9).toBuilder().setCanceled(true).setCompactRevision(9).build();
    assertThat(watch.onWatchAnswer(canceled, nowNs)).isEqualTo(new Step.Again());
    assertThat(watch.onRetry()).isEqualTo(FIRST_PAGE);
  }

  @Test
  void watch_refused_saysWhy() {
    list(7, pair("svc/a", 3));
    watch.onWatchSent(nowNs);
    assertThat(canceled("rpc error: code = PermissionDenied desc = etcdserver: permission denied"))
        .isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(canceled("rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"))
        .isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(canceled("")).isEqualTo(Status.Code.ABORTED);
  }

  private Status.Code canceled(String reason) {
    WatchResponse answer =
        changes(9).toBuilder().setCreated(true).setCanceled(true).setCancelReason(reason).build();
    return watch.onWatchAnswer(answer, nowNs) instanceof Step.Refused(Status why)
        ? why.getCode()
        : Status.Code.OK;
  }

  @Test
  void watch_withAnAnswerThatIsTooLarge_beginsWithAList() {
    list(7, pair("svc/a", 3));
    begin();
    assertThat(watch.onWatchRefused(Status.RESOURCE_EXHAUSTED)).isEqualTo(new Step.Again());
  }

  // --- silence ---

  @Test
  void server_thatIsQuiet_isChecked() {
    list(7, pair("svc/a", 3));
    begin();
    assertThat(after(9)).isEqualTo(AWAIT);
    assertThat(after(1)).isEqualTo(new Step.Check());
    assertThat(after(60)).as("the check has its own deadline").isEqualTo(AWAIT);
    assertThat(watch.onChecked(nowNs)).isEqualTo(AWAIT);
    assertThat(after(9)).isEqualTo(AWAIT);
    watch.onWatchAnswer(changes(8), nowNs);
    assertThat(after(9)).isEqualTo(AWAIT);
    assertThat(after(1)).isEqualTo(new Step.Check());
  }

  @Test
  void watch_thatDoesNotBegin_isLeft() {
    list(7, pair("svc/a", 3));
    watch.onWatchSent(nowNs);
    assertThat(after(4)).isEqualTo(AWAIT);
    assertThat(after(1)).isEqualTo(new Step.Silent());
    watch.onSession();
    assertThat(after(60)).isEqualTo(AWAIT);
  }

  // --- fixtures ---

  private void list(long revision, KeyValue... pairs) {
    watch.onSession();
    watch.onPage(page(revision, false, pairs));
  }

  private void begin() {
    watch.onWatchSent(nowNs);
    watch.onWatchAnswer(
        WatchResponse.newBuilder().setHeader(header(7)).setCreated(true).build(), nowNs);
  }

  private Step after(long seconds) {
    nowNs += TimeUnit.SECONDS.toNanos(seconds);
    return watch.onTick(nowNs);
  }

  private static ByteString key(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static ResponseHeader header(long revision) {
    return ResponseHeader.newBuilder().setRevision(revision).build();
  }

  private static KeyValue pair(String key, long revision) {
    return KeyValue.newBuilder().setKey(key(key)).setModRevision(revision).build();
  }

  private static RangeResponse page(long revision, boolean hasMore, KeyValue... pairs) {
    return RangeResponse.newBuilder()
        .setHeader(header(revision))
        .setMore(hasMore)
        .addAllKvs(List.of(pairs))
        .build();
  }

  private static Event put(String key, long revision) {
    return Event.newBuilder().setKv(pair(key, revision)).build();
  }

  private static Event delete(String key, long revision) {
    return put(key, revision).toBuilder().setType(Event.EventType.DELETE).build();
  }

  private static WatchResponse changes(long revision, Event... events) {
    return WatchResponse.newBuilder()
        .setHeader(header(revision))
        .addAllEvents(List.of(events))
        .build();
  }

  private static final class Recorded implements PrefixListener {
    private final List<String> all = new ArrayList<>();
    private boolean isFull;

    @Override
    public void onList() {
      all.add("list");
    }

    @Override
    public void onPut(ByteString key, ByteString value) {
      all.add(key.toStringUtf8());
    }

    @Override
    public void onDelete(ByteString key) {
      all.add("no " + key.toStringUtf8());
    }

    @Override
    public void onListed(boolean isOtherStore) {
      all.add(isOtherStore ? "listed, other store" : "listed");
    }

    @Override
    public void onCurrent() {
      all.add("current");
    }

    @Override
    public boolean isFull() {
      return isFull;
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      all.add(problem.text());
    }
  }
}
