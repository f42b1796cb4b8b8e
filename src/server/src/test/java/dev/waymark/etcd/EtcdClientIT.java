package dev.waymark.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.waymark.e2e.Etcd;
import dev.waymark.net.dial.UpstreamProblem;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A watch and a publisher on one client. */
class EtcdClientIT {
  private final EtcdFixture fixture = new EtcdFixture();

  @TempDir private Path folder;

  @AfterEach
  void close() {
    fixture.close();
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(15)).pollInterval(Duration.ofMillis(20));
  }

  @Test
  void watch_andPublisher_shareASession_andBothSurviveItsEnd() {
    try (var etcd = Etcd.start(folder)) {
      EtcdClient client = fixture.client(etcd);
      Seen seen = new Seen();
      EtcdWatch watch = fixture.watch(client, "svc/", seen);
      var publisher = fixture.publisher(10, client);
      publisher.put("svc/a", "one");
      await().until(() -> seen.values.equals(Map.of("svc/a", "one")));
      etcd.kill();
      await().until(() -> !seen.problems.isEmpty());
      publisher.put("svc/b", "two");
      etcd.restart();
      await().until(() -> seen.values.equals(Map.of("svc/a", "one", "svc/b", "two")));
      assertThat(seen.lists).as("it was resumed").hasSize(1);

      fixture.onLoop(() -> {
        watch.close();
        return true;
      });
      publisher.put("svc/c", "three");
      await().until(() -> etcd.ctl("get", "--print-value-only", "svc/c").equals("three\n"));
      assertThat(seen.values).doesNotContainKey("svc/c");
      publisher.end();
    }
  }

  /** A process that is stopped keeps its sockets, so that only the check can tell. */
  @Test
  void member_thatHangs_isLeft() {
    List<Etcd> cluster = Etcd.cluster(folder);
    try {
      EtcdClient client = fixture.client(cluster.toArray(Etcd[]::new));
      var publisher = fixture.publisher(3, client);
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      Etcd first = cluster.getFirst();
      first.process().signal("STOP");
      try {
        await().until(() -> publisher.progress().problem().isPresent());
        await().until(publisher::isComplete);
        publisher.put("svc/b", "two");
        await()
            .until(
                () -> cluster.getLast().ctl("get", "--print-value-only", "svc/b").equals("two\n"));
      } finally {
        first.process().signal("CONT");
      }
    } finally {
      cluster.forEach(Etcd::close);
    }
  }

  /** What a listener knows. */
  private static final class Seen implements PrefixListener {
    private final Map<String, String> values = new ConcurrentSkipListMap<>();
    private final List<Boolean> lists = new CopyOnWriteArrayList<>();
    private final List<UpstreamProblem> problems = new CopyOnWriteArrayList<>();
    private Map<String, String> listed = new TreeMap<>();
    private boolean isListing;

    @Override
    public void onList() {
      listed = new TreeMap<>();
      isListing = true;
    }

    @Override
    public void onPut(ByteString key, ByteString value) {
      (isListing ? listed : values).put(key.toStringUtf8(), value.toStringUtf8());
    }

    @Override
    public void onDelete(ByteString key) {
      values.remove(key.toStringUtf8());
    }

    @Override
    public void onListed(boolean isOtherStore) {
      isListing = false;
      lists.add(isOtherStore);
      values.keySet().retainAll(listed.keySet());
      values.putAll(listed);
    }

    @Override
    public void onCurrent() {}

    @Override
    public boolean isFull() {
      return false;
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      problems.add(problem);
    }
  }
}
