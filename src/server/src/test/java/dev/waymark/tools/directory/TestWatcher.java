package dev.waymark.tools.directory;

import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.Removed;
import dev.waymark.v1.WatchRequest;
import dev.waymark.v1.WatchResponse;
import dev.waymark.v1.WatchedInstance;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A watcher that keeps a table as the responses describe it. */
final class TestWatcher implements ClientResponseObserver<WatchRequest, WatchResponse> {
  final List<WatchResponse> responses = new CopyOnWriteArrayList<>();
  private final Map<String, WatchedInstance> incoming = new TreeMap<>();
  private final boolean isReading;
  private Map<String, WatchedInstance> table = Map.of();
  private final CompletableFuture<Status> end = new CompletableFuture<>();

  /** Set before the call starts. */
  @SuppressWarnings("NullAway.Init")
  private ClientCallStreamObserver<WatchRequest> call;

  private TestWatcher(boolean isReading) {
    this.isReading = isReading;
  }

  /** Watches these services; none: all. */
  static TestWatcher open(Channel channel, String... services) {
    return from(channel, 0, 0, services);
  }

  /** Watches from a version on. */
  static TestWatcher from(Channel channel, long epoch, long version, String... services) {
    TestWatcher watcher = new TestWatcher(true);
    watcher.start(channel, epoch, version, services);
    return watcher;
  }

  /** Watches everything and never reads. */
  static TestWatcher unread(Channel channel) {
    TestWatcher watcher = new TestWatcher(false);
    watcher.start(channel, 0, 0);
    return watcher;
  }

  private void start(Channel channel, long epoch, long version, String... services) {
    RegistryGrpc.newStub(channel)
        .watch(
            WatchRequest.newBuilder()
                .addAllServices(List.of(services))
                .setEpoch(epoch)
                .setVersion(version)
                .setWatcher("test")
                .build(),
            this);
  }

  /** The instances as service@address. */
  synchronized Set<String> keys() {
    return Set.copyOf(table.keySet());
  }

  WatchResponse last() {
    return responses.getLast();
  }

  /** How the call ended. */
  Status end() {
    return end.orTimeout(10, TimeUnit.SECONDS).join();
  }

  void close() {
    call.cancel("enough", null);
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<WatchRequest> started) {
    call = started;
    if (!isReading) {
      started.disableAutoRequestWithInitial(0);
    }
  }

  @Override
  public synchronized void onNext(WatchResponse response) {
    responses.add(response);
    if (response.getReset()) {
      incoming.clear();
    }
    response.getPutList().forEach(put -> incoming.put(key(put), put));
    for (Removed removed : response.getRemovedList()) {
      incoming.remove(removed.getService() + "@" + removed.getAddress());
    }
    if (!response.getMore()) {
      table = new TreeMap<>(incoming);
    }
  }

  private static String key(WatchedInstance put) {
    return put.getInstance().getService() + "@" + put.getInstance().getAddress();
  }

  @Override
  public void onError(Throwable error) {
    end.complete(Status.fromThrowable(error));
  }

  @Override
  public void onCompleted() {}
}
